# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The controllers, which bring slots and pieces from the nodes to the farmers."""

from __future__ import annotations

from . import names
from .common import Component, Facts, Programs, Settings, connected, endpoints, farmer, make_program

FILE = "autonomys-controller"


def _build(s: Settings, facts: Facts) -> Programs:
    command = farmer(s, "controller", "controller", *(["--tmp"] if s["controller_tmp"] else []))
    command += ["--node-rpc-url", s["controller_node_rpc_url"], *s["controller_extra_args"]]
    evidence = connected(s, "controller")
    evidence["connected_all"] = endpoints([s["controller_node_rpc_url"]])
    yield make_program(s, "controller", FILE, command), evidence


COMPONENT = Component(
    name="controller",
    build=_build,
    binary=names.FARMER,
    file=FILE,
    uses=("nats", "node"),
    without="nothing distributes slots and pieces",
    needs="one",
    stopping=True,
    # Upstream's default.
    p2p_ports=(30533,),
)
