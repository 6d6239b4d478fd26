# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Reads what ``nvidia-smi`` prints: the matrix of ``topo -m``, the tables of its queries, and its error messages.

The matrix is read token by token, not by columns: real outputs come with tabs or spaces, colour codes, log prefixes,
glued cells, wrapped or truncated headers. Where the text allows more than one reading of a value the value is unknown
(None), never a guess.
"""

from __future__ import annotations

import re
from typing import NamedTuple, Sequence, TypedDict

from .._foreign import reads_foreign
from .._host.parse import natural
from .nvidia_errors import NvidiaError, clean, explain_error

QUERY_FIELDS = ("index", "uuid", "name", "pci.bus_id", "memory.total", "driver_version")

# What a cell of the matrix can be. The number of NVLinks has at most two digits: with more the cell is glued to its
# neighbour.
_LINK = r"NV[0-9]{1,2}|NVB|NODE|SYS|SOC|PHB|PXB|PIX|PSB|C2C|X"
_LINK_RE = re.compile(_LINK)
_CELLS_RE = re.compile(rf"(?:\s*(?:{_LINK}|N/A))*\s*\Z")
_ROW_RE = re.compile(rf"(?<![A-Za-z0-9_-])(GPU[0-9]+)(?=\s*(?:{_LINK}))")
# A row whose first cell is none of the known links; looked for only below a row that is certain.
_UNKNOWN_CELL = r"[A-Z][A-Z0-9]{0,4}|N/A|\?+|ERR!|-+|\[[^\]]*\]|[Uu]nknown"
_ODD_ROW_RE = re.compile(rf"(?<![A-Za-z0-9_-])(GPU[0-9]+)(?=\s+(?!GPU|NIC|CPU|NUMA)(?:{_UNKNOWN_CELL})(?:\s|\Z))")
# Links that are not known are words, what follows them never is. A known one can be the beginning of such a word.
_UNKNOWN_LINKS_RE = re.compile(r"(?:(?!N/A)[A-Za-z]\S*)?(?:\s+(?!N/A)(?=\S*[A-Za-z?!\[])[^\s0-9]\S*)*")
_PEER_ROW_RE = re.compile(r"(?<![A-Za-z0-9_-])GPU[0-9]+(?:\s+X)?\s+(?:OK|CNS|NS|GNS|TNS|DR)(?:\s|\Z)")
_OTHER_ROW_RE = re.compile(rf"(?<![A-Za-z0-9-])[A-Za-z][A-Za-z0-9_.-]*[0-9]\s+(?:{_LINK})(?![a-z])|\s*NIC[0-9]+\s")
_CONTINUATION_RE = re.compile(r"[A-Z0-9,/\s-]*[A-Z0-9][A-Z0-9,/\s-]*\Z")
_HEADER_NAME_RE = re.compile(
    r"GPU[0-9]+|NIC[0-9]+|[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z]+)*_[0-9]+|[A-Za-z][A-Za-z0-9._-]*[0-9]"
)
# No CPU and no node has a number of more digits, and Python does not even convert thousands of them.
_LIST_RE = re.compile(r"[0-9]{1,5}(?:-[0-9]{1,5})?(?:,[0-9]{1,5}(?:-[0-9]{1,5})?)*\Z")
_LEGEND_NIC_RE = re.compile(r"(NIC[0-9]+)\s*:\s*(\S+)")

_UUID_RE = re.compile(r"(?:GPU|MIG)-[0-9A-Za-z/-]+\Z")
# A cell whose value the driver does not know, of a GPU that is well.
_NOT_KNOWN_RE = re.compile(r"\[?(?:N/A|Not Supported|Not Available)\]?\Z", re.IGNORECASE)
# Cells of a GPU that is not.
_LOST_RE = re.compile(r"is lost|requires? reset|fallen off", re.IGNORECASE)
# What nvidia-smi writes where it has no value.
_TEXT_RE = re.compile(r"\[[^\]]*\]\Z|\Z")

_COLUMNS = (("cpu_affinity", "CPUAffinity"), ("numa_affinity", "NUMAAffinity"), ("gpu_numa_id", "GPUNUMAID"))
# NUMA nodes are numbered below 256 on every machine that has GPUs, and no GPU has more than 18 NVLinks: larger numbers
# are glued cells.
_MAX_CPU = 8191
_MAX_NODE = 255
_MAX_NVLINKS = 18
# Stands where a wrapped line was joined between two digits.
_MARK = "?"


class ListedGpu(TypedDict):
    """A GPU as the driver lists it."""

    index: int
    uuid: str | None
    name: str | None
    bus_id: str | None
    memory_mib: int | None
    driver_version: str | None


class LostGpu(NamedTuple):
    """A GPU that the driver names and cannot use; ``error`` is what it says instead of a value."""

    number: int
    bus_id: str | None
    error: str

    def __str__(self) -> str:
        label = f"GPU{self.number} ({self.bus_id})" if self.bus_id else f"GPU{self.number}"
        said = self.error or "nothing where its UUID should be"
        return (
            f"nvidia-smi says of {label}: {said}; it is not used: look for Xid messages in dmesg, "
            "then reset it or reboot the host"
        )


class Query(NamedTuple):
    """What a query for GPUs gave: those by index that can be used, those that cannot, and lines that are no GPU."""

    gpus: list[ListedGpu]
    lost: list[LostGpu]
    lines: list[str]


class Row(TypedDict):
    """A row of the matrix: affinities as printed, None where they are unknown, and the links to other devices."""

    cpu_affinity: str | None
    numa_affinity: str | None
    gpu_numa_id: str | None
    links: dict[str, str]


@reads_foreign
def parse_topo(text: str) -> dict[str, Row]:
    """Read the matrix of ``nvidia-smi topo -m``.

    Returns ``{"GPU0": {"cpu_affinity", "numa_affinity", "gpu_numa_id", "links"}, ...}`` in the order of the rows.
    Affinities are the text as printed, None where they are absent, blank, N/A or cannot be told apart; ``gpu_numa_id``
    keeps ``N/A``; ``links`` maps the other devices to the kind of connection and is empty where header and row do not
    fit together. Raises NvidiaError when there is no matrix.
    """
    lines = _join_wrapped_rows(clean(text).split("\n"))
    if any(_PEER_ROW_RE.search(line) for line in lines):
        raise NvidiaError(
            "the text is the matrix of nvidia-smi topo -p2p, which names no CPUs; run exactly: nvidia-smi topo -m"
        )
    first = next((number for number, line in enumerate(lines) if _ROW_RE.search(line)), None)
    if first is None:
        raise NvidiaError(explain_error(text))
    header = _header(lines[:first])
    squeezed = "".join(header.split())
    columns = [key for key, title in _COLUMNS if title in squeezed]
    names = _HEADER_NAME_RE.findall(re.split(r"CPU\s*Affin|NUMA\s*Affin|GPU\s*NUMA", header, maxsplit=1)[0])
    result: dict[str, Row] = {}
    for line in lines[first:]:
        match = _ROW_RE.search(line) or _ODD_ROW_RE.search(line)
        if match:
            name = match.group(1)
            row = _read_row(name, line[match.end() :], names, columns)
            result[name] = _agreed(result.get(name, row), row)
    return result


def _read_row(name: str, rest: str, names: Sequence[str], columns: Sequence[str]) -> Row:
    """Read what follows a GPU's name in its row."""
    tail = max([found.end() for found in _LINK_RE.finditer(rest)], default=0)
    end = _end_of_links(name, rest, tail, names)
    if end is None:
        return {"cpu_affinity": None, "numa_affinity": None, "gpu_numa_id": None, "links": {}}
    values, last_link_certain = _read_tail(rest, end, columns)
    return {
        "cpu_affinity": values["cpu_affinity"],
        "numa_affinity": values["numa_affinity"],
        "gpu_numa_id": values["gpu_numa_id"],
        "links": _read_links(name, rest[:tail], names) if last_link_certain and end == tail else {},
    }


