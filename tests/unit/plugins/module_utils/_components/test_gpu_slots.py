# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A GPU that goes, comes back or is replaced changes the definition of its own plot server, so no other restarts."""

from __future__ import annotations

import json

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._components.common import SettingsError
from ansible_collections.autonomys.cluster.plugins.module_utils._components.deployed import parse_programs
from ansible_collections.autonomys.cluster.plugins.module_utils._components.gpu_slots import remembered_slots
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import expectations, programs
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.write import render
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._components.sample import (
    machine,
    role_settings,
)
from hypothesis import given, settings
from hypothesis import strategies as st

DEFAULTS = {"autorestart": True, "startretries": 1000000, "stopsignal": "TERM"}
PATH = "/etc/supervisor/conf.d/autonomys-plot-server.conf"


def with_gpus(topology, uuids, renamed=None):
    """The machine with some of its GPUs only, some of them replaced by others in the same place."""
    return dict(
        topology,
        gpus=[
            dict(gpu, uuid=(renamed or {}).get(gpu["uuid"], gpu["uuid"]))
            for gpu in topology["gpus"]
            if gpu["uuid"] in uuids
        ],
    )


def read(topology, text):
    """What is read of a host whose file of plot servers has that text."""
    return {"gpus": {"topology": topology, "gpu_error": None}, "host": {"programs": parse_programs(text, PATH)}}


class PlotHost:
    """A host on which the role runs again and again: what stands in its file decides what the next run knows."""

    def __init__(self, **variables):
        self.settings = role_settings("plot_server", **variables)
        self.text = ""

    def run(self, topology, **variables):
        """Run the role; the programs by name."""
        self.settings.update(variables)
        facts = read(topology, self.text)
        made = programs("plot_server", self.settings, facts)
        self.text = render([dict(DEFAULTS, **program) for program in made])
        return {program["name"]: program for program in made}


def name(slot):
    return f"autonomys-plot-server-{slot}"


def differing(one, other):
    return sorted(program for program in set(one) | set(other) if one.get(program) != other.get(program))


EIGHT = machine("4090x8-2x56c")
# More GPUs on one node than on the other: the place of a missing one cannot be guessed there.
UNEVEN = machine("uneven-3gpu-2+1")
MACHINES = [
    "4090x8-2x56c",
    "dgx2h-16gpu",
    "dgxa100-nps4-8gpu",
    "hgxh100-8gpu",
    "seed-2x48c-4gpu",
    "uneven-3gpu-2+1",
    "odd-cores-3gpu",
    "mixed-known-and-NA",
    "more-gpus-than-cores",
]


def uuids(topology):
    return [gpu["uuid"] for gpu in topology["gpus"]]


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_seven_of_eight_keep_their_definitions_whatever_happens_to_one(data):
    topology = machine(data.draw(st.sampled_from(MACHINES)))
    listed = data.draw(st.permutations(uuids(topology)))
    if any(gpu["numa_node"] is None for gpu in topology["gpus"]):
        topology = dict(
            topology,
            gpus=[dict(gpu, numa_node=0 if gpu["numa_node"] is None else gpu["numa_node"]) for gpu in topology["gpus"]],
        )
    slot = data.draw(st.integers(0, len(listed) - 1))
    host = PlotHost(plot_server_gpus=listed)
    before = host.run(topology)
    others = set(uuids(topology)) - {listed[slot]}

    if others:
        gone = host.run(with_gpus(topology, others))
        assert differing(before, gone) == [name(slot)]
        # Only stopped: name, port, folder, log and cores wait for it.
        assert gone[name(slot)] == dict(before[name(slot)], autostart=False)
        assert host.run(with_gpus(topology, others)) == gone

    assert host.run(topology) == before

    replacement = "GPU-replaced"
    new_list = [replacement if uuid == listed[slot] else uuid for uuid in listed]
    replaced = host.run(with_gpus(topology, listed, {listed[slot]: replacement}), plot_server_gpus=new_list)
    assert differing(before, replaced) == [name(slot)]
    assert replaced[name(slot)]["command"] == before[name(slot)]["command"]
    assert replaced[name(slot)]["cpus"] == before[name(slot)]["cpus"]


def test_two_missing_gpus_of_one_node_stay_where_they_were():
    host = PlotHost(plot_server_gpus=uuids(EIGHT))
    before = host.run(EIGHT)
    assert differing(before, host.run(with_gpus(EIGHT, uuids(EIGHT)[2:]))) == [name(0), name(1)]
    assert differing(before, host.run(with_gpus(EIGHT, uuids(EIGHT)[1:]))) == [name(0)]


