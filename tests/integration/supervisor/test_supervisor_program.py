# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""supervisor_program against real supervisords."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from datetime import datetime, timedelta

import pytest
from ansible.module_utils import basic
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor import daemon, rpc, run

from .conftest import until

# Not at once: an end that supervisord sees while it still answers the call to start is a SPAWN_ERROR, which has no exit
# status.
NEVER_UP = "echo one; echo last words; sleep 0.2; exit 3"
IGNORES_TERM = "trap '' TERM; while :; do sleep 0.1; done"

TUTORIAL = """\
[group:app]
programs=a,b
[program:a]
command=/bin/sh -c 'while :; do sleep 0.1; done'
startsecs=0
[program:b]
command=/bin/sh -c 'while :; do sleep 0.1; done'
startsecs=0
"""


def summary(result):
    return {program["name"]: program["state"] for program in result["programs"]}


def predicted(result):
    """What check mode must foretell."""
    return result["changed"], result["diff"], result["restart_required"], result["reasons"]


def standing(host):
    """What check mode must leave as it is: the file, and the processes that do not come and go by themselves."""
    path = host.conf_d / "app.conf"
    pids = {name: info["pid"] for name, info in host.processes().items() if info["statename"] == "RUNNING"}
    return pids, path.read_text() if path.exists() else None


def apply_checked(host, *args, **arguments):
    """Check mode, the real run, a second run: the first foretells the second, and the third has nothing to do."""
    before = standing(host)
    check = host.apply(*args, check=True, **arguments)
    assert standing(host) == before
    result = host.apply(*args, **arguments)
    assert not result.get("failed"), result["msg"]
    assert predicted(check) == predicted(result)
    if arguments.get("state") != "restarted":
        again = host.apply(*args, **arguments)
        assert not again["changed"]
        assert again["diff"] == []
        assert again["restart_required"] == result["restart_required"]
    return result


def test_new_programs_start_and_a_second_run_does_nothing(host):
    result = apply_checked(host, [host.program("a", startsecs=1), host.program("b", startsecs=1)])
    assert result["changed"]
    assert summary(result) == {"a": "RUNNING", "b": "RUNNING"}
    assert {program["pid"] for program in result["programs"]} == set(host.pids().values())
    assert all(program["uptime_s"] >= 1 and not program["restart_required"] for program in result["programs"])
    assert stat.S_IMODE((host.conf_d / "app.conf").stat().st_mode) == 0o640


def test_a_changed_program_restarts_alone(host):
    host.apply([host.program("a"), host.program("b")])
    before = host.pids()
    apply_checked(host, [host.program("a"), host.program("b", environment={"X": "1"})])
    assert host.pids()["a"] == before["a"]
    assert host.pids()["b"] != before["b"]
    assert b"X=1" in host.environment("b")


def test_nothing_stops_that_the_others_cannot_do_without(host):
    host.apply([host.program("a")])
    before, text = host.pids(), host.text()
    # A server that does not answer says of no other that it can be spared.
    nats_stop = {"url": "http://127.0.0.1:1", "peers": {}}
    again = host.apply([host.program("a"), host.program("b")], nats_stop=nats_stop)
    assert again["changed"] and host.pids()["a"] == before["a"], "what stops nothing is not asked"
    host.apply([host.program("a")])
    for programs, state in (([host.program("a", environment={"X": "1"})], "started"), (None, "stopped")):
        result = host.apply(programs, state=state, nats_stop=nats_stop)
        assert result["failed"] and not result["changed"]
        assert "nothing was changed, because nats-server does not answer" in result["msg"]
        assert result["refused"] and (host.pids(), host.text()) == (before, text)


def test_a_removed_program_stops_and_goes(host):
    host.apply([host.program("a"), host.program("b")])
    before = host.pids()
    apply_checked(host, [host.program("a")])
    assert host.pids() == {"a": before["a"]}
    assert not os.path.exists(f"/proc/{before['b']}")
    assert "program:b" not in host.text()
    assert "Still to be" not in host.text()


def in_state(host, state):
    """Bring program b into *state*, beside a running a. Gives the definition of b."""
    scripts = {"exited": "sleep 0.5", "backing off": NEVER_UP, "fatal": NEVER_UP}
    extra = {
        "exited": {"autorestart": False},
        "fatal": {"startretries": 0, "startsecs": 1},
        "backing off": {"startsecs": 1},
    }
    b = host.program("b", scripts.get(state, "while :; do sleep 0.1; done"), **extra.get(state, {}))
    host.apply([host.program("a"), b])
    if state == "stopped":
        host.rpc.stop("b")
    expected = {
        "running": "RUNNING",
        "stopped": "STOPPED",
        "exited": "EXITED",
        "backing off": "BACKOFF",
        "fatal": "FATAL",
    }[state]

    def there():
        return host.processes()["b"]["statename"] == expected

    until(there)
    if state == "backing off":
        # Every failure adds a second to the time until supervisord tries again: enough that nothing changes by itself
        # while it is looked at.
        for _failure in range(8):
            host.rpc.stop("b")
            host.rpc.start("b")
            until(there)
    return b


STATES = ["running", "stopped", "exited", "backing off", "fatal"]


@pytest.mark.parametrize("restart", ["now", "never"])
@pytest.mark.parametrize("state", STATES)
def test_a_changed_definition_meets_every_state(host, state, restart):
    in_state(host, state)
    before = host.pids()
    result = apply_checked(host, [host.program("a"), host.program("b", environment={"NEW": "1"})], restart=restart)
    after = host.pids()
    assert after["a"] == before["a"]
    assert host.processes()["b"]["statename"] == "RUNNING"
    if state == "running" and restart == "never":
        assert after["b"] == before["b"]
        assert result["restart_required"]
        assert result["reasons"] == ["b runs an older definition than its file (environment)"]
        assert [program["restart_required"] for program in result["programs"]] == [False, True]
    else:
        assert after["b"] != before["b"]
        assert not result["restart_required"]


@pytest.mark.parametrize("state", STATES)
def test_a_removed_program_meets_every_state(host, state):
    in_state(host, state)
    before = host.pids()
    result = apply_checked(host, [host.program("a")], restart="never")
    assert host.pids()["a"] == before["a"]
    if state == "running":
        assert result["reasons"] == ["b runs but is no longer wanted"]
        assert host.pids()["b"] == before["b"]
        # the file as it stands is enough to finish the work
        assert not apply_checked(host)["restart_required"]
    assert "b" not in host.pids()
    assert "Still to be" not in host.text()


@pytest.mark.parametrize("state", STATES)
def test_a_new_program_starts_and_an_unchanged_one_is_started_only_where_it_does_not_run(host, state):
    wanted = [host.program("a"), in_state(host, state), host.program("new")]
    before = host.pids()
    check = host.apply(wanted, restart="never", check=True)
    assert host.pids()["a"] == before["a"]
    result = host.apply(wanted, restart="never")
    assert predicted(check) == predicted(result)
    assert host.pids()["a"] == before["a"]
    assert summary(result)["new"] == "RUNNING"
    if state in ("backing off", "fatal"):
        # it is tried once more, and that is the truth about it
        assert [(failed["name"], failed["exit_status"]) for failed in result["failed_programs"]] == [
            ("b", "exit status 3")
        ]
    else:
        assert summary(result)["b"] == "RUNNING"
        assert (result["programs"][1]["pid"] == before["b"]) == (state == "running")


