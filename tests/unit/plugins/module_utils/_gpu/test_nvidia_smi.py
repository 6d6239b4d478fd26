# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.autonomys.cluster.plugins.filter.nvidia_topo import nvidia_topo
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.nvidia_errors import (
    NvidiaError,
    explain_error,
    explain_line,
    explain_status,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.nvidia_smi import (
    normalize_bus_id,
    parse_compute_apps,
    parse_nic_legend,
    parse_query,
    parse_topo,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

FIXTURES = Path(__file__).parents[4] / "fixtures" / "topologies"


def lines_of(name):
    return [json.loads(line) for line in (FIXTURES / name).read_text(encoding="utf-8").splitlines()]


def text_of(name):
    return (FIXTURES / name).read_bytes().decode("utf-8")


@pytest.mark.parametrize("case", lines_of("index.jsonl"), ids=lambda case: case["file"])
def test_real_output(case):
    text = text_of(case["file"])
    if "crlf" in case["tags"]:
        text = text.replace("\n", "\r\n")
    found = parse_topo(text)
    links = {name: gpu.pop("links") for name, gpu in found.items()}
    assert found == case["expected"]
    for name, row in links.items():
        assert set(row) <= (set(links) | set(case["nic_columns"])) - {name}


@pytest.mark.parametrize("case", lines_of("errors.jsonl"), ids=lambda case: case["file"])
def test_error_output_says_what_to_do(case):
    text = text_of(case["file"])
    with pytest.raises(AnsibleFilterError) as caught:
        nvidia_topo(text)
    message = str(caught.value)
    assert text.strip().splitlines()[0] in message
    assert any(word in message for word in ("reboot", "run ", "check", "look", "install"))


@pytest.mark.parametrize("cell", ["9" * 5000, "0-" + "9" * 5000, "0,123456"])
def test_a_number_that_no_cpu_has_is_unknown(cell):
    assert parse_topo(f"\tGPU0\tCPU Affinity\tNUMA Affinity\nGPU0\t X \t{cell}\t0\n")["GPU0"] == {
        "cpu_affinity": None,
        "numa_affinity": "0",
        "gpu_numa_id": None,
        "links": {},
    }


def test_error_kinds_are_told_apart():
    meanings = {
        explain_error(text_of(case["file"]), case["rc_expected"]).split(" (it said")[0]
        for case in lines_of("errors.jsonl")
    }
    assert len(meanings) == len(lines_of("errors.jsonl"))


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("", "printed nothing"),
        ("hello\n", "is not a matrix of nvidia-smi topo -m"),
        ("bash: nvidia-smi: command not found\n", "not installed"),
        (" \tGPU0\tGPU1\n GPU0\tX\tOK\n GPU1\tOK\tX\n\nLegend:\n  OK = Status Ok\n", "topo -p2p, which names no CPUs"),
    ],
)
def test_text_without_a_matrix(text, wanted):
    with pytest.raises(NvidiaError, match=wanted):
        parse_topo(text)


def test_filter_refuses_what_is_no_text():
    with pytest.raises(AnsibleFilterError, match="reads the text of nvidia-smi topo -m, not dict"):
        nvidia_topo({})


def test_warning_beside_a_matrix_is_no_error():
    assert parse_topo(text_of("errors/inforom_warning.txt") + "\n" + text_of("012.txt")) == parse_topo(
        text_of("012.txt")
    )


def test_links():
    gpu = parse_topo(text_of("037.txt"))["GPU2"]
    assert gpu["links"] == {
        "GPU0": "NV18",
        "GPU1": "NV18",
        "GPU3": "NV18",
        "NIC0": "SYS",
        "NIC1": "SYS",
        "NIC2": "NODE",
        "NIC3": "NODE",
    }


def test_two_matrices_in_one_text_leave_only_what_they_agree_on():
    one = "\tGPU0\tCPU Affinity\tNUMA Affinity\nGPU0\t X \t0-3\t\t0\n"
    other = "\tGPU0\tCPU Affinity\tNUMA Affinity\nGPU0\t X \t4-7\t\t0\n"
    assert parse_topo(one + "\n" + other)["GPU0"] == {
        "cpu_affinity": None,
        "numa_affinity": "0",
        "gpu_numa_id": None,
        "links": {},
    }
    assert parse_topo(one + "\n" + one)["GPU0"]["cpu_affinity"] == "0-3"


