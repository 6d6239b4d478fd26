# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rendering and reading of supervisord's files, the round trip through supervisord's own parser included."""

from __future__ import annotations

import io
import os
import shlex

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor import conf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from supervisor.options import ServerOptions


def program(name="p", **more):
    return dict(
        {
            "name": name,
            "command": ["/bin/true"],
            "environment": {},
            "autorestart": True,
            "startsecs": 10,
            "startretries": 1000000,
            "stopsignal": "TERM",
            "stopwaitsecs": 60,
        },
        **more,
    )


def read_by_supervisor(text):
    """What supervisord understands: {program: its configuration}."""
    options = ServerOptions()
    options.here = "/etc/supervisor"
    options.configfile = "/etc/supervisor/supervisord.conf"
    options.configroot = type("Root", (), {"supervisord": type("Section", (), {})()})()
    section = options.read_config(io.StringIO("[supervisord]\n" + text))
    return {config.name: config for group in section.process_group_configs for config in group.process_configs}


def test_renders_in_the_style_of_the_tutorial():
    text = conf.render(
        [
            program(
                "autonomys-plot-server-0",
                command=["/opt/autonomys-farmer", "cluster", "--nats-server", "nats://192.168.1.1:4222", "plot-server"],
                cpus="0-23,96-119",
                environment={"CUDA_VISIBLE_DEVICES": "0"},
                user="autonomys",
                directory="/var/lib/x",
                log={"path": "/var/log/autonomys-plotter-0.log", "max_bytes": "100MB", "backups": 2},
            )
        ]
    )
    assert text == (
        "; Managed by Ansible (autonomys.cluster): changes made by hand are overwritten.\n"
        "\n"
        "[program:autonomys-plot-server-0]\n"
        "command=numactl -C 0-23,96-119 -l /opt/autonomys-farmer cluster --nats-server nats://192.168.1.1:4222 plot-server\n"
        "directory=/var/lib/x\n"
        "autostart=true\n"
        "autorestart=true\n"
        "startsecs=10\n"
        "startretries=1000000\n"
        "stopsignal=TERM\n"
        "stopwaitsecs=60\n"
        "killasgroup=true\n"
        "user=autonomys\n"
        'environment=CUDA_VISIBLE_DEVICES="0"\n'
        "redirect_stderr=true\n"
        "stdout_logfile_maxbytes=100MB\n"
        "stdout_logfile_backups=2\n"
        "stdout_logfile=/var/log/autonomys-plotter-0.log\n"
    )


# what the four readers of a value trip over
NASTY = [
    *" \t;#%'\"\\$`,=:[]{}()<>&|*?~!aZ09\u00e4\u20ac\U0001f600\xa0\x85\x1c\u2028\x01",
    "%(here)s",
    "%(ENV_X)s",
    "%%",
]
nasty = st.lists(st.sampled_from(NASTY), max_size=12).map("".join)
arguments = st.one_of(nasty, st.text(max_size=8))
# many argument lists in one file: reading a file costs more than comparing a program
files = st.lists(
    st.tuples(
        st.lists(arguments, max_size=4), st.dictionaries(st.from_regex(r"\A[A-Z_]{1,3}\Z"), arguments, max_size=2)
    ),
    min_size=50,
    max_size=50,
)