def test_pending_changes_are_seen_by_a_later_run_and_applied(host):
    """What an interrupted run wrote and did not apply."""
    host.apply([host.program("a"), host.program("b")])
    before = host.pids()
    wanted = [host.program("a"), host.program("b", environment={"X": "1"})]
    host.apply(wanted, restart="never")
    again = host.apply(wanted, restart="never")
    assert not again["changed"]
    assert again["reasons"] == ["b runs an older definition than its file (environment)"]
    assert host.pids() == before
    apply_checked(host)
    assert host.pids()["a"] == before["a"]
    assert host.pids()["b"] != before["b"]


@pytest.mark.parametrize("restart", ["now", "never"])
def test_going_back_before_anything_was_applied_restarts_nothing(host, restart):
    old, new = [host.program("a")], [host.program("a", environment={"X": "1"})]
    host.apply(old)
    before = host.pids()
    host.apply(new, restart="never")
    result = apply_checked(host, old, restart=restart)
    assert result["changed"]
    assert not result["restart_required"]
    assert [diff["after_header"] for diff in result["diff"]] == [f"{host.conf_d}/app.conf"]
    assert host.pids() == before


def test_a_program_that_was_to_go_and_is_wanted_again_keeps_running(host):
    both = [host.program("a"), host.program("b")]
    host.apply(both)
    before = host.pids()
    assert host.apply(both[:1], restart="never")["restart_required"]
    result = apply_checked(host, both)
    assert not result["restart_required"]
    assert host.pids() == before


def test_what_was_applied_in_part_is_foretold_program_by_program(host):
    def programs(value):
        return [host.program("a", environment={"X": value}), host.program("b", environment={"X": value})]

    host.apply(programs("A"))
    host.apply(programs("B"), restart="never")
    replace(host, "a")
    before = host.pids()
    result = apply_checked(host, programs("A"), restart="never")
    assert result["reasons"] == ["a runs an older definition than its file (environment)"]
    apply_checked(host, programs("A"))
    assert host.pids()["b"] == before["b"]
    assert host.pids()["a"] != before["a"]


def replace(host, name):
    """Give one program its pending definition, as far as an interrupted run has come."""
    host.rpc.stop(name)
    while not host.rpc.remove(name):
        time.sleep(0.05)
    host.rpc.add(name)
    host.rpc.start(name)


def went_back(host, before=None):
    """Go back, foretold by check mode. What ran in *before*, ``{name: pid}``, must still run."""
    check = host.apply(state="reverted", check=True)
    result = host.apply(state="reverted")
    assert not result.get("failed"), result["msg"]
    assert predicted(check) == predicted(result)
    assert check["previous"] is result["previous"] is None
    pids = host.pids()
    assert {name: pids[name] for name in before or {}} == (before or {})
    assert kept(host) is None
    return result


def kept(host):
    path = host.conf_d / ".app.conf.previous"
    return path.read_text() if path.exists() else None


def test_a_definition_that_crashes_is_put_back(host):
    old = [host.program("a", environment={"V": "1"}, startsecs=1)]
    assert host.apply(old)["previous"] is None
    text = host.text()
    new = [host.program("a", NEVER_UP, environment={"V": "2"}, startsecs=1)]
    result = host.apply(new, restart="never")
    assert (result["previous"], kept(host)) == (f"{host.conf_d}/.app.conf.previous", text)
    result = host.apply()
    assert result["failed_programs"][0]["exit_status"] == "exit status 3"
    assert (result["previous"], kept(host)) == (f"{host.conf_d}/.app.conf.previous", text)
    assert summary(went_back(host)) == {"a": "RUNNING"}
    assert host.text() == text
    assert b"V=1" in host.environment("a")
    # what is wanted differs again, and to go back twice would mean to go on
    assert "nothing to go back to" in host.apply(state="reverted")["msg"]
    result = host.apply(new, restart="never", check=True)
    assert (result["changed"], result["restart_required"]) == (True, True)
    result = host.apply(new, restart="never")
    assert result["changed"]
    assert result["reasons"] == ["a runs an older definition than its file (command, environment)"]
    assert result["previous"]


def test_going_back_touches_only_what_was_changed(host):
    host.apply([host.program("a"), host.program("b"), host.program("gone")])
    before = host.pids()
    wanted = [host.program("a"), host.program("b", environment={"X": "1"}), host.program("new")]
    host.apply(wanted)
    after = host.pids()
    assert after["a"] == before["a"]
    went_back(host, {"a": before["a"]})
    assert set(host.pids()) == {"a", "b", "gone"}
    assert host.pids()["b"] not in (before["b"], after["b"])
    result = apply_checked(host, wanted, restart="never")
    assert result["reasons"] == [
        "gone runs but is no longer wanted",
        "b runs an older definition than its file (environment)",
    ]


def test_what_ran_is_kept_over_interrupted_runs(host):
    def programs(value):
        return [host.program("a", environment={"X": value}), host.program("b", environment={"X": value})]

    host.apply(programs("A"))
    before, text = host.pids(), host.text()
    for value in "BCC":
        result = host.apply(programs(value), restart="never")
        assert result["reasons"] == [f"{name} runs an older definition than its file (environment)" for name in "ab"]
        assert kept(host) == text
    went_back(host, before)
    assert host.text() == text
    # one of the two has got the new definition
    host.apply(programs("B"), restart="never")
    replace(host, "a")
    before = host.pids()
    host.apply(programs("C"), restart="never")
    went_back(host, before)
    assert 'X="A"' in host.text() and 'X="B"' in host.text() and 'X="C"' not in host.text()


def test_going_back_is_finished_by_the_next_run_when_it_is_cut_off(host):
    host.apply([host.program("a")])
    text = host.text()
    # Still stopping when the way back is foretold, and when it is gone.
    host.apply([host.program("a", IGNORES_TERM, stopwaitsecs=6), host.program("new", IGNORES_TERM, stopwaitsecs=6)])
    host.wait_until_deaf("a", "new")
    run = host.popen(name="app", state="reverted")
    host.wait_until_stopping("a")
    run.kill()
    run.wait()
    assert kept(host) == text
    # what a run with another wish would keep is still what ran well
    check = host.apply([host.program("a", environment={"X": "1"})], check=True)
    assert check["previous"]
    assert check["diff"][0]["before"].startswith(text)
    assert summary(went_back(host)) == {"a": "RUNNING"}
    assert host.text() == text
    assert set(host.pids()) == {"a"}


def test_what_never_came_up_is_not_gone_back_to(host):
    host.apply([host.program("a", environment={"V": "1"})])
    text = host.text()
    host.apply([host.program("a", NEVER_UP, startsecs=1)])
    host.apply([host.program("a", NEVER_UP, startsecs=1, environment={"V": "3"})], restart="never")
    went_back(host)
    assert host.text() == text


