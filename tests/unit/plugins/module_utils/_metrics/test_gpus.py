# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The metrics of GPUs."""

from __future__ import annotations

from ansible_collections.autonomys.cluster.plugins.module_utils._metrics import gpus
from ansible_collections.autonomys.cluster.plugins.module_utils._metrics.exposition import exposition

UUID = "GPU-8bef1e15-547f-5c50-b109-6c461a1583e7"
ANSWER = f"{UUID}, 61, 287.41, 10240, 98, 8, 16, [N/A], 0x0000000000000044\n[GPU is lost], 1, 1, 1, 1, 1, 1, 1, 0x0\n"
LOG = """NVRM: Xid (PCI:0000:41:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.
usb 1-1: new device
NVRM: Xid (PCI:0000:41:00): 13, pid=77, Graphics Exception
NVRM: GPU at PCI:0000:42:00.0: GPU has fallen off the bus and is not responding to commands.
NVRM: Xid (PCI:0000:41:00): 13, pid=78, Graphics Exception
"""


def samples(families):
    lines = [line for line in exposition(families).split("\n") if line and not line.startswith("#")]
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def test_states_of_gpus_that_are_well_and_lost():
    [state] = gpus.parse_states(ANSWER)
    assert (state.uuid, state.throttled) == (UUID, 0x44)
    assert state.numbers["power.draw"] == 287.41 and state.numbers["ecc.errors.uncorrected.volatile.total"] is None


def test_errors_are_counted_by_gpu_and_number():
    # A GPU can leave without a number.
    assert gpus.parse_xids(LOG) == {"0000:41:00 79": 1, "0000:41:00 13": 2, "0000:42:00.0 79": 1}


def test_the_metrics_of_a_host_that_lacks_a_gpu():
    reading = {"topology": {"gpus": [{"uuid": UUID}]}, "gpu_error": None}
    found = samples(gpus.gpu_families(reading, (2, 1), gpus.parse_states(ANSWER), {"0000:41:00 79": 1}))
    assert (found["autonomys_gpus_expected"], found["autonomys_gpus_present"]) == (2, 1)
    assert found["autonomys_gpu_query_ok"] == 1
    assert found['autonomys_gpu_xid_total{bus_id="0000:41:00",xid="79"}'] == 1
    assert found[f'autonomys_gpu_memory_used_bytes{{uuid="{UUID}"}}'] == 10240 * 1048576
    assert found[f'autonomys_gpu_throttled{{reason="hardware thermal",uuid="{UUID}"}}'] == 1
    # A limit of power that is reached is none that is wrong.
    assert found[f'autonomys_gpu_throttled{{reason="hardware slowdown",uuid="{UUID}"}}'] == 0
    assert not any("ecc" in sample for sample in found)


def test_a_driver_that_does_not_answer():
    for reading in ({"error": "no answer within 120 s"}, {"topology": {"gpus": []}, "gpu_error": "nvidia-smi hangs"}):
        found = samples(gpus.gpu_families(reading, (8, 0), None, {}))
        assert (found["autonomys_gpu_query_ok"], found["autonomys_gpus_present"]) == (0, 0)


def test_masks_are_compared_as_sets():
    expected = [
        {"name": "a", "cpus": "0-3"},
        {"name": "b", "cpus": "4-7"},
        {"name": "c"},
        {"name": "gone", "cpus": "1"},
    ]
    programs = [
        {"name": "a", "cpus_allowed": "0,1-3"},
        {"name": "b", "cpus_allowed": "0-7"},
        {"name": "c", "cpus_allowed": "0-7"},
    ]
    assert samples(gpus.mask_families(expected, programs)) == {
        'autonomys_program_mask_as_planned{program="a"}': 1,
        'autonomys_program_mask_as_planned{program="b"}': 0,
    }