# 200 files of 50 programs are the 10,000 cases of a thorough run; it takes half a minute
@settings(
    max_examples=int(os.environ.get("AUTONOMYS_EXAMPLES", "15")), deadline=None, suppress_health_check=list(HealthCheck)
)
@given(files)
def test_every_argument_and_environment_survives_or_is_refused(cases):
    programs = {}
    for index, (extra, environment) in enumerate(cases):
        candidate = program(f"p{index}", command=["/bin/x", *extra])
        try:
            conf.render([candidate])
        except conf.ConfError as refusal:
            assert "line break or NUL" in str(refusal) or "not valid text" in str(refusal)
            continue
        programs[candidate["name"]] = candidate
        try:
            conf.render([dict(candidate, environment=environment)])
            candidate["environment"] = environment
        except conf.ConfError as refusal:
            assert str(refusal).startswith(f"program p{index}: environment: ")
    found = read_by_supervisor(conf.render(list(programs.values())))
    assert set(found) == set(programs)
    for name, wanted in programs.items():
        assert shlex.split(found[name].command) == wanted["command"]
        assert found[name].environment == wanted["environment"]


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "a b",
        "a;b",
        ";",
        "#",
        "100%",
        "%(x)s",
        "it's",
        'say "hi" now',
        "a,b=c",
        "äö€",
        "\\",
        "\\n",
        "a\tb",
        "${X}",
        "$(id)",
    ],
)
def test_usual_environment_values_survive(value):
    found = read_by_supervisor(conf.render([program(environment={"X": value})]))
    assert found["p"].environment == {"X": value}


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("a ;b", "comment"),
        ("a #b", "comment"),
        ("a\u00a0;b", "comment"),
        ("'a", "edges"),
        ('a"', "edges"),
        ("a'b\"c", "both kinds of quotes"),
        ("x%(here)sx", "%(here)s"),
        ("a\nb", "line break"),
        ("a\0b", "NUL"),
        ("\udc80", "not valid text"),
        (None, "null"),
        ([1], "text or a number"),
    ],
)
def test_an_environment_that_cannot_survive_is_refused_by_name(value, why):
    with pytest.raises(conf.ConfError) as error:
        conf.render([program("prog", environment={"NAME": value})])
    assert str(error.value).startswith("program prog: environment: NAME: ")
    assert why in str(error.value)


def test_yaml_values_become_what_one_writes():
    found = read_by_supervisor(conf.render([program(environment={"A": True, "B": False, "C": 5, "D": 0.5})]))
    assert found["p"].environment == {"A": "true", "B": "false", "C": "5", "D": "0.5"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "a b"}, "program name 'a b'"),
        ({"name": "a:b"}, "program name 'a:b'"),
        ({"name": ""}, "program name ''"),
        ({"command": []}, "the command is empty"),
        ({"command": [""]}, "the command is empty"),
        ({"command": ["x", "a\nb"]}, "line break"),
        ({"cpus": "0-"}, "cpus: '0-'"),
        ({"cpus": "3-1"}, "cpus: "),
        ({"cpus": "all"}, "cpus: 'all'"),
        ({"directory": "relative"}, "directory: 'relative' is not an absolute path"),
        ({"user": "a ;b"}, "user: "),
        ({"startsecs": -1}, "startsecs: -1 is negative"),
        ({"stopwaitsecs": -1}, "stopwaitsecs: -1 is negative"),
        ({"environment": {"A-B": "1"}}, "environment: A-B: not a name"),
        ({"log": {"path": "x.log", "max_bytes": "1MB", "backups": 1}}, "log.path: 'x.log' is not an absolute path"),
        ({"log": {"path": "/x ", "max_bytes": "1MB", "backups": 1}}, "white space at its edges"),
        ({"log": {"path": "/x.log", "max_bytes": "1M", "backups": 1}}, "log.max_bytes: '1M'"),
        ({"log": {"path": "/x.log", "max_bytes": "1MB", "backups": -1}}, "log.backups: -1 is negative"),
    ],
)
def test_what_supervisord_would_misread_is_refused(change, message):
    with pytest.raises(conf.ConfError) as error:
        conf.render([program(**change)])
    assert message in str(error.value)


def test_a_program_given_twice_is_refused():
    with pytest.raises(conf.ConfError, match="program p is given twice"):
        conf.render([program(), program()])