def test_a_hold_is_not_what_ran(host):
    host.apply([host.program("a")])
    text = host.text()
    new = [host.program("a", NEVER_UP, startsecs=1)]
    host.apply(new, state="stopped")
    assert host.apply(new)["failed"]
    assert summary(went_back(host)) == {"a": "RUNNING"}
    assert host.text() == text


def test_a_file_of_the_tutorial_is_put_back(host):
    (host.conf_d / "app.conf").write_text(TUTORIAL)
    host.apply()
    text = host.text()
    host.apply([host.program("a"), host.program("b")])
    went_back(host)
    assert host.text() == text
    assert {info["group"] for info in host.processes().values()} == {"app"}


def test_what_is_kept_has_the_mode_of_the_file_and_goes_with_it(host):
    host.apply([host.program("a", environment={"API_TOKEN": "sesame-open-1"})])
    (host.conf_d / "app.conf").chmod(0o600)
    for value in "12":
        host.apply([host.program("a", environment={"X": value})])
        assert stat.S_IMODE((host.conf_d / ".app.conf.previous").stat().st_mode) == 0o600
        assert stat.S_IMODE((host.conf_d / "app.conf").stat().st_mode) == 0o600
    apply_checked(host, state="absent")
    assert list(host.conf_d.iterdir()) == []


def test_a_file_that_all_could_read_is_closed_to_them_when_it_is_written(host):
    host.apply([host.program("a")])
    (host.conf_d / "app.conf").chmod(0o644)
    host.apply([host.program("a", environment={"API_TOKEN": "sesame-open-1"})])
    for name in ("app.conf", ".app.conf.previous"):
        assert stat.S_IMODE((host.conf_d / name).stat().st_mode) == 0o640


def test_there_is_nothing_to_go_back_to(host):
    message = f"nothing to go back to: no definition is kept that ran before the one of {host.conf_d}/app.conf"
    for check in (True, False):
        assert host.apply(state="reverted", check=check)["msg"] == message
    host.apply([host.program("a")])
    assert host.apply(state="reverted")["msg"] == message
    # what runs is not known after a change by hand
    (host.conf_d / "app.conf").write_text(host.text() + "priority=5\n")
    result = host.apply([host.program("a", environment={"X": "1"})], restart="never")
    assert (result["previous"], result["restart_required"]) == (None, True)
    assert host.apply(state="reverted")["msg"] == message
    result = host.apply([host.program("a")], state="reverted")
    assert result["msg"] == "state=reverted takes no programs: it goes back to what ran before"


def test_a_run_killed_while_a_program_stops_is_finished_by_the_next(host):
    host.apply([host.program("a"), host.program("b", IGNORES_TERM, stopwaitsecs=5)])
    host.wait_until_deaf("b")
    before = host.pids()
    run = host.popen(name="app", programs=[host.program("a")])
    host.wait_until_stopping("b")
    run.kill()
    run.wait()
    assert host.pids()["b"] == before["b"]
    result = host.apply([host.program("a")])
    assert host.pids() == {"a": before["a"]}
    assert "Still to be" not in host.text()
    assert result["killed"] == ["b"]


def test_restarted_restarts_every_program(host):
    host.apply([host.program("a"), host.program("b")])
    before = host.pids()
    result = apply_checked(host, state="restarted")
    assert result["changed"]
    assert all(host.pids()[name] != before[name] for name in before)


def test_one_program_of_a_file_is_restarted_stopped_and_started_alone(host):
    host.apply([host.program("a"), host.program("b")])
    before = host.pids()
    apply_checked(host, only=["b", "elsewhere"], state="restarted")
    assert host.pids()["a"] == before["a"] and host.pids()["b"] != before["b"]
    result = apply_checked(host, only=["b"], state="stopped")
    assert summary(result) == {"a": "RUNNING", "b": "STOPPED"}
    # Only of this program it is kept over a restart of supervisord.
    assert (host.conf_d / "app.conf").read_text().count("autostart=false") == 1
    apply_checked(host, only=["b"], state="started")
    assert host.pids()["a"] == before["a"]
    assert "only needs programs to be left out" in host.apply([host.program("a")], only=["a"])["msg"]


def test_a_pending_change_of_another_program_is_left_alone(host):
    host.apply([host.program("a"), host.program("b")])
    before = host.pids()
    host.apply([host.program("a", environment={"X": "1"}), host.program("b")], restart="never")
    host.apply(only=["b"], state="restarted")
    assert host.pids()["a"] == before["a"]
    assert host.apply([host.program("a", environment={"X": "1"}), host.program("b")], restart="never")[
        "restart_required"
    ]


def test_a_hold_survives_a_restart_of_supervisord_and_is_released(host):
    programs = [host.program("a"), host.program("b")]
    host.apply(programs)
    result = apply_checked(host, programs, state="stopped")
    assert summary(result) == {"a": "STOPPED", "b": "STOPPED"}
    assert host.text().count("autostart=false") == 2
    host.process.terminate()
    host.process.wait()
    host.start()
    time.sleep(0.5)
    assert {info["statename"] for info in host.processes().values()} == {"STOPPED"}
    apply_checked(host)
    assert {info["statename"] for info in host.processes().values()} == {"RUNNING"}
    assert "autostart=false" not in host.text()


def test_one_program_is_kept_stopped_until_its_definition_says_otherwise(host):
    def programs(autostart):
        return [host.program("a"), host.program("b", autostart=autostart)]

    apply_checked(host, programs(True))
    pid = host.pids()["a"]
    left = apply_checked(host, programs(False), restart="never")
    assert left["reasons"] == ["b runs but should not"]
    assert summary(apply_checked(host)) == {"a": "RUNNING", "b": "STOPPED"}
    assert not apply_checked(host, state="started")["changed"]
    apply_checked(host, state="stopped")
    assert summary(apply_checked(host)) == {"a": "RUNNING", "b": "STOPPED"}
    assert host.pids()["a"] != pid
    pid = host.pids()["a"]
    assert summary(apply_checked(host, programs(True), restart="never")) == {"a": "RUNNING", "b": "RUNNING"}
    assert host.pids()["a"] == pid


def test_a_hold_without_programs_keeps_their_definitions(host):
    host.apply([host.program("a", environment={"X": "1"})])
    text = host.text()
    apply_checked(host, state="stopped")
    assert host.text() == text.replace("autostart=true", "autostart=false")
    apply_checked(host, state="started")
    assert host.text() == text


def test_a_hold_while_backing_off(host):
    in_state(host, "backing off")
    result = apply_checked(host, state="stopped")
    assert summary(result) == {"a": "STOPPED", "b": "STOPPED"}


def test_absent_removes_programs_and_file(host):
    host.apply([host.program("a"), host.program("b")])
    host.apply([host.program("other")], name="other")
    other = host.pids()["other"]
    apply_checked(host, state="absent")
    assert host.pids() == {"other": other}
    assert not (host.conf_d / "app.conf").exists()


