# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What ``nvidia-smi`` says when it has no answer, and what that means."""

from __future__ import annotations

import re

from .._foreign import reads_foreign

# Escape sequences, also with the escape character lost or replaced by U+FFFD or by a caret notation.
_ANSI_RE = re.compile(
    r"(?:\x1b|\x9b|\ufffd|\\x1b|\\033|\\u001b|\\e|\^\[)?\[[0-9;]*m|(?:\x1b|\ufffd)(?:\[[0-9;?]*[A-Za-z]|\([A-Z0-9])"
)
_BLANKS_RE = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_INVISIBLE_RE = re.compile("[\u200b-\u200f\u2060\ufeff\x00]")
_DASHES_RE = re.compile("[\u2010-\u2015\u2212]")

_ERRORS = (
    (
        r"couldn't communicate with the NVIDIA driver",
        "nvidia-smi cannot reach the NVIDIA driver; load or reinstall the driver (modprobe nvidia, dmesg), "
        "or reboot after an update",
    ),
    (
        r"Driver/library version mismatch",
        "the loaded NVIDIA kernel driver and the installed libraries have different versions; reboot, "
        "or reload the nvidia kernel modules",
    ),
    (
        r"Insufficient Permissions",
        "the user may not open the NVIDIA devices; run as root or give the user access to /dev/nvidia*",
    ),
    (
        r"Failed to initialize NVML",
        "the NVIDIA management library could not start; check that the driver is installed and loaded "
        "and that /dev/nvidia* exist",
    ),
    (
        r"Unable to determine the device handle for (?:gpu|GPU)",
        "a GPU has stopped answering and fell off the bus; look for Xid messages in dmesg, "
        "then reset it or reboot the host",
    ),
    (
        r"No devices were found",
        "the NVIDIA driver is loaded but sees no GPU; check lspci, power and PCIe seating, "
        "and dmesg for Xid or NVRM messages",
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
        "nvidia-smi printed only a warning that a GPU's infoROM is corrupted; run nvidia-smi topo -m again "
        "and keep its whole output",
    ),
)


# The list of return values of nvidia-smi's manual, as far as it says more than its output does.
_STATUSES = {
    2: "nvidia-smi was called with options that it does not accept",
    3: "nvidia-smi cannot do this with the GPUs of this host",
    4: "the user may not open the NVIDIA devices; run as root or give the user access to /dev/nvidia*",
    6: "nvidia-smi did not find what it was asked for; check lspci and dmesg",
    8: "a GPU's external power cables are not attached; check them",
    9: "the NVIDIA driver is not loaded; load or reinstall it (modprobe nvidia, dmesg), or reboot after an update",
    10: "the NVIDIA driver has trouble with a GPU's interrupts; look into dmesg and reboot the host",
    12: "the NVIDIA management library is missing; install the driver's libraries, or pass them into the container",
    13: "the NVIDIA management library is too old for this; install libraries and driver of one version",
    15: "a GPU has fallen off the bus or cannot be reached; look for Xid messages in dmesg, then reboot the host",
}


class NvidiaError(ValueError):
    """A text of nvidia-smi without what was asked for; the message says what is wrong and what to do."""


@reads_foreign
def explain_error(text: str, rc: int | None = None) -> str:
    """Return one sentence that says what an output of nvidia-smi without a result means and what to do."""
    text = clean(text)
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    quoted = f" (it said: {first[:200]})" if first else ""
    for pattern, meaning in _ERRORS:
        if re.search(pattern, text):
            return meaning + quoted
    if rc in _STATUSES:
        return f"{_STATUSES[rc]} (nvidia-smi ended with status {rc}){quoted}"
    if not first:
        status = "" if rc is None else f" and ended with status {rc}"
        return f"nvidia-smi printed nothing{status}; run it by hand on the host"
    if rc not in (None, 0):
        return f"nvidia-smi ended with status {rc}; run it by hand on the host{quoted}"
    return (
        "the text is not a matrix of nvidia-smi topo -m: no row begins with GPU0, GPU1, ... and its links; "
        f"pass the whole output{quoted}"
    )


@reads_foreign
def clean(text: str | None) -> str:
    """Return the text without colour codes, invisible characters, table borders and foreign line ends."""
    text = _ANSI_RE.sub("", _INVISIBLE_RE.sub("", text or ""))
    text = _DASHES_RE.sub("-", _BLANKS_RE.sub(" ", text))
    return re.sub("[|\u2502]", " ", text).replace("\r\n", "\n").replace("\r", "\n")


@reads_foreign
def explain_line(line: str) -> str:
    """Return what a line means that came with a list of GPUs and is none."""
    known = any(re.search(pattern, line) for pattern, _meaning in _ERRORS)
    if known and "WARNING" not in line:
        return explain_error(line)
    return f"nvidia-smi said beside its list of GPUs: {line[:200]}"


@reads_foreign
def explain_status(rc: int, stderr: str) -> str:
    """Return what a status means that came with an answer; the answer itself is no part of the trouble."""
    if clean(stderr).strip() or rc in _STATUSES:
        return explain_error(stderr, rc)
    return f"nvidia-smi ended with status {rc}; run it by hand on the host"
