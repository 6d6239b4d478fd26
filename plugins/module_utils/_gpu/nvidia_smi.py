# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Reads what ``nvidia-smi`` prints: the matrix of ``topo -m``, the table of ``--query-gpu``, and its error messages.

The matrix is read token by token, not by columns: real outputs come with tabs or spaces, colour codes, log prefixes, glued cells,
wrapped or truncated headers. Where the text allows more than one reading of a value the value is unknown (None), never a guess.
"""

from __future__ import annotations

import re

QUERY_FIELDS = ("index", "uuid", "name", "pci.bus_id", "memory.total", "driver_version")

# Escape sequences, also with the escape character lost or replaced by U+FFFD or by a caret notation.
_ANSI_RE = re.compile(
    r"(?:\x1b|\x9b|\ufffd|\\x1b|\\033|\\u001b|\\e|\^\[)?\[[0-9;]*m|(?:\x1b|\ufffd)(?:\[[0-9;?]*[A-Za-z]|\([A-Z0-9])"
)
_BLANKS_RE = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_INVISIBLE_RE = re.compile("[\u200b-\u200f\u2060\ufeff\x00]")
_DASHES_RE = re.compile("[\u2010-\u2015\u2212]")

# What a cell of the matrix can be. The number of NVLinks has at most two digits: with more the cell is glued to its neighbour.
_LINK = r"NV[0-9]{1,2}|NVB|NODE|SYS|SOC|PHB|PXB|PIX|PSB|C2C|X"
_LINK_RE = re.compile(_LINK)
_CELLS_RE = re.compile(rf"(?:\s*(?:{_LINK}|N/A))*\s*\Z")
_ROW_RE = re.compile(rf"(?<![A-Za-z0-9_-])(GPU[0-9]+)(?=\s*(?:{_LINK}))")
_PEER_ROW_RE = re.compile(r"(?<![A-Za-z0-9_-])GPU[0-9]+(?:\s+X)?\s+(?:OK|CNS|NS|GNS|TNS|DR)(?:\s|\Z)")
_OTHER_ROW_RE = re.compile(rf"(?<![A-Za-z0-9-])[A-Za-z][A-Za-z0-9_.-]*[0-9]\s+(?:{_LINK})(?![a-z])")
_CONTINUATION_RE = re.compile(r"[A-Z0-9,/\s-]*[A-Z0-9][A-Z0-9,/\s-]*\Z")
_HEADER_NAME_RE = re.compile(
    r"GPU[0-9]+|NIC[0-9]+|[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z]+)*_[0-9]+|[A-Za-z][A-Za-z0-9._-]*[0-9]"
)
_LIST_RE = re.compile(r"[0-9]+(?:-[0-9]+)?(?:,[0-9]+(?:-[0-9]+)?)*\Z")
_LEGEND_NIC_RE = re.compile(r"(NIC[0-9]+)\s*:\s*(\S+)")

_COLUMNS = (("cpu_affinity", "CPUAffinity"), ("numa_affinity", "NUMAAffinity"), ("gpu_numa_id", "GPUNUMAID"))
# NUMA nodes are numbered below 256 on every machine that has GPUs, and no GPU has more than 18 NVLinks: larger numbers are glued cells.
_MAX_CPU = 8191
_MAX_NODE = 255
_MAX_NVLINKS = 18
# Stands where a wrapped line was joined between two digits.
_MARK = "?"

_ERRORS = (
    (
        r"couldn't communicate with the NVIDIA driver",
        "nvidia-smi cannot reach the NVIDIA driver; load or reinstall the driver (modprobe nvidia, dmesg), or reboot after an update",
    ),
    (
        r"Driver/library version mismatch",
        "the loaded NVIDIA kernel driver and the installed libraries have different versions; reboot, or reload the nvidia kernel modules",
    ),
    (
        r"Insufficient Permissions",
        "the user may not open the NVIDIA devices; run as root or give the user access to /dev/nvidia*",
    ),
    (
        r"Failed to initialize NVML",
        "the NVIDIA management library could not start; check that the driver is installed and loaded and that /dev/nvidia* exist",
    ),
    (
        r"Unable to determine the device handle for (?:gpu|GPU)",
        "a GPU has stopped answering and fell off the bus; look for Xid messages in dmesg, then reset it or reboot the host",
    ),
    (
        r"No devices were found",
        "the NVIDIA driver is loaded but sees no GPU; check lspci, power and PCIe seating, and dmesg for Xid or NVRM messages",
    ),
    (r"GPU is lost", "a GPU is lost and fell off the bus; look for Xid messages in dmesg, then reboot the host"),
    (
        r"must be used in conjunction|not a valid option|[Ii]nvalid (?:combination|argument|option)|[Uu]sage:",
        "nvidia-smi was called with options that it does not accept; run exactly: nvidia-smi topo -m",
    ),
    (
        r"command not found|No such file or directory|not recognized as",
        "nvidia-smi is not installed; install the NVIDIA driver's utilities",
    ),
    (
        r"libnvidia-ml|NVML Shared Library Not Found",
        "the NVIDIA management library is missing; install the driver's libraries, or pass them into the container",
    ),
    (
        r"infoROM is corrupted",
        "nvidia-smi printed only a warning that a GPU's infoROM is corrupted; run nvidia-smi topo -m again and keep its whole output",
    ),
)


class NvidiaError(ValueError):
    """A text of nvidia-smi without what was asked for; the message says what is wrong and what to do."""


def explain_error(text, rc=None):
    """Return one sentence that says what an output of nvidia-smi without a result means and what to do."""
    text = _clean(text)
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    quoted = f" (it said: {first[:200]})" if first else ""
    for pattern, meaning in _ERRORS:
        if re.search(pattern, text):
            return meaning + quoted
    if not first:
        status = "" if rc is None else f" and ended with status {rc}"
        return f"nvidia-smi printed nothing{status}; run it by hand on the host"
    if rc not in (None, 0):
        return f"nvidia-smi ended with status {rc}; run it by hand on the host{quoted}"
    return f"the text is not a matrix of nvidia-smi topo -m: no row begins with GPU0, GPU1, ... and its links; pass the whole output{quoted}"


def parse_topo(text):
    """Read the matrix of ``nvidia-smi topo -m``.

    Returns ``{"GPU0": {"cpu_affinity", "numa_affinity", "gpu_numa_id", "links"}, ...}`` in the order of the rows. Affinities are the text
    as printed, None where they are absent, blank, N/A or cannot be told apart; ``gpu_numa_id`` keeps ``N/A``; ``links`` maps the other
    devices to the kind of connection and is empty where header and row do not fit together. Raises NvidiaError when there is no matrix.
    """
    lines = _join_wrapped_rows(_clean(text).split("\n"))
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
    device_part = header[: re.search(r"CPU\s*Affin|NUMA\s*Affin|GPU\s*NUMA|\Z", header).start()]
    names = _HEADER_NAME_RE.findall(device_part)
    result = {}
    for line in lines[first:]:
        match = _ROW_RE.search(line)
        if not match:
            continue
        name, rest = match.group(1), line[match.end() :]
        tail = max(found.end() for found in _LINK_RE.finditer(rest))
        reading, last_link_certain = _read_tail(rest, tail, columns)
        reading["links"] = _read_links(name, rest[:tail], names) if last_link_certain else {}
        if result.get(name, reading) != reading:
            # Different rows for one GPU are several matrices in one text: what they do not agree on is unknown.
            reading = {
                key: value if result[name][key] == value else ({} if key == "links" else None)
                for key, value in reading.items()
            }
        result[name] = reading
    return result


def parse_nic_legend(text):
    """Return the legend's names of the matrix's NIC columns, ``{"NIC0": "mlx5_0"}``."""
    return dict(_LEGEND_NIC_RE.findall(_clean(text)))


def parse_query(text):
    """Read ``--query-gpu=index,uuid,name,pci.bus_id,memory.total,driver_version --format=csv,noheader,nounits``.

    Returns a list of ``{index, uuid, name, bus_id, memory_mib, driver_version}``, by index. Raises NvidiaError when no line is one.
    """
    gpus = []
    for line in _clean(text).splitlines():
        cells = [cell.strip() for cell in line.split(",")]
        if len(cells) < len(QUERY_FIELDS) or not cells[0].isdigit():
            continue
        # A comma can only stand in the name.
        index, uuid, bus_id, memory, driver = cells[0], cells[1], cells[-3], cells[-2], cells[-1]
        if not uuid.startswith(("GPU-", "MIG-")) and normalize_bus_id(bus_id) is None:
            continue
        gpus.append(
            {
                "index": int(index),
                "uuid": uuid,
                "name": ", ".join(cells[2:-3]),
                "bus_id": normalize_bus_id(bus_id),
                "memory_mib": int(memory) if memory.isdigit() else None,
                "driver_version": driver if re.match(r"[0-9]", driver) else None,
            }
        )
    if not gpus:
        raise NvidiaError(explain_error(text))
    return sorted(gpus, key=lambda gpu: gpu["index"])


def normalize_bus_id(text):
    """Return a PCI address as sysfs writes it (``0000:01:00.0``) from nvidia-smi's (``00000000:01:00.0``), None when it is none."""
    match = re.match(r"\s*(?:([0-9a-fA-F]{4,8}):)?([0-9a-fA-F]{2}):([0-9a-fA-F]{2})(?:\.([0-7]))?\s*\Z", text or "")
    if not match:
        return None
    domain, bus, device, function = match.groups()
    return f"{int(domain or '0', 16):04x}:{bus.lower()}:{device.lower()}.{function or '0'}"