@pytest.mark.parametrize("restart", ["now", "never"])
def test_a_group_of_the_tutorial_is_converted(host, restart):
    (host.conf_d / "app.conf").write_text(TUTORIAL)
    host.rpc.reload()
    host.rpc.add("app")
    host.rpc.start("app")
    host.wait_until_running("a", "b")
    before = host.pids()
    programs = [host.program("a"), host.program("b")]
    result = apply_checked(host, programs, restart=restart)
    if restart == "never":
        # nothing runs twice, nothing was touched, and the whole conversion is pending
        assert host.pids() == before
        assert {info["group"] for info in host.processes().values()} == {"app"}
        assert result["reasons"] == [
            "app runs but is no longer wanted",
            "a still runs inside the group app",
            "b still runs inside the group app",
        ]
        apply_checked(host)
    infos = host.processes()
    assert {name: info["group"] for name, info in infos.items()} == {"a": "a", "b": "b"}
    assert all(infos[name]["pid"] != before[name] and not os.path.exists(f"/proc/{before[name]}") for name in before)
    assert "group:" not in host.text()


def test_a_file_with_a_group_can_be_acted_on_as_it_stands(host):
    (host.conf_d / "app.conf").write_text(TUTORIAL)
    result = apply_checked(host)
    assert summary(result) == {"app:a": "RUNNING", "app:b": "RUNNING"}
    before = host.pids()
    apply_checked(host, state="restarted")
    assert all(host.pids()[name] != before[name] for name in before)
    apply_checked(host, state="stopped")
    apply_checked(host, state="absent")
    assert host.pids() == {}


def test_other_peoples_programs_and_pending_changes_are_not_touched(host):
    foreign = host.conf_d / "foreign.conf"
    foreign.write_text("[program:foreign]\ncommand=/bin/sleep 1000\nstartsecs=0\n")
    host.rpc.reload()
    host.rpc.add("foreign")
    host.wait_until_running("foreign")
    before = host.pids()["foreign"]
    foreign.write_text(
        "[program:foreign]\ncommand=/bin/sleep 2000\nstartsecs=0\n[program:new]\ncommand=/bin/sleep 1000\n"
    )
    apply_checked(host, [host.program("a")])
    apply_checked(host, state="restarted")
    apply_checked(host, state="absent")
    assert host.pids() == {"foreign": before}


def test_a_crash_is_told_with_status_and_last_lines(host):
    host.apply([host.program("a")])
    before = host.pids()
    script = "for i in $(seq 30); do echo line $i; done; echo token is sesame-open-1; exit 3"
    begin = time.monotonic()
    result = host.apply(
        [host.program("a"), host.program("b", script, environment={"API_TOKEN": "sesame-open-1"}, startsecs=1)]
    )
    assert time.monotonic() - begin < 1 + 5
    assert result["failed"]
    assert re.search(
        r"b on \S+ did not stay up: exit status 3 \(supervisord says BACKOFF\)\. The last lines of \S+/b\.log:\n",
        result["msg"],
    )
    failed = result["failed_programs"][0]
    assert (failed["name"], failed["exit_status"], failed["log"]) == ("b", "exit status 3", str(host.folder / "b.log"))
    assert failed["log_tail"][0] == "line 12"
    assert len(failed["log_tail"]) == 20
    assert "sesame" not in str(result)
    assert host.pids()["a"] == before["a"]
    assert summary(result) == {"a": "RUNNING", "b": "BACKOFF"}


MARKS = [f"s3cr3t-mark-{number}" for number in range(5)]


def secretive(host, marks=MARKS, **more):
    """A program with a secret in every place that can have one."""
    script = 'for text in "$DB_PWD" "$ANYTHING" "$2" "$3"; do echo "$text"; done; exit 3'
    program = host.program(
        "a", script, startsecs=1, environment={"DB_PWD": marks[0], "ANYTHING": marks[1], "RUST_LOG": "info"}
    )
    program["command"] += ["x", "--node-key", marks[2], f"wss://u:{marks[3]}@h/?token={marks[4]}"]
    return dict(program, **more)


@pytest.fixture
def syslog(host, monkeypatch):
    """What modules write to the log of the host."""
    path = host.folder / "syslog"
    path.write_text("")

    def write(_priority, message):
        with open(path, "a") as file:
            file.write(message + "\n")

    monkeypatch.setattr(basic, "has_journal", False)
    monkeypatch.setattr(basic.syslog, "syslog", write)
    return path


def test_no_secret_of_a_program_is_shown_or_logged(host, syslog):
    host.run("supervisor_program_info", programs=["a"])
    assert "Invoked with" in syslog.read_text()  # of a module that has nothing to hide
    new = [mark.replace("mark", "other") for mark in MARKS]
    # Each has a log of its own: what an older definition wrote there is not known to be a secret any more.
    logs = [{"path": f"{host.folder}/{number}.log", "max_bytes": "1MB", "backups": 1} for number in range(3)]
    results = [
        host.apply([secretive(host, log=logs[0])], check=True),
        host.apply([secretive(host, log=logs[0])]),
        host.apply([secretive(host, marks=new, log=logs[1])], restart="never"),
        host.apply([secretive(host, command=["/bin/true"], log=logs[2])], restart="never"),
        host.apply(state="stopped"),
    ]
    assert results[1]["failed_programs"][0]["log_tail"][:3] == ["VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"] * 3
    for result in results:
        assert "s3cr3t" not in str(result)
    arguments = results[0]["invocation"]["module_args"]["programs"][0]
    assert arguments["environment"] == {"DB_PWD": "********", "ANYTHING": "********", "RUST_LOG": "info"}
    assert arguments["command"][-3:] == ["--node-key", "********", "wss://********@h/?********"]
    assert 'DB_PWD="******** (changed)"' in results[2]["diff"][0]["after"]
    assert 'RUST_LOG="info"' in results[2]["diff"][0]["after"]
    assert "s3cr3t" not in syslog.read_text()


@pytest.mark.parametrize(
    "change",
    [
        {"environment": {"DB_PWD": f"{MARKS[0]} ;x"}},
        {"environment": {"DB_PWD": [MARKS[0]]}},
        {"environment": MARKS[0]},
        {"environment": f"DB_PWD={MARKS[0]}"},
        {"startsecs": MARKS[0]},
        {"stopsignal": MARKS[0]},
        {"unknown": MARKS[0]},
        {"command": [MARKS[0] + "\n"]},
        {"log": MARKS[0]},
    ],
)
def test_arguments_that_are_refused_are_neither_shown_nor_logged(host, syslog, change):
    program = secretive(host, **change)
    result = host.apply([program])
    assert result["failed"]
    for mark in MARKS[1:] if "environment" not in change else MARKS:
        assert mark not in str(result)
    if "environment" in change:
        assert MARKS[0] not in str(result)
    assert "s3cr3t" not in syslog.read_text()
    result = host.apply(MARKS[0])
    assert result["failed"] and "s3cr3t" not in str(result) + syslog.read_text()


def test_a_missing_supervisor_shows_no_secret(host, syslog):
    result = host.apply([secretive(host)], config="/not/here.conf")
    assert result["failed"] and "s3cr3t" not in str(result) + syslog.read_text()


def test_a_program_killed_by_a_signal_is_told_so(host):
    result = host.apply([host.program("a", "kill -SEGV $$", startsecs=1)])
    assert result["failed_programs"][0]["exit_status"].startswith("terminated by SIGSEGV")