def _end_of_links(name: str, rest: str, tail: int, names: Sequence[str]) -> int | None:
    """Return where the links of a row end whose last known link ends at ``tail``, None when that cannot be told."""
    unknown = _UNKNOWN_LINKS_RE.match(rest, tail)
    end = unknown.end() if unknown else tail
    if re.search(r"[0-9]|N/A", rest[tail:end].replace("[N/A]", "")):
        # One of the unknown links has swallowed a value.
        return None
    cells = sum(len(re.findall(_LINK + "|N/A", word)) or 1 for word in rest[:end].split())
    # With fewer links than devices the next cell can be a link too: N/A stands for one as for a value.
    return None if name in names and cells < len(names) == len(set(names)) else end


def _agreed(one: Row, other: Row) -> Row:
    """Return what two rows of one GPU agree on: they are from several matrices in one text."""

    def same(first: str | None, second: str | None) -> str | None:
        return first if first == second else None

    return {
        "cpu_affinity": same(one["cpu_affinity"], other["cpu_affinity"]),
        "numa_affinity": same(one["numa_affinity"], other["numa_affinity"]),
        "gpu_numa_id": same(one["gpu_numa_id"], other["gpu_numa_id"]),
        "links": one["links"] if one["links"] == other["links"] else {},
    }