def test_a_replacement_that_is_not_there_yet_keeps_the_place_of_the_slot():
    host = PlotHost(plot_server_gpus=uuids(UNEVEN))
    before = host.run(UNEVEN)
    listed = [uuids(UNEVEN)[0], "GPU-ordered", uuids(UNEVEN)[2]]
    assert differing(before, host.run(with_gpus(UNEVEN, listed), plot_server_gpus=listed)) == [name(1)]


def test_the_inventory_can_name_the_node_of_a_missing_gpu():
    listed = uuids(UNEVEN)
    left = with_gpus(UNEVEN, listed[:2])
    node = UNEVEN["gpus"][2]["numa_node"]
    complete = PlotHost(plot_server_gpus=listed).run(UNEVEN)
    assert differing(
        complete, PlotHost(plot_server_gpus=listed, plot_server_gpu_numa_nodes={listed[2]: node}).run(left)
    ) == [name(2)]


def test_a_new_gpu_at_the_end_of_the_list_moves_nothing_on_other_nodes():
    listed = uuids(EIGHT)
    host = PlotHost(plot_server_gpus=listed[:7])
    before = host.run(EIGHT)
    after = host.run(EIGHT, plot_server_gpus=listed)
    same_node = [slot for slot in range(8) if EIGHT["gpus"][slot]["numa_node"] == EIGHT["gpus"][7]["numa_node"]]
    assert differing(before, after) == [name(slot) for slot in same_node]
    assert all(before[name(slot)]["command"] == after[name(slot)]["command"] for slot in range(7))


def test_a_subset_of_the_gpus_shares_the_cores_of_its_nodes():
    programs = PlotHost(plot_server_gpus=[uuids(EIGHT)[1]], plot_server_gpu_numa_nodes={uuids(EIGHT)[0]: 0}).run(EIGHT)
    assert list(programs) == [name(0)]
    assert programs[name(0)]["environment"] == {"CUDA_VISIBLE_DEVICES": uuids(EIGHT)[1]}


def test_without_a_list_renumbering_is_refused_with_the_list_to_paste():
    host = PlotHost()
    before = host.run(EIGHT)
    left = with_gpus(EIGHT, uuids(EIGHT)[1:])
    with pytest.raises(
        SettingsError,
        match="Plot servers would be renumbered: GPU .* from 1 to 0.*nothing is changed.*plot_server_gpus",
    ) as refusal:
        host.run(left)
    pasted = json.loads(str(refusal.value).partition("plot_server_gpus: ")[2])
    assert differing(before, host.run(left, plot_server_gpus=pasted)) == [name(0)]


def test_without_a_list_a_new_card_between_others_is_refused_and_one_behind_them_is_not():
    host = PlotHost()
    host.run(with_gpus(EIGHT, uuids(EIGHT)[:7]))
    host.run(EIGHT)
    host = PlotHost()
    host.run(with_gpus(EIGHT, uuids(EIGHT)[1:]))
    with pytest.raises(SettingsError, match="from 0 to 1"):
        host.run(EIGHT)


def test_without_a_list_a_replaced_card_renumbers_nobody():
    host = PlotHost()
    before = host.run(EIGHT)
    assert differing(before, host.run(with_gpus(EIGHT, uuids(EIGHT), {uuids(EIGHT)[3]: "GPU-new"}))) == [name(3)]


@pytest.mark.parametrize("way", [{"plot_server_state": "stopped"}, {"cluster_accept": ["GPU008"]}])
def test_stopped_plot_servers_and_accepted_renumbering_are_not_refused(way):
    host = PlotHost()
    host.run(EIGHT)
    assert len(host.run(with_gpus(EIGHT, uuids(EIGHT)[1:]), **way)) == 7


@pytest.mark.parametrize("listed", [[], uuids(EIGHT)])
def test_plot_servers_are_not_stopped_because_no_gpu_was_seen_at_all(listed):
    host = PlotHost(plot_server_gpus=listed)
    host.run(EIGHT)
    with pytest.raises(SettingsError, match="no GPU for plot servers was found, and nothing is changed"):
        host.run(with_gpus(EIGHT, []))


def test_a_file_damaged_by_hand_is_as_good_as_none():
    assert remembered_slots(parse_programs("[program:autonomys-plot-server-0]\nno option", PATH)) == {
        0: {"gpu": None, "cpus": None}
    }
    assert remembered_slots([{"name": "autonomys-node", "file": PATH, "cpus": None, "gpu": None}]) == {}


def test_a_missing_gpu_is_expected_to_be_stopped():
    host = PlotHost(plot_server_gpus=uuids(EIGHT))
    host.run(EIGHT)
    facts = read(with_gpus(EIGHT, uuids(EIGHT)[1:]), host.text)
    first, second = expectations("plot_server", host.settings, facts)[:2]
    assert first == {"name": name(0), "stopped": f"its GPU {uuids(EIGHT)[0]} is missing"}
    assert second["gpus"] == [uuids(EIGHT)[1]]