def test_a_crash_loop_is_told_again_by_the_next_run(host):
    host.apply([host.program("a", NEVER_UP, startsecs=1)])
    result = host.apply([host.program("a", NEVER_UP, startsecs=1)], restart="never")
    assert result["failed"]
    assert result["failed_programs"][0]["exit_status"] == "exit status 3"
    # and the cure is applied though nothing may be restarted
    assert summary(host.apply([host.program("a")], restart="never")) == {"a": "RUNNING"}


def test_a_program_that_dies_while_another_still_starts_is_seen(host):
    result = host.apply([host.program("fast", "sleep 1.5", startsecs=1), host.program("slow", startsecs=3)])
    assert result["failed"] is True or summary(result)["slow"] == "RUNNING"
    assert [failed["name"] for failed in result["failed_programs"]] == ["fast"]


def test_a_stop_that_takes_too_long_ends_in_a_kill_and_is_no_failure(host):
    host.apply([host.program("a", IGNORES_TERM, stopwaitsecs=3), host.program("b", IGNORES_TERM, stopwaitsecs=3)])
    host.wait_until_deaf("a", "b")
    # a process of its own: where Ansible's controller has been imported, a module shows its warnings instead of
    # returning them
    result = json.loads(host.popen(name="app", state="restarted").communicate()[0])
    assert not result.get("failed"), result
    assert sorted(result["killed"]) == ["a", "b"]
    assert len(result["warnings"]) == 2
    assert "a did not end within its stopwaitsecs and was killed" in str(result["warnings"])
    # Both waited at the same time: of two stops one after the other, the second would end in its kill no sooner than
    # its stopwaitsecs after the first.
    kills = re.findall(r"^(.{23}) \w+ killing '([ab])' .* with SIGKILL", host.log.read_text(), re.MULTILINE)
    assert sorted(name for _moment, name in kills) == ["a", "b"]
    first, second = (datetime.strptime(moment, "%Y-%m-%d %H:%M:%S,%f") for moment, _name in kills)
    assert second - first < timedelta(seconds=3)