@reads_foreign
def parse_nic_legend(text: str) -> dict[str, str]:
    """Return the legend's names of the matrix's NIC columns, ``{"NIC0": "mlx5_0"}``."""
    return dict(_LEGEND_NIC_RE.findall(clean(text)))


@reads_foreign
def parse_compute_apps(text: str) -> dict[int, list[str]]:
    """Read ``--query-compute-apps=pid,gpu_uuid --format=csv,noheader``: ``{pid: [UUIDs]}``."""
    result: dict[int, list[str]] = {}
    for line in text.splitlines():
        pid, _comma, uuid = line.partition(",")
        number = natural(pid)
        if number is not None and _UUID_RE.match(uuid.strip()):
            result.setdefault(number, []).append(uuid.strip())
    return result


@reads_foreign
def parse_mig_modes(text: str) -> list[int]:
    """Read ``--query-gpu=index,mig.mode.current --format=csv,noheader``: the indexes of GPUs whose MIG mode is on."""
    cells = [[cell.strip() for cell in line.split(",")] for line in clean(text).split("\n")]
    indexes = [natural(line[0]) for line in cells if line[1:] == ["Enabled"]]
    return sorted(index for index in indexes if index is not None)


@reads_foreign
def parse_query(text: str) -> Query:
    """Read ``--query-gpu=index,uuid,name,pci.bus_id,memory.total,driver_version --format=csv,noheader,nounits``.

    nvidia-smi puts texts of errors into cells, and lines of them between the others: what is no usable GPU is told.
    """
    gpus: list[ListedGpu] = []
    lost: list[LostGpu] = []
    lines: list[str] = []
    for line in filter(None, map(str.strip, clean(text).splitlines())):
        cells = [cell.strip() for cell in line.split(",")]
        index = natural(cells[0])
        if len(cells) < len(QUERY_FIELDS) or index is None:
            lines.append(line)
            continue
        # A comma can only be in the name.
        uuid, words, bus_id, memory, driver = cells[1], cells[2:-3], cells[-3], cells[-2], cells[-1]
        name = None if any(map(_TEXT_RE.match, words)) else ", ".join(words)
        error = _error_of(uuid, bus_id, (*words, memory, driver))
        if error is not None:
            lost.append(LostGpu(index, normalize_bus_id(bus_id), error))
            continue
        gpus.append(
            {
                "index": index,
                "uuid": uuid,
                "name": name,
                "bus_id": normalize_bus_id(bus_id),
                "memory_mib": natural(memory),
                "driver_version": driver if re.match(r"[0-9]", driver) else None,
            }
        )
    return Query(sorted(gpus, key=lambda gpu: gpu["index"]), lost, lines)


def _error_of(uuid: str, bus_id: str, others: Sequence[str]) -> str | None:
    """Return the cell that says that a GPU cannot be used, None when none does."""
    if not _UUID_RE.match(uuid):
        # Nothing else would name the GPU to a program for certain.
        return uuid
    if normalize_bus_id(bus_id) is None and not _NOT_KNOWN_RE.match(bus_id):
        return bus_id
    return next((cell for cell in others if _LOST_RE.search(cell)), None)


@reads_foreign
def normalize_bus_id(text: str | None) -> str | None:
    """Return a PCI address as sysfs writes it, None when it is none.

    nvidia-smi writes ``00000000:01:00.0``, sysfs ``0000:01:00.0``.
    """
    match = re.match(r"\s*(?:([0-9a-fA-F]{4,8}):)?([0-9a-fA-F]{2}):([0-9a-fA-F]{2})(?:\.([0-7]))?\s*\Z", text or "")
    if not match:
        return None
    domain, bus, device, function = match.groups()
    return f"{int(domain or '0', 16):04x}:{bus.lower()}:{device.lower()}.{function or '0'}"


def _join_wrapped_rows(lines: Sequence[str]) -> list[str]:
    """Put the rows that a narrow terminal broke over several lines together again."""
    joined: list[list[str]] = []
    open_row = below = False
    for line in lines:
        if _ROW_RE.search(line) or (below and _ODD_ROW_RE.search(line)):
            joined.append([line])
            open_row = below = True
        elif open_row and _CONTINUATION_RE.match(line) and not _OTHER_ROW_RE.search(line):
            joined[-1].append(line)
        else:
            joined.append([line])
            open_row = False
    # A broken line fills the terminal's width; one that is shorter lost the blanks at its end.
    width = max([len(part) for parts in joined for part in parts[:-1]] or [0])
    rows = []
    for parts in joined:
        row = parts[0]
        for before, part in zip(parts, parts[1:]):
            if len(before) < width:
                row += " "
            elif re.search(r"[0-9,-]\Z", row) and re.match(r"[0-9,-]", part):
                # Perhaps one number, perhaps two whose blank was lost: a mark makes it unreadable instead of wrong.
                row += _MARK
            row += part
        rows.append(row)
    return rows