@pytest.mark.parametrize(
    "tail, cpus, numa",
    [
        ("0-47,96-1430N/A", "0-47,96-143", "0"),  # 96-14 would run backwards: one reading
        ("0-1270N/A", None, None),  # 0-127 and 0, or 0-12 and 70
        ("0-127N/AN/A", "0-127", None),
        ("0-47,96-1430\t\tN/A", None, None),
        ("96-14\t0\tN/A", None, "0"),
        ("0-3,2-5\t0\tN/A", None, "0"),
        ("0-99999\t0\tN/A", None, "0"),
        ("0-3, 8-11\t0\tN/A", "0-3,8-11", "0"),
        ("0\u20133\t0\tN/A", "0-3", "0"),
        ("\t\t\tN/A", None, None),
        ("", None, None),
    ],
)
def test_damaged_right_columns(tail, cpus, numa):
    row = parse_topo(f"\tGPU0\tCPU Affinity\tNUMA Affinity\tGPU NUMA ID\nGPU0\t X \t{tail}\n")["GPU0"]
    assert (row["cpu_affinity"], row["numa_affinity"]) == (cpus, numa)


def test_header_that_lost_its_right_end():
    row = parse_topo("\tGPU0\tCPU Affinity\tNUMA Af\nGPU0\t X \t0-3\t0\tN/A\n")["GPU0"]
    assert row == {"cpu_affinity": "0-3", "numa_affinity": "0", "gpu_numa_id": "N/A", "links": {}}
    row = parse_topo("\tGPU0\tGPU1\tCPU Affinity\tNUMA Affinity\nGPU0\t X \tN/A\t0-3\t1\n")["GPU0"]
    assert (row["cpu_affinity"], row["numa_affinity"]) == (None, None)


@pytest.mark.parametrize(
    "cells, cpus", [("NV120-35", None), ("NV180-35", "0-35"), ("NV40-23", "0-23"), ("NV1-35", None), ("SYS7", "7")]
)
def test_link_glued_to_cpus(cells, cpus):
    assert (
        parse_topo(f"\tGPU0\tGPU1\tCPU Affinity\nGPU0\t X \t{cells}\nGPU1\tSYS\t X \t0-3\n")["GPU0"]["cpu_affinity"]
        == cpus
    )


@pytest.mark.parametrize("columns", ["CPU Affinity\tNUMA Affinity", "CPU Affinity\tNUMA Affinity\tGPU NUMA ID"])
def test_link_number_broken_by_a_narrow_terminal(columns):
    """Whether NV1 and 2, or NV12, stands there cannot be seen, nor then which cells follow."""
    text = f"\tGPU0\tGPU1\t{columns}\nGPU0\t X \tNV1\n2  0  1\nGPU1\tNV1\t X\n  2  3\n"
    assert parse_topo(text)["GPU0"] == {
        "cpu_affinity": None,
        "numa_affinity": None,
        "gpu_numa_id": None,
        "links": {},
    }


# Rendering: what a matrix looks like, in all the ways that were seen


@st.composite
def cpu_lists(draw, largest=383, most=6):
    cpus = sorted(draw(st.sets(st.integers(0, largest), min_size=1, max_size=2 * most)))
    if len(cpus) % 2:
        return ",".join(str(cpu) for cpu in cpus[:most])
    return ",".join(f"{first}-{last}" for first, last in zip(cpus[::2], cpus[1::2]))


@st.composite
def matrices(draw, odd=()):
    gpus = draw(st.integers(1, 5))
    nics = draw(st.integers(0, 3))
    prefix = draw(st.sampled_from(["NIC", "mlx5_"]))
    names = [f"GPU{number}" for number in range(gpus)] + [f"{prefix}{number}" for number in range(nics)]
    link = st.sampled_from(["SYS", "NODE", "PHB", "PXB", "PIX", "SOC", "NV1", "NV4", "NV12", "NV18", *odd])
    columns = draw(
        st.sampled_from(
            [["cpu_affinity"], ["cpu_affinity", "numa_affinity"], ["cpu_affinity", "numa_affinity", "gpu_numa_id"]]
        )
    )
    numa = st.one_of(st.integers(0, 31).map(str), st.sampled_from(["0-1", "0,8,252-255", "N/A"]))
    rows = {}
    for name in names:
        cells = {"links": {other: draw(link) for other in names if other != name}}
        for column, values in (
            ("cpu_affinity", st.one_of(cpu_lists(), st.just("N/A"))),
            ("numa_affinity", numa),
            ("gpu_numa_id", st.sampled_from(["N/A", "2", "10"])),
        ):
            cells[column] = draw(values) if column in columns else None
        rows[name] = cells
    return names, columns, rows