def members(group):
    """The processes of a process group that are more than zombies."""
    lines = subprocess.run(
        ["ps", "-eo", "pgid=,stat=,args="], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.splitlines()
    return [line for line in lines if line.split()[0] == str(group) and not line.split()[1].startswith("Z")]


def test_the_kill_reaches_the_children(host):
    script = "trap '' TERM; (trap '' TERM; while :; do sleep 0.1; done) & while :; do sleep 0.1; done"
    host.apply([host.program("a", script, stopwaitsecs=1)])
    group = host.pids()["a"]
    until(lambda: len(members(group)) >= 2)
    host.apply(state="absent")
    # What is killed is not gone at once.
    until(lambda: members(group) == [])


def test_a_slow_stop_holds_up_no_other_program(host):
    host.apply([host.program("slow", IGNORES_TERM, stopwaitsecs=300), host.program("fast")])
    host.wait_until_deaf("slow")
    before = host.pids()
    run = host.popen(
        name="app",
        programs=[host.program("slow", environment={"X": "1"}), host.program("fast", environment={"X": "1"})],
    )
    until(lambda: host.pids().get("fast", 0) not in (0, before["fast"]))
    assert host.processes()["slow"]["statename"] == "STOPPING"
    assert host.pids()["slow"] == before["slow"]
    os.killpg(before["slow"], signal.SIGKILL)
    assert summary(json.loads(run.communicate()[0])) == {"slow": "RUNNING", "fast": "RUNNING"}


def test_a_program_killed_from_outside_comes_back_and_the_next_run_waits_for_it(host):
    host.apply([host.program("a", startsecs=1)])
    before = host.pids()["a"]
    os.kill(before, signal.SIGKILL)
    until(lambda: host.pids()["a"] not in (0, before))
    result = host.apply([host.program("a", startsecs=1)])
    assert not result["changed"]
    assert summary(result) == {"a": "RUNNING"}


def test_no_write_and_no_call_that_changes_anything_when_nothing_changed(host):
    programs = [host.program("a"), host.program("b")]
    host.apply(programs)
    stamp = (host.conf_d / "app.conf").stat()
    folder = host.conf_d.stat().st_mtime_ns
    log = host.log.read_text()
    calls = host.count_calls()
    result = host.apply(programs, config=str(calls.config))
    assert not result["changed"], result
    assert set(calls.methods) == {"supervisor.getState", "supervisor.getAllProcessInfo", "supervisor.reloadConfig"}
    assert len(calls.methods) <= 4
    assert (host.conf_d / "app.conf").stat() == stamp
    assert host.conf_d.stat().st_mtime_ns == folder
    assert host.log.read_text() == log


def test_two_runs_at_the_same_time_do_not_meet(host):
    runs = [host.popen(name="app", programs=[host.program("a", environment={"N": str(number)})]) for number in range(3)]
    results = [run.communicate()[0] for run in runs]
    assert all('"failed": true' not in result for result in results), results
    assert summary(host.apply()) == {"a": "RUNNING"}
    number = re.search(r'N="(\d)"', host.text()).group(1)
    assert f"N={number}".encode() in host.environment("a")


def test_a_broken_foreign_file_is_named_and_nothing_is_changed(host):
    host.apply([host.program("a")])
    text, before = host.text(), host.pids()
    (host.conf_d / "foreign.conf").write_text("[program:foreign]\nuser=root\n")
    result = host.apply([host.program("a", environment={"X": "1"})])
    assert result["failed"]
    assert f"the fault is in {host.conf_d}/foreign.conf, which is not managed here" in result["msg"]
    assert (host.text(), host.pids()) == (text, before)
    (host.conf_d / "foreign.conf").write_text("no section\n")
    assert f"{host.conf_d}/foreign.conf" in host.apply()["msg"]
    (host.conf_d / "foreign.conf").write_text("[group:x]\nprograms=nope\n")
    assert f"{host.conf_d}/foreign.conf" in host.apply()["msg"]


def test_our_own_broken_file_is_mended(host):
    host.apply([host.program("a")])
    before = host.pids()
    good = host.text()
    for bad in ("no section\n", good.replace("startsecs=0", "startsecs=soon")):
        (host.conf_d / "app.conf").write_text(bad)
        result = host.apply([host.program("a")])
        assert not result.get("failed"), result
        assert result["changed"]
        assert host.text() == good
        assert host.pids() == before


def test_our_own_broken_file_as_it_stands_is_an_error(host):
    host.apply([host.program("a")])
    before = host.pids()
    (host.conf_d / "app.conf").write_text(host.text().replace("startsecs=0", "startsecs=soon"))
    for check in (True, False):
        assert host.apply(check=check)["msg"].startswith(f"supervisord does not accept {host.conf_d}/app.conf: ")
    assert host.pids() == before
    assert host.apply(state="absent")["changed"]
    assert host.pids() == {}


def test_a_file_that_supervisord_does_not_accept_is_taken_back(host, monkeypatch):
    host.apply([host.program("a")])
    text, before = host.text(), host.pids()
    monkeypatch.setattr(run, "check_programs", lambda programs, starts: None)
    result = host.apply([host.program("a", user="nobody-here")])
    assert result["msg"].startswith(
        f"supervisord does not accept the new {host.conf_d}/app.conf, the old one is back: "
    )
    assert "Invalid user name nobody-here" in result["msg"]
    assert (host.text(), host.pids()) == (text, before)
    assert not host.apply([host.program("a")])["changed"]


def test_a_new_file_that_supervisord_does_not_accept_is_removed_again(host, monkeypatch):
    monkeypatch.setattr(run, "check_programs", lambda programs, starts: None)
    assert "the old one is back" in host.apply([host.program("a", user="nobody-here")])["msg"]
    assert list(host.conf_d.iterdir()) == []


def test_an_empty_list_leaves_no_program(host):
    host.apply([host.program("a")])
    result = apply_checked(host, [])
    assert (result["programs"], host.pids()) == ([], {})


def test_a_name_defined_twice_is_an_error_that_names_both_files(host):
    (host.conf_d / "foreign.conf").write_text("[program:a]\ncommand=/bin/sleep 1000\n")
    for check in (True, False):
        result = host.apply([host.program("a")], check=check)
        assert result["msg"] == (
            f"program a is defined twice, in {host.conf_d}/app.conf and in "
            f"{host.conf_d}/foreign.conf: remove it from one of them"
        )
    (host.conf_d / "foreign.conf").write_text("[group:x]\nprograms=a\n")
    assert "is put into the group x by" in host.apply([host.program("a")])["msg"]
    assert not (host.conf_d / "app.conf").exists()


def test_a_folder_that_cannot_be_written_leaves_the_old_file(host):
    host.apply([host.program("a")])
    text, before = host.text(), host.pids()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", host.conf_d], check=True)
    try:
        (host.conf_d / "app.conf").write_text(text)
        result = host.apply([host.program("a", environment={"X": "x" * 60000})])
        assert result["failed"]
        assert "app.conf cannot be written: No space left on device; it is as before" in result["msg"]
        assert host.text() == text
        assert [path.name for path in host.conf_d.iterdir()] == ["app.conf"]
        assert host.pids() == before
    finally:
        subprocess.run(["umount", host.conf_d], check=True)


def test_supervisord_not_running_is_a_clear_error_but_the_file_is_ready(cold_host):
    check = cold_host.apply([cold_host.program("a")], check=True)
    assert check["changed"]
    result = cold_host.apply([cold_host.program("a")])
    assert "supervisord is not running" in result["msg"]
    assert f"no systemd unit runs it with {cold_host.config}: start it first" in result["msg"]
    cold_host.start()
    assert summary(cold_host.apply([cold_host.program("a")])) == {"a": "RUNNING"}


def fake_systemctl(host, monkeypatch, start):
    """A systemctl that has a unit of this host's supervisord; *start* is what starting it does."""
    folder = host.folder / "bin"
    folder.mkdir()
    script = folder / "systemctl"
    script.write_text(
        "#!/bin/sh\n"
        'if [ "$1 $2" = "show supervisor.service" ]; then echo LoadState=loaded; '
        f'echo "ExecStart={{ argv[]=supervisord -n -c {host.config} }}"; fi\n'
        f'if [ "$1" = start ]; then {start}; fi\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_a_stopped_supervisord_is_started_by_its_service(cold_host, monkeypatch):
    cold_host.start()
    programs = [cold_host.program("a"), cold_host.program("b")]
    cold_host.apply(programs)
    cold_host.stop()
    fake_systemctl(cold_host, monkeypatch, cold_host.start_command())
    result = apply_checked_cold(cold_host, programs)
    assert summary(result) == {"a": "RUNNING", "b": "RUNNING"}
    assert not cold_host.apply(programs, restart="never")["changed"]
    cold_host.stop()
    # what was changed in between is what starts
    result = apply_checked_cold(cold_host, [cold_host.program("a", environment={"X": "1"})], restart="never")
    assert summary(result) == {"a": "RUNNING"}
    assert not result["restart_required"]
    cold_host.stop()


def apply_checked_cold(host, programs, **arguments):
    check = host.apply(programs, check=True, **arguments)
    result = host.apply(programs, **arguments)
    assert not result.get("failed"), result["msg"]
    assert predicted(check) == predicted(result)
    assert check["changed"]
    return result


def test_a_service_that_cannot_start_is_told_with_its_words(cold_host, monkeypatch):
    fake_systemctl(cold_host, monkeypatch, "echo 'Job for supervisor.service failed' >&2; exit 1")
    result = cold_host.apply([cold_host.program("a")])
    assert result["msg"] == "supervisord did not come up with supervisor.service: Job for supervisor.service failed"


def test_a_broken_foreign_file_is_named_when_supervisord_cannot_start(cold_host):
    (cold_host.conf_d / "foreign.conf").write_text("no section\n")
    result = cold_host.apply([cold_host.program("a")])
    assert result["msg"].startswith(
        f"supervisord cannot start with these files: {cold_host.conf_d}/foreign.conf cannot be read"
    )


def secured(host, client):
    """Let a host's supervisord want a password, of which its configuration has the hash."""
    hashed = "{SHA}" + hashlib.sha1(b"the password").hexdigest()
    text = host.config.read_text().replace("s.sock\n", f"s.sock\nusername=op\npassword={hashed}\n", 1)
    host.config.write_text(text + client)
    host.rpc = rpc.Supervisor(str(host.socket), "op", "the password")


def test_a_password_of_which_there_is_a_hash_is_the_one_of_supervisorctl(cold_host):
    secured(cold_host, "[supervisorctl]\nusername=op\npassword=the password\n")
    cold_host.start()
    assert summary(cold_host.apply([cold_host.program("a")])) == {"a": "RUNNING"}


def test_a_password_of_which_there_is_only_a_hash_is_told(cold_host):
    secured(cold_host, "")
    cold_host.start()
    result = cold_host.apply([cold_host.program("a")], check=True)
    assert "password in [unix_http_server] is a hash" in result["msg"]


def test_a_password_that_was_changed_since_is_told(cold_host):
    host = cold_host
    secured(host, "[supervisorctl]\nusername=op\npassword=the password\n")
    host.start()
    host.config.write_text(host.config.read_text().replace("password=the password", "password=another"))
    assert "it keeps those that it was started with, so restart" in host.apply([host.program("a")])["msg"]


@pytest.mark.skipif(os.geteuid() != 0, reason="gives rights up")
def test_a_supervisord_of_another_user_is_told_before_anything_is_written(cold_host, tmp_path):
    text = cold_host.config.read_text()
    cold_host.config.write_text(text.replace("[supervisord]\n", "[supervisord]\nuser=nobody\n"))
    for folder in (cold_host.folder, cold_host.conf_d):
        os.chown(folder, 65534, -1)
        folder.chmod(0o755)
    cold_host.start()
    result = cold_host.apply([cold_host.program("a", log={"path": f"{tmp_path}/a.log"})])
    assert result["msg"].startswith("supervisord runs as nobody and not as root, so it can neither read its files")
    assert not result["changed"] and list(cold_host.conf_d.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda host: host.socket.unlink(), "/s.sock was removed or replaced since it was started"),
        (
            lambda host: host.config.write_text(host.config.read_text().replace("s.sock", "t.sock")),
            "/s.sock and not on ",
        ),
    ],
    ids=["its socket is gone", "its configuration was changed"],
)
def test_a_supervisord_that_runs_and_cannot_be_asked_is_not_called_one_that_does_not_run(
    host, monkeypatch, change, words
):
    monkeypatch.setattr(daemon, "SILENT_WAIT", 0.5)
    monkeypatch.setattr(daemon.Daemon.connect, "__defaults__", (0.5,))
    host.apply([host.program("a")])
    change(host)
    for module, more in (
        ("supervisor_program", {"programs": [host.program("a")]}),
        ("supervisor_program_info", {}),
    ):
        result = host.run(module, name="app", **more)
        assert result["msg"].startswith(f"supervisord runs (process {host.process.pid}), but ")
        assert words in result["msg"] and "systemctl restart supervisor" in result["msg"]
    host.process.terminate()


