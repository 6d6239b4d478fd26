# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Talk with supervisord: waiting, reloading, stopping and adding, against one that is made up."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._host.commands import CommandTimeoutError
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor import daemon as daemons
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.daemon import (
    Daemon,
    NotAcceptedError,
    read_settings,
    tail_of,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.daemon_conf import DaemonSettings
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.errors import ProgramError
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.program_file import OtherFiles
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.rpc import (
    CANT_REREAD,
    SHUTDOWN_STATE,
    SupervisorDown,
    SupervisorFault,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.steps import Action, Reload

from .samples import Supervisord, info

NONE = OtherFiles({}, {})


@pytest.fixture(autouse=True)
def _quickly(monkeypatch):
    monkeypatch.setattr(daemons, "POLL", 0.001)


def daemon(*answers, log=None, **calls):
    found = Daemon("/supervisord.conf", DaemonSettings("/s.sock", None, None, "/conf.d", ".conf", [], log))
    found.supervisor = Supervisord(*answers, calls=calls)
    return found


def test_settings_are_none_without_a_file(tmp_path):
    config = tmp_path / "supervisord.conf"
    assert read_settings(str(config)) is None
    config.write_text("[unix_http_server]\nfile=/s.sock\n[include]\nfiles=*.conf\n")
    assert read_settings(str(config)).folder == str(tmp_path)


def test_the_end_of_a_log(tmp_path):
    log = tmp_path / "log"
    log.write_bytes(b"0123456789\xff")
    assert tail_of(str(log), 4) == "789\ufffd"
    assert tail_of(str(tmp_path / "none"), 4) is None
    assert tail_of(None, 4) is None


def test_a_supervisord_that_shuts_down_is_waited_for():
    shutdown = SupervisorFault(SHUTDOWN_STATE, "SHUTDOWN_STATE")
    assert daemon([], getState=[shutdown, {}]).connect()
    assert not daemon([], getState=[shutdown, SupervisorDown("gone")]).connect()
    with pytest.raises(SupervisorFault):
        daemon([], getState=[SupervisorFault(1, "UNKNOWN_METHOD")]).connect()


def test_a_shutdown_that_never_ends_is_told(monkeypatch):
    monkeypatch.setattr(daemons, "SERVICE_WAIT", 0.0)
    shutdown = SupervisorFault(SHUTDOWN_STATE, "SHUTDOWN_STATE")
    with pytest.raises(ProgramError, match="has been shutting down or restarting for 0 s"):
        daemon([], getState=[shutdown] * 3).connect()


def test_a_starting_program_is_looked_at_until_it_is_known_whether_it_runs():
    found = daemon([info("a", "STARTING")], [info("a", "BACKOFF")])
    assert found.settled({"a"}, {})["a"][0]["statename"] == "BACKOFF"
    # Others are not waited for.
    assert daemon([info("b", "STARTING")]).settled({"a"}, {})["b"][0]["statename"] == "STARTING"


@pytest.mark.parametrize(
    ("message", "others", "culprit"),
    [
        ("CANT_REREAD: /conf.d/other.conf: bad", OtherFiles({"/conf.d/other.conf": {}}, {}), "/conf.d/other.conf"),
        ("CANT_REREAD: bad", OtherFiles({}, {"/conf.d/broken.conf": "cannot be read"}), "/conf.d/broken.conf"),
        ("CANT_REREAD: [program:x] bad", OtherFiles({"/conf.d/x.conf": {"program:x": {}}}, {}), "/conf.d/x.conf"),
    ],
)
def test_a_fault_in_another_file_is_named(message, others, culprit):
    with pytest.raises(ProgramError, match=f"the fault is in {culprit}, which is not managed here"):
        daemon([], reloadConfig=[SupervisorFault(CANT_REREAD, message)]).reload("/conf.d/app.conf", others)


def test_a_fault_in_the_own_file_is_told_apart():
    assert daemon([], reloadConfig=[({"a"}, set())]).reload("/conf.d/app.conf", NONE) == Reload({"a"}, set())
    fault = SupervisorFault(CANT_REREAD, "CANT_REREAD: bad value")
    with pytest.raises(NotAcceptedError, match="bad value"):
        daemon([], reloadConfig=[fault]).reload("/conf.d/app.conf", NONE)
    with pytest.raises(SupervisorFault):
        daemon([], reloadConfig=[SupervisorFault(1, "UNKNOWN_METHOD")]).reload("/conf.d/app.conf", NONE)


def action(group, steps, after=()):
    return Action(group, *(step in steps for step in ("stop", "remove", "add", "start")), after)


def test_a_group_is_added_when_it_and_what_it_waits_for_are_gone(tmp_path):
    log = tmp_path / "log"
    log.write_text("killing 'old' (7) with SIGKILL\n")
    running = [info("old", "RUNNING", pid=7), info("p", "RUNNING", pid=8)]
    stopping = [info("old", "STOPPING", pid=7), info("p", "STOPPED")]
    found = daemon(running, stopping, [info("old", "STOPPED")], log=str(log))
    found.supervisor.remove = lambda group: (
        found.supervisor.told.append(f"remove {group}") or len(found.supervisor.answers) < 2 or group == "p"
    )
    actions = [
        action("old", "stop remove".split()),
        action("new", "add start".split(), after=("old",)),
        action("p", "stop remove add start".split()),
        action("odd", ["start"]),
    ]
    found.apply(actions, 5)
    told = found.supervisor.told
    assert told[0] == "start odd"
    assert told.index("add p") < told.index("add new")
    assert told[-2:] == ["add new", "start new"]
    assert (found.killed, found.spawn_faults) == (["old"], {"odd": "spawn error"})


def test_what_does_not_even_die_is_told(monkeypatch):
    monkeypatch.setattr(daemons, "KILL_WAIT", 0.0)
    with pytest.raises(ProgramError, match="a did not end, not even 0 s after SIGKILL: is a disk hanging"):
        daemon([info("a", "STOPPING", pid=7)]).apply([action("a", ["stop", "remove"])], 0)


def service(answers, monkeypatch, found):
    monkeypatch.setattr(daemons, "find_program", lambda _name: "/bin/systemctl")
    calls = []

    def run_command(argv, timeout):
        assert 0 < timeout <= 150
        calls.append(" ".join(argv[1:3]))
        return answers.get(calls[-1], (0, "", ""))

    found.start_service(run_command)
    return calls


LOADED = (0, "LoadState=loaded\nExecStart={ argv[]=supervisord -c /supervisord.conf }\n", "")


def test_the_unit_that_runs_this_configuration_is_started(monkeypatch):
    answers = {"show supervisord.service": LOADED}
    calls = service(answers, monkeypatch, daemon([], getState=[SupervisorDown("not yet"), {}]))
    assert calls == ["show supervisor.service", "show supervisord.service", "start supervisord.service"]


def test_a_unit_that_does_not_start_is_told_in_its_words(monkeypatch):
    answers = {"show supervisor.service": LOADED, "start supervisor.service": (1, "", "no such file\n")}
    with pytest.raises(ProgramError, match="did not come up with supervisor.service: no such file"):
        service(answers, monkeypatch, daemon([]))
    with pytest.raises(ProgramError, match="no systemd unit runs it with /supervisord.conf: start it first"):
        service({}, monkeypatch, daemon([]))


def test_a_systemd_that_does_not_answer_is_told(monkeypatch):
    monkeypatch.setattr(daemons, "find_program", lambda _name: "/bin/systemctl")

    def run_command(argv, _timeout):
        raise CommandTimeoutError(f"{argv[1]} did not end")

    with pytest.raises(ProgramError, match="is not running, and cannot be started: show did not end"):
        daemon([]).start_service(run_command)