TITLES = {"cpu_affinity": "CPU Affinity", "numa_affinity": "NUMA Affinity", "gpu_numa_id": "GPU NUMA ID"}


def expected(matrix):
    names, unused, rows = matrix
    unknown = {"cpu_affinity": (None, "N/A"), "numa_affinity": (None, "N/A")}
    return {
        name: {key: None if value in unknown.get(key, ()) else value for key, value in rows[name].items()}
        for name in names
        if name.startswith("GPU")
    }


def cells_of(matrix):
    """Return the matrix as a table of cells, with the header."""
    names, columns, rows = matrix
    table = [["", *names, *[TITLES[column] for column in columns]]]
    for name in names:
        links = [" X " if other == name else rows[name]["links"][other] for other in names]
        table.append([name, *links, *([rows[name][column] for column in columns] if name.startswith("GPU") else [])])
    return table


def render(table, separators):
    """Join the cells; ``separators`` gives the blanks after each cell."""
    return [row[0] + "".join(next(separators) + cell for cell in row[1:]) for row in table]


LEGEND = [
    "",
    "Legend:",
    "",
    "  X    = Self",
    "  SYS  = Connection traversing PCIe as well as the SMP interconnect between NUMA nodes (e.g., QPI/UPI)",
    "  NV#  = Connection traversing a bonded set of # NVLinks",
    "",
    "NIC Legend:",
    "",
    "  NIC0: mlx5_0",
]


@settings(max_examples=150, deadline=None)
@given(matrices(), st.data())
def test_any_rendering_gives_the_matrix_back(matrix, data):
    blanks = st.sampled_from(["\t", "\t\t", " ", "   ", " \t", "\u00a0\t", "        "])
    separator = data.draw(st.one_of(st.just("\t"), st.just(" "), st.none()), label="separator")
    separators = iter(lambda: separator or data.draw(blanks), None)
    lines = render(cells_of(matrix), separators)
    if data.draw(st.booleans(), label="header not indented"):
        lines[0] = lines[0].lstrip()
    escape = data.draw(st.sampled_from([None, "\x1b", "\ufffd", ""]), label="escape")
    if escape is not None:
        lines[0] = f"{escape}[4m{lines[0]}{escape}[0m"
    lines += data.draw(st.sampled_from([[], LEGEND]), label="legend")
    prefix = data.draw(
        st.sampled_from(["", "    ", "INFO 2025-04-06T03:02:45.843487262Z ", "[rank0]: ", "(Worker pid=123) ", "> "]),
        label="prefix",
    )
    padding = data.draw(st.sampled_from(["", "   ", " " * 120]), label="padding")
    end = data.draw(st.sampled_from(["\n", "\r\n"]), label="line end")
    before = data.draw(
        st.sampled_from(["", "WARNING: infoROM is corrupted at gpu 0000:B3:00.0\n", "$ nvidia-smi topo -m\n"]),
        label="before",
    )
    text = before + end.join(prefix + line + padding for line in lines) + end
    assert parse_topo(text) == expected(matrix)


def assert_nothing_wrong(found, matrix):
    """Every value is the true one or unknown."""
    assert set(found) <= set(expected(matrix))
    for name, truth in expected(matrix).items():
        if name not in found:
            continue
        for key in ("cpu_affinity", "numa_affinity"):
            assert found[name][key] in (truth[key], None), (name, key)
        assert found[name]["links"] in (truth["links"], {})


ODD_LINKS = ("DIS", "UNK", "XGMI", "?", "N/A", "ERR!", "[N/A]")


@settings(max_examples=200, deadline=None)
@given(matrices(odd=ODD_LINKS), st.sampled_from(["\t", " ", "\t\t", "      "]), st.sampled_from(["", "[rank0]: "]))
def test_unknown_links_are_never_read_wrong(matrix, separator, prefix):
    """A row ends where its line ends: no other GPU's values are read, and no row vanishes."""
    lines = render(cells_of(matrix), iter(lambda: separator, None))
    found = parse_topo("\n".join(prefix + line for line in lines) + "\n")
    assert_nothing_wrong(found, matrix)
    assert list(found) == list(expected(matrix))