def test_a_supervisord_that_shuts_down_is_waited_for(host, monkeypatch):
    programs = [host.program("a", IGNORES_TERM, stopwaitsecs=2)]
    host.apply(programs)
    host.wait_until_deaf("a")
    fake_systemctl(host, monkeypatch, host.start_command())
    host.process.terminate()
    time.sleep(0.3)
    result = host.apply(programs)
    assert summary(result) == {"a": "RUNNING"}
    host.stop()


def test_holds_and_removals_need_no_running_supervisord(cold_host):
    assert cold_host.apply([cold_host.program("a")], state="stopped")["changed"]
    assert not cold_host.apply([cold_host.program("a")], state="stopped")["changed"]
    assert cold_host.apply(state="absent")["changed"]
    assert not cold_host.apply(state="absent")["changed"]


def test_check_mode_foretells_on_a_host_without_supervisor(tmp_path, cold_host):
    directory = f"{tmp_path}/data"
    programs = [
        cold_host.program("a", user="nobody-here", cpus="0", command=["/not/yet"], state_directories=[directory])
    ]
    result = cold_host.apply(programs, check=True, config=f"{tmp_path}/supervisord.conf")
    assert result["changed"]
    assert result["file"] == f"{tmp_path}/conf.d/app.conf"
    assert [diff["after_header"] for diff in result["diff"]] == [
        "directories",
        f"{tmp_path}/conf.d/app.conf",
        "programs",
    ]
    assert list(tmp_path.iterdir()) == []
    result = cold_host.apply(programs, config=f"{tmp_path}/supervisord.conf")
    assert result["msg"].startswith(f"{tmp_path}/supervisord.conf does not exist: install supervisor first")
    assert not cold_host.apply(state="absent", config=f"{tmp_path}/supervisord.conf")["changed"]
    assert not cold_host.apply(check=True, config=f"{tmp_path}/supervisord.conf")["changed"]


def test_what_was_foretold_on_a_host_without_supervisor_is_what_the_first_run_does(cold_host):
    directory = cold_host.folder / "data"
    programs = [cold_host.program("a", state_directories=[str(directory)]), cold_host.program("b", autostart=False)]
    aside = cold_host.config.rename(cold_host.folder / "aside")
    check = cold_host.apply(programs, check=True)
    aside.rename(cold_host.config)
    cold_host.start()
    result = cold_host.apply(programs)
    assert summary(result) == {"a": "RUNNING", "b": "STOPPED"}
    assert predicted(check) == predicted(result)
    assert len(check["diff"]) == 3


def short_patience(monkeypatch):
    monkeypatch.setattr(rpc.Supervisor.__init__, "__defaults__", (None, None, 1.0))


def test_a_supervisord_that_says_nothing_is_an_error_and_nothing_is_written(host, monkeypatch):
    host.apply([host.program("a")])
    short_patience(monkeypatch)
    text = host.text()
    host.process.send_signal(signal.SIGSTOP)
    try:
        for module in ("supervisor_program", "supervisor_program_info"):
            more = {"programs": [host.program("a", environment={"X": "1"})]} if module == "supervisor_program" else {}
            result = host.run(module, name="app", **more)
            assert re.fullmatch(rf"supervisord did not answer \w+ on {host.socket} within 1 s", result["msg"])
        assert host.text() == text
    finally:
        host.process.send_signal(signal.SIGCONT)


def test_a_slow_supervisord_is_waited_for(host):
    host.process.send_signal(signal.SIGSTOP)
    run = host.popen(name="app", programs=[host.program("a")])
    time.sleep(2)
    assert run.poll() is None
    host.process.send_signal(signal.SIGCONT)
    assert summary(json.loads(run.communicate()[0])) == {"a": "RUNNING"}


def halt_between_calls(run):
    """Halt a run that waits, at a moment at which no call of it is on its way.

    An answer that breaks off is another error.
    """
    folder = f"/proc/{run.pid}"

    def halted():
        run.send_signal(signal.SIGSTOP)
        until(lambda: re.search(r"State:\s*T", open(f"{folder}/status").read()))
        if not any(os.readlink(f"{folder}/fd/{number}").startswith("socket:") for number in os.listdir(f"{folder}/fd")):
            return True
        run.send_signal(signal.SIGCONT)
        return False

    until(halted)


def test_a_supervisord_that_is_killed_while_a_program_stops_is_told_and_the_next_run_finishes(host):
    host.apply([host.program("a", IGNORES_TERM, stopwaitsecs=300)])
    host.wait_until_deaf("a")
    run = host.popen(name="app", programs=[host.program("a")])
    host.wait_until_stopping("a")
    halt_between_calls(run)
    host.stop()
    run.send_signal(signal.SIGCONT)
    assert "supervisord is not running" in json.loads(run.communicate()[0])["msg"]
    host.start()
    assert not host.apply([host.program("a")])["changed"]
    host.wait_until_executed("a", "/bin/sh")
    assert b"trap" not in open(f"/proc/{host.pids()['a']}/cmdline", "rb").read()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"user": "nobody-here"}, "program a: there is no user nobody-here on this host"),
        ({"command": ["/not/here"]}, "program a: /not/here does not exist or is not executable"),
        ({"directory": "/not/here"}, "program a: its directory /not/here does not exist"),
        ({"log": {"path": "/not/here/x.log"}}, "program a: the folder of its log /not/here/x.log does not exist"),
        (
            {"environment": {"X": "a ;b"}},
            "program a: environment: X: supervisord reads a ; or # after white space as a comment",
        ),
        ({"state_directories": ["relative"]}, "program a: state_directories: 'relative' is not an absolute path"),
        (
            {"state_directories": ["/etc/passwd"]},
            "program a: state_directories: /etc/passwd cannot be made ready: /etc/passwd is not a directory",
        ),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_written(host, change, message):
    result = host.apply([host.program("a", **change)])
    assert result["msg"] == message
    assert not (host.conf_d / "app.conf").exists()


