# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws the pictures of docs/numa.md again: ``make pictures``."""

from __future__ import annotations

import json
from pathlib import Path

from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.numa_plan import numa_plan
from ansible_collections.autonomys.cluster.plugins.plugin_utils._plan.machine_picture import draw_machine

ROOT = Path(__file__).parents[1]
MACHINE = ROOT / "tests/fixtures/machines/seed-2x48c-4gpu.json"
# The masks of the tutorial's example of autonomys-plot-server.conf.
TUTORIAL = ("0-31", "96-127", "96-127", "144-175")


def pictures():
    """The pictures by the paths of their files."""
    topology = json.loads(MACHINE.read_text(encoding="utf-8"))["topology"]
    tutorial = [
        {"index": gpu["index"], "bus_id": gpu["bus_id"], "cpus": cpus} for gpu, cpus in zip(topology["gpus"], TUTORIAL)
    ]
    return {
        ROOT / "docs/numa-tutorial.svg": draw_machine(topology, tutorial, "The tutorial's masks: 2 × 48 cores, 4 GPUs"),
        ROOT / "docs/numa-planned.svg": draw_machine(
            topology, numa_plan(topology)["gpus"], "Planned: the same machine, 2 cores of each node kept back"
        ),
    }


if __name__ == "__main__":
    for path, text in pictures().items():
        path.write_text(text, encoding="utf-8")