def _clean(text):
    """Return the text without colour codes, invisible characters, table borders and foreign line ends."""
    text = _ANSI_RE.sub("", _INVISIBLE_RE.sub("", text or ""))
    text = _DASHES_RE.sub("-", _BLANKS_RE.sub(" ", text))
    return re.sub("[|\u2502]", " ", text).replace("\r\n", "\n").replace("\r", "\n")


def _join_wrapped_rows(lines):
    """Put the rows that a narrow terminal broke over several lines together again."""
    joined = []
    open_row = False
    for line in lines:
        if _ROW_RE.search(line):
            joined.append([line])
            open_row = True
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
                # Perhaps one number, perhaps two whose blank was lost: the mark makes the value unreadable instead of wrong.
                row += _MARK
            row += part
        rows.append(row)
    return rows


def _header(lines):
    """Return the header above the first row, joined where it was wrapped, ``""`` when there is none."""
    header = ""
    for line in reversed([line for line in lines if line.strip()][-6:]):
        header = line + header
        if re.search(r"GPU[0-9]", line):
            return header[re.search(r"GPU[0-9]", header).start() :]
    return ""


def _ascending(text, largest):
    """Tell whether a text is a list of ascending numbers and ranges without leading zeros."""
    if not _LIST_RE.match(text):
        return False
    last = -1
    for part in text.split(","):
        ends = part.split("-")
        numbers = [int(end) for end in ends]
        if (
            any(end != str(number) for end, number in zip(ends, numbers))
            or numbers[0] <= last
            or numbers[-1] < numbers[0]
        ):
            return False
        last = numbers[-1]
    return last <= largest