def test_paths_with_percent_signs_survive(tmp_path):
    path = f"{tmp_path}/100%.log"
    found = read_by_supervisor(
        conf.render([program(directory=f"{tmp_path}/5%", log={"path": path, "max_bytes": "1MB", "backups": 0})])
    )
    assert found["p"].stdout_logfile == path
    assert found["p"].directory == f"{tmp_path}/5%"
    assert found["p"].killasgroup is True


TUTORIAL = """\
# plot server
[group:autonomys-plot-server]
programs=autonomys-plot-server-0, autonomys-plot-server-1
[program:autonomys-plot-server-0]
command=numactl -C 0-31 -l /root/x
autorestart=true

[program:autonomys-plot-server-1]
command=numactl -C 96-127 -l /root/x
autostart = true

[program:other]
command=/x
"""


def test_groups_are_read_as_supervisord_does():
    sections = conf.parse(TUTORIAL)
    assert conf.groups(sections) == {
        "autonomys-plot-server": ["autonomys-plot-server-0", "autonomys-plot-server-1"],
        "other": ["other"],
    }
    assert conf.program_names(sections) == ["autonomys-plot-server-0", "autonomys-plot-server-1", "other"]


def test_what_is_kept_stopped_stays_so_when_a_hold_is_released():
    programs = [program("a"), program("b", autostart=False), program("c")]
    text = conf.render(programs)
    assert conf.held(text) == {"b"}
    assert conf.set_autostart(conf.set_autostart(text, False), True) == text
    assert conf.set_autostart(text, False) == conf.render(programs, autostart=False)
    assert {name: config.autostart for name, config in read_by_supervisor(text).items()} == {
        "a": True,
        "b": False,
        "c": True,
    }


def test_a_hold_changes_autostart_and_nothing_else():
    held = conf.set_autostart(TUTORIAL, False)
    found = read_by_supervisor(held)
    assert [config.autostart for config in found.values()] == [False] * 3
    assert [line for line in held.splitlines() if "autostart" not in line] == [
        line for line in TUTORIAL.splitlines() if "autostart" not in line
    ]
    assert [config.autostart for config in read_by_supervisor(conf.set_autostart(held, True)).values()] == [True] * 3
    assert conf.set_autostart(held, False) == held


def test_a_rendered_file_held_and_released_is_the_same_again():
    programs = [program("a"), program("b")]
    assert conf.set_autostart(conf.render(programs), False) == conf.render(programs, autostart=False)
    assert conf.set_autostart(conf.render(programs, autostart=False), True) == conf.render(programs)


def test_the_file_remembers_what_has_to_go():
    text = conf.render([program()])
    remembering = conf.with_leaving(text, ["b", "a"])
    assert conf.leaving(remembering) == ["a", "b"]
    assert conf.with_leaving(remembering, []) == text
    assert list(read_by_supervisor(remembering)) == ["p"]
    assert conf.leaving(conf.with_leaving(None, ["x"])) == ["x"]
    assert conf.leaving(None) == []


def test_a_text_without_sections_is_an_error_with_its_path():
    with pytest.raises(conf.ConfError, match=r"/etc/x\.conf cannot be read"):
        conf.parse("hello\n", "/etc/x.conf")
    with pytest.raises(conf.ConfError, match=r"/etc/x\.conf cannot be read"):
        conf.decode(b"\xff", "/etc/x.conf")


def test_secrets_are_found_where_they_are_named_so():
    text = conf.render(
        [
            program(
                command=[
                    "/x",
                    "--api-token",
                    "abcd1",
                    "--password=abcd2",
                    "--token-file",
                    "--verbose",
                    "nats://u:abcd3@h:1",
                    "visible",
                ],
                environment={"DB_PASSWORD": "abcd4", "CUDA_VISIBLE_DEVICES": "0000", "SECRET_FLAG": "yes"},
            )
        ]
    )
    assert conf.secrets(conf.parse(text)) == {"abcd1", "abcd2", "abcd3", "abcd4"}


