# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between the cluster and its inventory, line by line."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.plugin_utils._plan import drift, shape

HOST = {"components": ["node"], "state": "ready", "why": "", "errors": [], "prepare": [], "install": [], "programs": []}
WELL = {"node": {"healthy": True, "problems": []}}


def found(healths=None, **host):
    return drift.differences({"hosts": {"a": {**HOST, **host}}}, {"a": healths or WELL})


def test_a_cluster_as_it_should_be():
    assert found(programs=[{"name": "autonomys-node", "change": "none", "reason": ""}]) == []
    assert drift.table([]) == "Drift: none. A run of site.yml would change nothing, and all is healthy."
    # A host without components is no part of the cluster.
    assert found({}, components=[], state="no component", why="It is in no component's group.") == []


@pytest.mark.parametrize(
    ("host", "what", "difference"),
    [
        ({"state": "unreachable", "why": "timed out"}, "host", "unreachable: timed out"),
        ({"errors": ["The cores of GPUs cannot be planned: x"]}, "host", "The cores of GPUs cannot be planned: x"),
        ({"prepare": ["create the user autonomys"]}, "host", "would be prepared: create the user autonomys"),
        ({"install": ["/opt/a"]}, "binaries", "would install /opt/a"),
        (
            {"programs": [{"name": "autonomys-node", "change": "restart", "reason": "environment A"}]},
            "autonomys-node",
            "would restart: environment A",
        ),
    ],
)
def test_what_a_run_would_change(host, what, difference):
    assert found(**host) == [{"host": "a", "what": what, "difference": difference}]


def test_what_is_not_healthy():
    sick = {"node": {"healthy": False, "problems": ["the node has 0 peers, at least 1 are wanted"]}}
    [difference] = found(sick)
    assert (difference["what"], difference["difference"]) == (
        "node",
        "not healthy: the node has 0 peers, at least 1 are wanted",
    )


def test_every_change_has_its_words():
    assert set(drift.VERBS) == set(shape.CHANGES) - {"none"}


def test_the_table_sums_up():
    text = drift.table([*found(install=["/opt/a"]), *found(prepare=["x"])])
    assert text.splitlines()[0].split() == ["HOST", "WHAT", "DIFFERENCE"]
    assert text.splitlines()[-1] == "Drift: 2 differences on 1 host (a)."
