# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rendering of supervisord's files, the round trip through supervisor's own parser included."""

from __future__ import annotations

import os
import shlex

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.errors import ConfError
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.write import render
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .samples import arguments, program, read_by_supervisor


def test_renders_in_the_style_of_the_tutorial():
    text = render(
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
        "command=numactl -C 0-23,96-119 -l /opt/autonomys-farmer cluster --nats-server "
        "nats://192.168.1.1:4222 plot-server\n"
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
            render([candidate])
        except ConfError as refusal:
            assert "is a line break or control character" in str(refusal) or "not valid text" in str(refusal)
            continue
        programs[candidate["name"]] = candidate
        try:
            render([dict(candidate, environment=environment)])
            candidate["environment"] = environment
        except ConfError as refusal:
            assert str(refusal).startswith(f"program p{index}: environment: ")
    found = read_by_supervisor(render(list(programs.values())))
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
    found = read_by_supervisor(render([program(environment={"X": value})]))
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
        ("a\nb", "its character 2 (U+000A) is a line break or control character"),
        ("a\0b", "U+0000"),
        ("ab\u2028", "its character 3 (U+2028)"),
        ("\x85", "U+0085"),
        ("\x0c", "U+000C"),
        ("\x7f", "U+007F"),
        ("\udc80", "not valid text"),
        (None, "null"),
        ([1], "text or a number, not a list"),
    ],
)
def test_an_environment_that_cannot_survive_is_refused_by_name(value, why):
    with pytest.raises(ConfError) as error:
        render([program("prog", environment={"NAME": value})])
    assert str(error.value).startswith("program prog: environment: NAME: ")
    assert why in str(error.value)


SECRET = "s3cr3t-mark"


@pytest.mark.parametrize(
    "value",
    [
        f"{SECRET} ;x",
        f"'{SECRET}",
        f"%(here)s{SECRET}",
        f"{SECRET}'\"x",
        f"{SECRET}\n",
        f"{SECRET}\udc80",
        [SECRET],
        {SECRET: SECRET},
    ],
)
def test_a_refused_value_is_not_shown(value):
    with pytest.raises(ConfError) as error:
        render([program(environment={"API_TOKEN": value})])
    assert SECRET not in str(error.value) and "API_TOKEN" in str(error.value)
    if isinstance(value, str) and ("\n" in value or "\udc80" in value):
        for change in ({"command": ["x", "--token", value]}, {"user": value}, {"directory": f"/{value}"}):
            with pytest.raises(ConfError) as error:
                render([program(**change)])
            assert SECRET not in str(error.value)


def test_yaml_values_become_what_one_writes():
    found = read_by_supervisor(render([program(environment={"A": True, "B": False, "C": 5, "D": 0.5})]))
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
        ({"directory": "relative"}, "directory: it is not an absolute path"),
        ({"user": "a ;b"}, "user: "),
        ({"startsecs": -1}, "startsecs: -1 is negative"),
        ({"stopwaitsecs": -1}, "stopwaitsecs: -1 is negative"),
        ({"environment": {"A-B": "1"}}, "environment: A-B: not a name"),
        ({"log": {"path": "x.log", "max_bytes": "1MB", "backups": 1}}, "log.path: it is not an absolute path"),
        ({"log": {"path": "/x ", "max_bytes": "1MB", "backups": 1}}, "white space at its edges"),
        ({"log": {"path": "/x.log", "max_bytes": "1M", "backups": 1}}, "log.max_bytes: it is not a size such as 100MB"),
        ({"log": {"path": "/x.log", "max_bytes": "1MB", "backups": -1}}, "log.backups: -1 is negative"),
    ],
)
def test_what_supervisord_would_misread_is_refused(change, message):
    with pytest.raises(ConfError) as error:
        render([program(**change)])
    assert message in str(error.value)


def test_a_program_given_twice_is_refused():
    with pytest.raises(ConfError, match="program p is given twice"):
        render([program(), program()])


def test_paths_with_percent_signs_survive(tmp_path):
    path = f"{tmp_path}/100%.log"
    found = read_by_supervisor(
        render([program(directory=f"{tmp_path}/5%", log={"path": path, "max_bytes": "1MB", "backups": 0})])
    )
    assert found["p"].stdout_logfile == path
    assert found["p"].directory == f"{tmp_path}/5%"
    assert found["p"].killasgroup is True