CONFIG = """\
[unix_http_server]
file=/var/run/supervisor.sock   ; (the path to the socket file)
[supervisord]
logfile=/var/log/supervisor/supervisord.log
[include]
files = /etc/supervisor/conf.d/*.conf
"""


def test_settings_of_debian():
    found = conf.settings(conf.parse(CONFIG), "/etc/supervisor/supervisord.conf")
    assert found.socket == "/var/run/supervisor.sock"
    assert (found.folder, found.suffix) == ("/etc/supervisor/conf.d", ".conf")
    assert found.logfile == "/var/log/supervisor/supervisord.log"
    assert found.username is None


def test_settings_with_expansions_and_several_folders():
    text = (
        "[unix_http_server]\nfile=%(here)s/s.sock\nusername=u\npassword=%(ENV_PW)s\n[supervisord]\nlogfile=supervisord.log\n"
        "[include]\nfiles = a/*/x.conf one.conf %(here)s/ini.d/*.ini conf.d/*.conf\n"
    )
    found = conf.settings(conf.parse(text), "/srv/supervisord.conf", {"PW": "secret"})
    assert (found.socket, found.username, found.password) == ("/srv/s.sock", "u", "secret")
    assert (found.folder, found.suffix) == ("/srv/conf.d", ".conf")
    assert found.patterns == ["/srv/a/*/x.conf", "/srv/one.conf", "/srv/ini.d/*.ini", "/srv/conf.d/*.conf"]
    assert found.logfile is None


def test_settings_of_a_system_with_ini_files():
    text = CONFIG.replace("/etc/supervisor/conf.d/*.conf", "supervisord.d/*.ini")
    found = conf.settings(conf.parse(text), "/etc/supervisord.conf")
    assert (found.folder, found.suffix) == (os.path.join("/etc", "supervisord.d"), ".ini")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[unix_http_server]", "[other]", r"has no \[unix_http_server\]"),
        ("[include]", "[other]", r"has no \[include\]"),
        ("/etc/supervisor/conf.d/*.conf", "/etc/one.conf", "no pattern of"),
        ("/etc/supervisor/conf.d/*.conf", "%(nope)s/*.conf", "cannot be expanded"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(old, new, message):
    with pytest.raises(conf.ConfError, match=message):
        conf.settings(conf.parse(CONFIG.replace(old, new)), "/etc/supervisor/supervisord.conf")


def test_a_text_is_composed_of_the_groups_of_two():
    old = conf.render(
        [
            program(name="a", environment={"V": "2"}),
            program(name="b", environment={"V": "2"}, autostart=False),
            program(name="new"),
        ]
    )
    kept = conf.render([program(name="a", environment={"V": "1"}), program(name="gone"), program(name="b")])
    assert conf.compose(old, kept, {"a", "b", "new"}, set()) == old
    assert conf.compose(conf.with_leaving(old, ["gone"]), None, {"a", "b", "new"}, set()) == old
    assert conf.compose(old, kept, set(), {"a", "b", "gone"}).split("\n[")[1:] == [
        kept.split("\n[")[index] for index in (1, 3, 2)
    ]
    mixed = conf.compose(old, kept, {"b"}, {"a", "gone"})
    assert conf.program_names(conf.parse(mixed)) == ["a", "b", "gone"]
    assert 'V="1"' in mixed and conf.held(mixed) == {"b"}
    assert conf.compose(old, kept, set(), set()) is None
    assert conf.compose(None, kept, set(), {"a", "b", "gone"}).count("[program:") == 3


def test_the_groups_of_a_text_that_are_on_hold():
    programs = [program(name="a"), program(name="b", autostart=False)]
    assert conf.on_hold(conf.render(programs)) == set()
    assert conf.on_hold(conf.render(programs, autostart=False)) == {"a"}
    assert conf.on_hold(
        "[group:g]\nprograms=x,y\n[program:x]\ncommand=z\n[program:y]\ncommand=z\nautostart=false\n"
    ) == {"g"}
    assert conf.on_hold(None) == set()