def _header(lines: Sequence[str]) -> str:
    """Return the header above the first row, joined where it was wrapped, ``""`` when there is none."""
    header = ""
    for line in reversed([line for line in lines if line.strip()][-6:]):
        header = line + header
        found = re.search(r"GPU[0-9]", line)
        if found:
            return header[found.start() :]
    return ""


def _ascending(text: str, largest: int) -> bool:
    """Tell whether a text is a list of ascending numbers and ranges without leading zeros."""
    if not _LIST_RE.match(text):
        return False
    last = -1
    for part in text.split(","):
        ends = part.split("-")
        numbers = [int(end) for end in ends]
        if any(end != str(number) for end, number in zip(ends, numbers)):
            return False
        if numbers[0] <= last or numbers[-1] < numbers[0]:
            return False
        last = numbers[-1]
    return last <= largest


def _split_glued(token: str) -> list[tuple[str, str]]:
    """Return every way to read one token as a CPU list and a NUMA list that lost the blank between them."""
    return [
        (token[:cut], token[cut:])
        for cut in range(1, len(token))
        if _ascending(token[:cut], _MAX_CPU) and _ascending(token[cut:], _MAX_NODE)
    ]


def _unglue_link(number: str, text: str) -> str:
    """Return the text behind an NVLink whose number lost the blank after it; a mark replaces what cannot be told."""
    # NV120-35 is NV12 and 0-35 or NV1 and 20-35.
    first = text.split()[0]
    both = number + first
    readings = [
        both[cut:]
        for cut in (1, 2)
        if both[:cut].isdigit() and int(both[:cut]) <= _MAX_NVLINKS and _ascending(both[cut:], _MAX_CPU)
    ]
    return (readings[0] if len(readings) == 1 else _MARK) + text[len(first) :]


def _read_tail(rest: str, tail: int, columns: Sequence[str]) -> tuple[dict[str, str | None], bool]:
    """Read what is to the right of the links: CPU affinity, NUMA affinity and GPU NUMA ID.

    Returns their values and whether the link to the left of them is certain, too: a number of NVLinks may have
    swallowed digits.
    """
    text = rest[tail:]
    nvlink = re.search(r"NV([0-9]+)\Z", rest[:tail])
    keys = [key for key, _title in _COLUMNS]
    values: dict[str, str | None] = dict.fromkeys(keys)
    if nvlink and text.startswith(_MARK):
        # The first token can be the end of the link's number: which cell the next one is, nobody knows.
        return values, False
    glued_to_link = bool(nvlink and re.match(r"[0-9,-]", text))
    if nvlink and glued_to_link:
        text = _unglue_link(nvlink.group(1), text)
    glued_to_na = re.search(r"[0-9]N/A", text)
    tokens = re.sub(r"\s*,\s*", ",", text.replace("N/A", " N/A ")).strip(" \t\"'`\\").split()
    if len(tokens) == len(columns):
        values.update(zip(columns, tokens))
    elif len(tokens) == 3 and tokens[0] != "N/A" and _MARK not in text:
        # The header lost its right end. With a mark there can be two tokens or four.
        values.update(zip(keys, tokens))
    elif tokens[-1:] == ["N/A"] and "gpu_numa_id" in columns:
        # On WSL and in containers the first two are blank; with lost tabs they are one token, which is read only when
        # it can be read in one way.
        values["gpu_numa_id"] = "N/A"
        splits = _split_glued(tokens[0]) if len(tokens) == 2 and glued_to_na else []
        if len(splits) == 1:
            values["cpu_affinity"], values["numa_affinity"] = splits[0]
    for key, largest in (("cpu_affinity", _MAX_CPU), ("numa_affinity", _MAX_NODE)):
        if not _ascending(values[key] or "", largest):
            values[key] = None
    if not re.match(r"(?:N/A|[0-9]+)\Z", values["gpu_numa_id"] or ""):
        values["gpu_numa_id"] = None
    return values, not nvlink or (not glued_to_link and len(tokens) == len(columns))


def _read_links(name: str, cells: str, names: Sequence[str]) -> dict[str, str]:
    """Return {device: link} of one row, empty when its cells do not fit the header's devices."""
    links = re.findall(_LINK + "|N/A", cells)
    if not _CELLS_RE.match(cells) or len(links) != len(names) or len(set(names)) != len(names) or name not in names:
        return {}
    if links[names.index(name)] != "X":
        return {}
    return {device: link for device, link in zip(names, links) if device != name}