@settings(max_examples=200, deadline=None)
@given(matrices(odd=ODD_LINKS), st.integers(25, 90), st.booleans())
def test_wrapped_lines_with_unknown_links_are_never_read_wrong(matrix, width, trimmed):
    try:
        assert_nothing_wrong(parse_topo(wrapped(matrix, width, trimmed)), matrix)
    except NvidiaError:
        return


@settings(max_examples=200, deadline=None)
@given(matrices(), st.data())
def test_glued_cells_are_never_read_wrong(matrix, data):
    glued = data.draw(st.lists(st.integers(0, 30), min_size=1, max_size=3), label="glued cells")
    table = cells_of(matrix)
    table = [table[0], *[[cell.strip() if number else cell for number, cell in enumerate(row)] for row in table[1:]]]
    lines = [render([table[0]], iter(lambda: "\t", None))[0]]
    for row in table[1:]:
        lost = {number % max(1, len(row) - 1) for number in glued} - {0}
        lines.append(render([row], iter(["" if number in lost else "\t" for number in range(len(row) - 1)]))[0])
    assert_nothing_wrong(parse_topo("\n".join(lines) + "\n"), matrix)


def wrapped(matrix, width, trimmed):
    """Return the matrix as a terminal of this width shows it."""
    lines = []
    for line in render(cells_of(matrix), iter(lambda: "\t", None)):
        line = line.expandtabs()
        parts = [line[start : start + width] for start in range(0, len(line), width)]
        lines += [part.rstrip() for part in parts] if trimmed else parts
    return "\n".join(lines) + "\n"


@settings(max_examples=200, deadline=None)
@given(matrices(), st.integers(25, 90), st.booleans())
def test_wrapped_lines_are_never_read_wrong(matrix, width, trimmed):
    text = wrapped(matrix, width, trimmed)
    try:
        found = parse_topo(text)
    except NvidiaError:
        return
    assert_nothing_wrong(found, matrix)
    if not trimmed and all(len(line) % width for line in text.splitlines()):
        assert list(found) == list(expected(matrix))


# The other outputs


UUID = "GPU-11111111-2222-3333-4444-000000000000"
GOOD = f"0, {UUID}, NVIDIA GeForce RTX 4090, 00000000:01:00.0, 24564, 550.54.14"


def test_query():
    text = f"{GOOD}\r\n1, GPU-bb, Odd, Name, 00010000:C1:00.0, [N/A], [Unknown Error]\n"
    query = parse_query(text)
    assert query.gpus == [
        {
            "index": 0,
            "uuid": UUID,
            "name": "NVIDIA GeForce RTX 4090",
            "bus_id": "0000:01:00.0",
            "memory_mib": 24564,
            "driver_version": "550.54.14",
        },
        {
            "index": 1,
            "uuid": "GPU-bb",
            "name": "Odd, Name",
            "bus_id": "10000:c1:00.0",
            "memory_mib": None,
            "driver_version": None,
        },
    ]
    assert (query.lost, query.lines) == ([], [])


@pytest.mark.parametrize(
    "line, bus_id, error",
    [
        ("1, [GPU is lost], NVIDIA A5000, 00000000:41:00.0, [GPU is lost], 550", "0000:41:00.0", "[GPU is lost]"),
        ("1, [Unknown Error], [Unknown Error], 00000000:41:00.0, 1, 550", "0000:41:00.0", "[Unknown Error]"),
        ("1, ERR!, NVIDIA A5000, 00000000:41:00.0, 24564, 550", "0000:41:00.0", "ERR!"),
        ("1, N/A, NVIDIA A5000, 00000000:41:00.0, 24564, 550", "0000:41:00.0", "N/A"),
        ("1, , NVIDIA A5000, 00000000:41:00.0, 24564, 550", "0000:41:00.0", ""),
        (f"1, {UUID}, NVIDIA A5000, [GPU is lost], 24564, 550", None, "[GPU is lost]"),
        (f"1, {UUID}, NVIDIA A5000, 00000000:41:00.0, [GPU is lost], 550", "0000:41:00.0", "[GPU is lost]"),
        (f"1, {UUID}, [GPU requires reset], 00000000:41:00.0, 1, 550", "0000:41:00.0", "[GPU requires reset]"),
        ("1, GPU-<unknown>, NVIDIA A5000, 00000000:41:00.0, 24564, 550", "0000:41:00.0", "GPU-<unknown>"),
    ],
)
def test_text_of_an_error_is_no_value(line, bus_id, error):
    query = parse_query(f"{GOOD}\n{line}\n")
    assert [gpu["uuid"] for gpu in query.gpus] == [UUID]
    assert query.lost == [(1, bus_id, error)]
    sentence = str(query.lost[0])
    assert "GPU1" in sentence and (bus_id or "") in sentence and "reboot" in sentence
    assert error in sentence and (error or "nothing where its UUID should be" in sentence)


