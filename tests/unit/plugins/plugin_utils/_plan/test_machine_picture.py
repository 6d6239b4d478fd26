# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pictures say what the plan says, and those that are committed are what the code draws."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._cpuset import parse_cpu_list
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.numa_plan import faults, numa_plan
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.topology import read_topology
from ansible_collections.autonomys.cluster.plugins.plugin_utils._plan.machine_picture import draw_machine

ROOT = Path(__file__).parents[5]
MACHINES = ROOT / "tests/fixtures/machines"
PLANNED = sorted(path.stem for path in MACHINES.glob("*.json") if not path.stem.startswith("sysfs-"))
SVG = "{http://www.w3.org/2000/svg}"


def script(path):
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def topology(name="seed-2x48c-4gpu"):
    return json.loads((MACHINES / (name + ".json")).read_text(encoding="utf-8"))["topology"]


def owners_drawn(svg):
    """CPU list of each core to who owns it, in the picture's words."""
    titles = [
        element.text for element in ElementTree.fromstring(svg).iter(SVG + "title") if element.text.startswith("CPU ")
    ]
    return dict(re.match(r"CPU (.*?): (.*)", title).groups() for title in titles)


@pytest.mark.parametrize(
    "path, text", script("tests/pictures.py").pictures().items(), ids=lambda value: getattr(value, "name", "")
)
def test_the_committed_picture_is_what_the_code_draws(path, text):
    assert path.read_text(encoding="utf-8") == text, "run make pictures"


@pytest.mark.parametrize("name", PLANNED)
def test_every_core_stands_in_the_picture_once_with_its_owner(name):
    machine = topology(name)
    plan = numa_plan(machine)
    svg = draw_machine(machine, plan["gpus"], name)
    drawn = owners_drawn(svg)
    assert sorted(cpu for core in drawn for cpu in parse_cpu_list(core)) == sorted(
        parse_cpu_list(machine["cpus"]["online"])
    )
    for number, gpu in enumerate(plan["gpus"]):
        mine = {
            cpu
            for core, owner in drawn.items()
            if f"plot server {gpu['index']}" in re.split(" and |, ", owner)
            for cpu in parse_cpu_list(core)
        }
        assert parse_cpu_list(gpu["cpus"]) <= mine, number
    # Nothing is drawn outside the page.
    width, height = (float(number) for number in ElementTree.fromstring(svg).get("viewBox").split()[2:])
    for box in ElementTree.fromstring(svg).iter(SVG + "rect"):
        assert float(box.get("x")) + float(box.get("width")) <= width
        assert float(box.get("y")) + float(box.get("height")) <= height


def test_the_tutorials_masks_are_shown_with_their_faults():
    svg = script("tests/pictures.py").pictures()[ROOT / "docs/numa-tutorial.svg"]
    assert "3 share cores with another, 1 not on their GPU&#x27;s" in svg
    drawn = owners_drawn(svg)
    assert drawn["0,96"] == "plot server 0, plot server 1 and plot server 2"
    assert drawn["48,144"] == "free, plot server 3"
    assert drawn["95,191"] == "free"


def test_names_are_escaped_and_a_gpu_of_no_node_is_drawn():
    machine = topology()
    machine["gpus"][0]["numa_node"] = None
    svg = draw_machine(machine, numa_plan(machine)["gpus"], "<a> & b")
    assert "&lt;a&gt; &amp; b" in svg
    assert "NUMA node unknown" in svg


def test_a_plan_by_slots_shows_the_slots():
    machine = topology()
    gpus = [dict(gpu, slot=slot) for slot, gpu in enumerate(reversed(numa_plan(machine)["gpus"]))]
    assert owners_drawn(draw_machine(machine, gpus, "x"))["95,191"] == "plot server 0"


def test_a_missing_gpu_is_drawn_with_the_cores_that_wait_for_it():
    machine = topology()
    gpus = numa_plan(machine)["gpus"]
    gpus[2].update(missing=True, bus_id=None)
    del machine["gpus"][2]
    svg = draw_machine(machine, gpus, "x")
    assert "2  GPU missing" in svg and "Every plot server has whole cores of its own" in svg
    assert owners_drawn(svg)["71,167"] == "plot server 2"


GOOD = ["1-23,97-119", "25-47,121-143", "49-71,145-167", "73-95,169-191"]


@pytest.mark.parametrize(
    "sets, counts",
    [
        (GOOD, {}),
        (["0-31", "96-127", "96-127", "144-175"], {"overlapping": 3, "off_node": 1, "split_cores": 64, "shared_l3": 6}),
        ([None, "", "0-500", "x"], {"failed": 4}),
        ([GOOD[1], GOOD[0], GOOD[3], GOOD[2]], {}),
        ([GOOD[2], GOOD[3], GOOD[0], GOOD[1]], {"off_node": 4}),
        (["1-3,97-99", "4,100", "49,145", "73,169"], {"shared_l3": 1}),
    ],
)
def test_faults_of_sets_are_counted_whoever_chose_them(sets, counts):
    machine = topology()
    found = faults(machine, list(zip(machine["gpus"], sets)))
    assert {name: number for name, number in found.items() if number} == counts


@pytest.mark.parametrize("name", ["seed-2x48c-4gpu", "offline-some", "dgxa100-nps4-8gpu"])
def test_the_trees_of_the_comparison_say_what_the_machines_say(tmp_path, name):
    bench = script("tests/bench/bench_numa.py")
    machine = topology(name)
    bench.write_tree(tmp_path, bench.sysfs(machine))
    read = read_topology(str(tmp_path))["topology"]["cpus"]
    for key in ("online", "cores", "l3"):
        assert read[key] == machine["cpus"][key]
    for number, node in machine["cpus"]["nodes"].items():
        assert {key: read["nodes"][number][key] for key in ("cpus", "package", "distance")} == {
            key: node[key] for key in ("cpus", "package", "distance")
        }


def test_hwlocs_notation():
    assert script("tests/bench/bench_numa.py").hwloc_set("0x3fff0000,,,0x00003fff") == "0-13,112-125"