def _split_glued(token):
    """Return every way to read one token as a CPU list and a NUMA list that lost the blank between them."""
    return [
        (token[:cut], token[cut:])
        for cut in range(1, len(token))
        if _ascending(token[:cut], _MAX_CPU) and _ascending(token[cut:], _MAX_NODE)
    ]


def _read_tail(rest, tail, columns):
    """Read what stands to the right of the links: CPU affinity, NUMA affinity and GPU NUMA ID.

    Returns their values and whether the link to the left of them is certain, too: a number of NVLinks may have swallowed digits.
    """
    text = rest[tail:]
    nvlink = re.search(r"NV([0-9]+)\Z", rest[:tail])
    glued_to_link = nvlink and re.match(r"[0-9,-]", text)
    if glued_to_link:
        # NV120-35 is NV12 and 0-35 or NV1 and 20-35.
        first = text.split()[0]
        both = nvlink.group(1) + first
        readings = [
            both[cut:]
            for cut in (1, 2)
            if both[:cut].isdigit() and int(both[:cut]) <= _MAX_NVLINKS and _ascending(both[cut:], _MAX_CPU)
        ]
        text = (readings[0] if len(readings) == 1 else _MARK) + text[len(first) :]
    glued_to_na = re.search(r"[0-9]N/A", text)
    tokens = re.sub(r"\s*,\s*", ",", text.replace("N/A", " N/A ")).strip(" \t\"'`\\").split()
    keys = [key for key, title in _COLUMNS]
    values = dict.fromkeys(keys)
    if nvlink and text.startswith(_MARK) and not glued_to_link:
        # The first token can be the end of the link's number: which cell the next one is, nobody knows.
        return values, False
    if len(tokens) == len(columns):
        values.update(zip(columns, tokens))
    elif len(tokens) == 3 and tokens[0] != "N/A" and _MARK not in text:
        # The header lost its right end. With a mark there can be two tokens or four.
        values.update(zip(keys, tokens))
    elif tokens[-1:] == ["N/A"] and "gpu_numa_id" in columns:
        # On WSL and in containers the first two are blank; with lost tabs they are one token, read only when it can be read in one way.
        values["gpu_numa_id"] = "N/A"
        splits = _split_glued(tokens[0]) if len(tokens) == 2 and glued_to_na else []
        if len(splits) == 1:
            values["cpu_affinity"], values["numa_affinity"] = splits[0]
    for key, largest in (("cpu_affinity", _MAX_CPU), ("numa_affinity", _MAX_NODE)):
        if values[key] is not None and not _ascending(values[key], largest):
            values[key] = None
    if values["gpu_numa_id"] is not None and not re.match(r"(?:N/A|[0-9]+)\Z", values["gpu_numa_id"]):
        values["gpu_numa_id"] = None
    return values, not nvlink or (not glued_to_link and len(tokens) == len(columns))


def _read_links(name, cells, names):
    """Return {device: link} of one row, empty when its cells do not fit the header's devices."""
    links = re.findall(_LINK + "|N/A", cells)
    if not _CELLS_RE.match(cells) or len(links) != len(names) or len(set(names)) != len(names) or name not in names:
        return {}
    if links[names.index(name)] != "X":
        return {}
    return {device: link for device, link in zip(names, links) if device != name}