def test_a_gpu_that_is_well_may_lack_values():
    [gpu] = parse_query(f"0, {UUID}, [N/A], [N/A], [Not Supported], [N/A]\n").gpus
    assert (gpu["name"], gpu["bus_id"], gpu["memory_mib"], gpu["driver_version"]) == (None, None, None, None)


@pytest.mark.parametrize(
    "line",
    [
        "Unable to determine the device handle for gpu 0000:18:00.0: Unknown Error",
        "WARNING: infoROM is corrupted at gpu 0000:B3:00.0",
        "index, uuid, name",
        "\u00b2, GPU-aa, NVIDIA A5000, 00000000:41:00.0, 24564, 550",
        "9" * 5000 + ", GPU-aa, NVIDIA A5000, 00000000:41:00.0, 24564, 550",
    ],
)
def test_a_line_that_is_no_gpu_is_told(line):
    query = parse_query(f"{line}\n\n{GOOD}\n")
    assert (len(query.gpus), query.lost, query.lines) == (1, [], [line])
    assert line[:200] in explain_line(line) and "topo -m" not in explain_line(line)


@pytest.mark.parametrize(
    "text",
    ["", "No devices were found\n", "Unable to determine the device handle for GPU 0000:0B:00.0: Unknown Error\n"],
)
def test_query_without_gpus(text):
    assert parse_query(text).gpus == []


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.lists(
            st.sampled_from(
                [
                    "0",
                    "1",
                    UUID,
                    "GPU-",
                    "[GPU is lost]",
                    "[N/A]",
                    "",
                    "00000000:01:00.0",
                    "24564",
                    "550.54",
                    "a",
                    "\xb2",
                ]
            ),
            max_size=8,
        )
    )
)
@example([["0", UUID, "[N/A]", "0", "[N/A]", "0", "0"]])
def test_what_is_called_a_gpu_can_be_named(rows):
    query = parse_query("\n".join(", ".join(row) for row in rows))
    assert len(query.gpus) + len(query.lost) + len(query.lines) == sum(1 for row in rows if ", ".join(row).strip())
    for gpu in query.gpus:
        assert gpu["uuid"] == UUID and gpu["bus_id"] in ("0000:01:00.0", None)
        assert "[" not in str(gpu)


@pytest.mark.parametrize(
    "status, stderr, wanted",
    [
        (15, "", "a GPU has fallen off the bus or cannot be reached"),
        (9, "", "the NVIDIA driver is not loaded"),
        (8, "", "external power cables"),
        (255, "", "nvidia-smi ended with status 255"),
        (15, "Unable to determine the device handle for GPU 0000:0B:00.0: GPU is lost.", "(it said: Unable to"),
        (4, "odd", "(it said: odd)"),
    ],
)
def test_what_a_status_means_that_came_with_an_answer(status, stderr, wanted):
    assert wanted in explain_status(status, stderr)
    assert "printed nothing" not in explain_status(status, stderr)


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("00000000:01:00.0", "0000:01:00.0"),
        ("0000:C1:00.0", "0000:c1:00.0"),
        ("01:00.0", "0000:01:00.0"),
        ("00010000:01:00", "10000:01:00.0"),
        ("", None),
        (None, None),
        ("nonsense", None),
        ("0000:01:00.9", None),
    ],
)
def test_bus_id(text, wanted):
    assert normalize_bus_id(text) == wanted


def test_nic_legend():
    assert parse_nic_legend(text_of("013.txt")) == {"NIC0": "mlx5_0", "NIC1": "mlx5_1"}


def test_compute_apps():
    text = "10, GPU-aaaa\n10, GPU-bbbb\n11, GPU-aaaa\n\nNo running processes found\n[Insufficient Permissions], GPU-x\n"
    text += "12, [Unknown Error]\n\u00b2, GPU-aaaa\n"
    assert parse_compute_apps(text) == {10: ["GPU-aaaa", "GPU-bbbb"], 11: ["GPU-aaaa"]}
