# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The NATS servers, over which all other components but the nodes talk to each other."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from . import names
from .common import Component, Facts, Folder, Programs, Service, Settings, ShortestStop, make_program

CONFIG = "/etc/nats-server.conf"
# A copy of what the running server has read.
RUNNING_CONFIG = CONFIG + ".running"

# What nats-server reads only when it starts; everything else of its file takes effect with a reload.
RESTART_SETTINGS = (
    "nats_server_name",
    "nats_cluster_name",
    "nats_client_port",
    "nats_cluster_port",
    "nats_monitor_port",
    "nats_store_dir",
    "nats_jetstream_max_memory",
    "nats_jetstream_max_file",
    "nats_lame_duck_duration",
    "cluster_address",
)

# More of these, each with its default. They were found when clusters ran already: they count where they differ from it,
# so that no cluster restarts for their sake.
LATER_RESTART_SETTINGS = {"nats_max_pending": "256MB"}

# The variable of the program's environment by which a change of those is seen.
DIGEST = "NATS_SETTINGS_DIGEST"

# nats-server waits so many seconds on top of the lame duck duration.
_GRACE = 10


def _build(s: Settings, facts: Facts) -> Programs:
    values = [str(s[name]) for name in RESTART_SETTINGS]
    values += [f"{name}={s[name]}" for name, usual in LATER_RESTART_SETTINGS.items() if str(s[name]) != usual]
    # No reload makes one of several servers of a single one, or the reverse. Those of several keep their digest.
    values += ["single"] if len(s["nats_peers"]) < 2 else []
    restart = json.dumps(values)
    binary = names.binary_path(s["cluster_install_dir"], s["nats_version"], names.NATS_SERVER)
    program = make_program(
        s,
        "nats",
        names.NATS_SERVER,
        [binary, "--config", CONFIG, *s["nats_extra_args"]],
        environment={DIGEST: hashlib.sha256(restart.encode()).hexdigest()[:16]},
    )
    # Lame duck mode: clients leave one after another before the server ends. A TERM would cut all of them off at once.
    program["stopsignal"] = "USR2"
    program["state_directories"] = [s["nats_store_dir"]]
    yield program, {"listening": [s["nats_client_port"], s["nats_monitor_port"]]}


def _ask(s: Settings) -> dict[str, Any]:
    monitor = f"http://127.0.0.1:{s['nats_monitor_port']}"
    return {"nats": {"url": monitor, "peers": s["nats_peers"], "held": s["nats_held_peers"]}}


def _application(s: Settings) -> dict[str, Any]:
    nats = _ask(s)["nats"]
    return {"nats": {**nats, "version": s["nats_version"], "max_payload": s["nats_max_payload"]}}


COMPONENT = Component(
    name="nats",
    build=_build,
    binary=names.NATS_SERVER,
    file=names.NATS_SERVER,
    service=Service("nats_client_port", "nats_servers"),
    without="the other components have no NATS server",
    # No needs: the servers are asked themselves (safe_to_stop), since their quorums count and not their number.
    majority=True,
    stopping=True,
    ask=_ask,
    application=_application,
    ports=("nats_client_port", "nats_cluster_port", "nats_monitor_port"),
    folders=(Folder("nats_store_dir", "nats_jetstream_max_file"),),
    shortest_stop=ShortestStop(
        _GRACE, f"its clients leave within nats_lame_duck_duration and {_GRACE} s", after="nats_lame_duck_duration"
    ),
)
