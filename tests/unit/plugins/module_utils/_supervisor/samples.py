# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs to render, what supervisor's own parser makes of a file, and a supervisord to talk with."""

from __future__ import annotations

import io

from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.rpc import absent
from hypothesis import strategies as st
from supervisor.options import ServerOptions

# what the four readers of a value trip over
NASTY = [
    *" \t;#%'\"\\$`,=:[]{}()<>&|*?~!aZ09\u00e4\u20ac\U0001f600\xa0",
    "%(here)s",
    "%(ENV_X)s",
    "%%",
]
# what some reader takes for the end of a line
BREAKS = "\x0b\x0c\r\x1c\x1d\x1e\x85\u2028\u2029"
nasty = st.lists(st.sampled_from(NASTY), max_size=12).map("".join)
arguments = st.one_of(nasty, st.text(max_size=8))

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


def info(name, state, group=None, **more):
    """What supervisord says of a process."""
    return {**absent(name, group or name), "statename": state, **more}


class Supervisord:
    """A supervisord that answers in turn with given lists of processes, and notes what it is told."""

    def __init__(self, *answers, calls=None):
        self.answers = list(answers)
        self.told = []
        self.calls = calls or {}

    def processes(self):
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def call(self, method):
        answer = self.calls[method].pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def reload(self):
        return self.call("reloadConfig")

    def stop(self, group):
        self.told.append(f"stop {group}")

    def remove(self, group):
        self.told.append(f"remove {group}")
        return True

    def add(self, group):
        self.told.append(f"add {group}")

    def start(self, group):
        self.told.append(f"start {group}")
        return {"odd": "spawn error"} if group == "odd" else {}