def test_a_program_that_cannot_be_executed_is_told(host):
    script = host.folder / "script"
    script.write_text("#!/not/here\n")
    script.chmod(0o755)
    result = host.apply([host.program("a", command=[str(script)], startsecs=1)])
    assert result["failed_programs"][0]["exit_status"] == "exit status 127"
    assert "couldn't exec" in str(result["failed_programs"][0]["log_tail"])
    result = host.apply([host.program("a", command=["not-on-the-path"])])
    assert "can't find command 'not-on-the-path'" in result["failed_programs"][0]["exit_status"]


def test_numactl_is_asked_for_by_name(host, monkeypatch):
    monkeypatch.setenv("PATH", str(host.folder))
    result = host.apply([host.program("a", cpus="0")])
    assert result["msg"] == "program a: cpus needs numactl, which is not on this host: install the package numactl"
    assert host.apply([host.program("a", cpus="0")], check=True)["changed"]


def test_state_directories_are_made_and_given_to_the_user(host):
    top = host.folder / "var"
    directory = top / "deep" / "base"
    existing = host.folder / "existing"
    existing.mkdir()
    existing.chmod(0o755)
    (existing / "file").write_text("x")
    result = apply_checked(host, [host.program("a", user="daemon", state_directories=[str(directory), str(existing)])])
    assert result["diff"][0] == {
        "before_header": "directories",
        "after_header": "directories",
        "before": f"{directory}: absent\n{existing}: owner root, open to others\n",
        "after": f"{directory}: owner daemon\n{existing}: owner daemon\n",
    }
    assert (directory.owner(), directory.group(), stat.S_IMODE(directory.stat().st_mode)) == ("daemon", "daemon", 0o750)
    assert [(path.owner(), stat.S_IMODE(path.stat().st_mode)) for path in (top, directory.parent)] == [
        ("root", 0o755)
    ] * 2
    # never recursively, and of the mode of what exists only what others may do goes
    assert (existing.owner(), stat.S_IMODE(existing.stat().st_mode), (existing / "file").owner()) == (
        "daemon",
        0o750,
        "root",
    )


def test_a_service_user_that_puts_a_link_in_the_place_of_its_directory_gets_nothing(host):
    """The outer folder belongs to the user, as it did on clusters of the first release."""
    outer, victim = host.folder / "plot-server", host.folder / "victim"
    victim.mkdir(mode=0o755)
    programs = [host.program("a", user="daemon", state_directories=[str(outer / "base-path-0")])]
    host.apply(programs)
    assert (outer.owner(), (outer / "base-path-0").owner()) == ("root", "daemon")
    shutil.chown(outer, "daemon")
    assert not host.apply(programs)["changed"]
    (outer / "base-path-0").rename(outer / "old")
    (outer / "base-path-0").symlink_to(victim)
    text = host.text()
    for check in (True, False):
        message = host.apply([dict(programs[0], environment={"X": "1"})], check=check)["msg"]
        assert message == (
            f"program a: state_directories: {outer}/base-path-0 cannot be made ready: "
            f"{outer}/base-path-0 is a link, and daemon "
            "can choose where it leads, so it is not followed: put the folder itself there, "
            "or give the path that it leads to"
        )
    assert (victim.owner(), host.text()) == ("root", text)


def test_a_folder_of_the_system_as_state_directory_is_refused_before_anything_is_changed(host):
    new = host.folder / "new"
    for path in ("/", "/etc", "/root", "/home", "/usr/lib"):
        result = host.apply([host.program("a", user="daemon", state_directories=[str(new), path])])
        assert result["msg"] == (
            f"program a: state_directories: {path} is a folder of the system: choose one of its own for the data"
        )
    assert not new.exists() and list(host.conf_d.iterdir()) == []


def test_a_log_that_the_service_user_could_replace_is_refused(host):
    data = host.folder / "data"
    log = {"path": f"{data}/a.log"}
    for check in (True, False):
        result = host.apply([host.program("a", user="daemon", log=log, state_directories=[str(data)])], check=check)
        assert f"in the place of its log {data}/a.log: {data} belongs to daemon" in result["msg"]
    assert not data.exists()


def test_no_other_user_holds_up_a_run(host):
    host.folder.chmod(0o755)
    script = "import fcntl, os, sys, time; os.setuid(1); fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX)"
    other = subprocess.Popen(
        [sys.executable, "-c", script + "; print(flush=True); time.sleep(600)", host.folder], stdout=subprocess.PIPE
    )
    try:
        other.stdout.readline()
        assert host.apply([host.program("a")])["changed"]
    finally:
        other.kill()
        other.wait()


def test_the_run_that_is_waited_for_is_named(host, monkeypatch):
    monkeypatch.setattr(run, "LOCK_WAIT", 0.0)
    host.apply([host.program("slow", IGNORES_TERM, stopwaitsecs=300)])
    host.wait_until_deaf("slow")
    first = host.popen(name="app", programs=[])
    host.wait_until_stopping("slow")
    for check in (True, False):
        message = host.apply([host.program("b")], name="other", check=check)["msg"]
        assert message == f"process {first.pid}, supervisor_program of app, is not done after 0 s"
    os.killpg(host.pids()["slow"], signal.SIGKILL)
    first.communicate()


def test_programs_get_exactly_the_given_arguments_and_environment(host):
    chance = random.Random(4)
    pieces = [*" \t;#%'\"\\$`,=:[]{}()<>&|*?~!aZ09äß€", "%(here)s", "%(ENV_X)s", "%%", " ;", " #", "a"]
    programs = []
    for index in range(60):
        arguments = ["".join(chance.choices(pieces, k=chance.randrange(12))) for _number in range(4)]
        value = "".join(
            chance.choices([piece for piece in pieces if piece not in ("'", " ;", " #", "%(here)s", ";", "#")], k=8)
        )
        programs.append(
            host.program(
                f"p{index}",
                command=["/bin/sh", "-c", "while :; do sleep 9; done", *arguments],
                environment={"X": f"<{value}>"},
                log=None,
            )
        )
    result = host.apply(programs)
    assert not result.get("failed"), result["msg"]
    pids = host.pids()
    for program in programs:
        host.wait_until_executed(program["name"], "/bin/sh")
        with open(f"/proc/{pids[program['name']]}/cmdline", "rb") as handle:
            assert handle.read().decode().split("\0")[:-1] == program["command"]
        with open(f"/proc/{pids[program['name']]}/environ", "rb") as handle:
            assert f"X={program['environment']['X']}".encode() in handle.read().split(b"\0")


def test_programs_are_bound_by_numactl(host):
    cpu = str(min(os.sched_getaffinity(0)))
    result = host.apply([host.program("a", cpus=cpu)])
    assert summary(result) == {"a": "RUNNING"}
    host.wait_until_executed("a", "/bin/sh")
    found = host.run("supervisor_program_info", name="app")["programs"][0]
    assert (found["cpus_allowed"], found["memory_policy"]) == (cpu, "local")
    result = host.apply([host.program("a", cpus=f"{cpu},4000", startsecs=1)])
    assert result["failed_programs"][0]["exit_status"] == "exit status 1"
    assert "4000" in str(result["failed_programs"][0]["log_tail"])


def test_without_a_file_and_without_programs_there_is_nothing_to_start(host):
    assert host.apply()["msg"] == f"{host.conf_d}/app.conf does not exist: give its programs"
    assert not host.apply(state="stopped")["changed"]
