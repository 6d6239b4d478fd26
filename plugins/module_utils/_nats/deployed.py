# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What a nats-server that somebody set up has been told, by options or by a file: its name, and where its data is."""

from __future__ import annotations

import re
from typing import NamedTuple, Sequence

from .._foreign import reads_foreign

# Where JetStream keeps its data when it is not told.
DEFAULT_STORE = "/tmp/nats"

_CONFIG = ("c", "config")
_STORE = ("sd", "store_dir")
_NAME = ("n", "name", "server_name")
_JETSTREAM = ("js", "jetstream")

_COMMENT = re.compile(r"""("[^"\n]*"|'[^'\n]*')|(?:^|(?<=\s))(?:#|//)[^\n]*""", re.MULTILINE)
_STORE_SETTING = "store(?:_?dir)?"


class Told(NamedTuple):
    """What a server has been told."""

    name: str | None
    # The folder of its data, None where it keeps none or where that is not known.
    store_dir: str | None
    # Why that is not known; None where it is.
    unknown: str | None = None


def configuration_file(command: Sequence[str]) -> str | None:
    """Return the file that a command line names as configuration, None without."""
    return flag(command, _CONFIG)


@reads_foreign
def told(command: Sequence[str], text: str | None) -> Told:
    """Return what a server has been told by its command line and its configuration, None where that is not known."""
    file = configuration_file(command)
    name, store = flag(command, _NAME), flag(command, _STORE)
    if file is None:
        enabled = store is not None or _is_set(command, _JETSTREAM)
        return Told(name, (store or DEFAULT_STORE) if enabled else None)
    if text is None:
        return Told(name, store, None if store else f"its configuration {file} was not read")
    text = _without_comments(text)
    name, store = name or setting(text, "server_name"), store or setting(text, _STORE_SETTING)
    for value in (name, store):
        if value and value.startswith("$"):
            return Told(None, None, f"its configuration {file} takes {value} from elsewhere")
    if store is None and _includes(text):
        return Told(name, None, f"its configuration {file} includes other files")
    if store is None and (_enables_jetstream(text) or _is_set(command, _JETSTREAM)):
        store = DEFAULT_STORE
    return Told(name, store)


@reads_foreign
def essence(text: str) -> str:
    """Return a configuration that tells ``told`` the same, and nothing else of what may be secret."""
    text = _without_comments(text)
    name, store = setting(text, "server_name"), setting(text, _STORE_SETTING)
    lines = [f'{key}: "{value}"' for key, value in (("server_name", name), ("store_dir", store)) if value is not None]
    lines += ["jetstream: enabled"] * _enables_jetstream(text) + ["include others"] * _includes(text)
    return "".join(line + "\n" for line in lines)


def setting(text: str, pattern: str) -> str | None:
    """Return the value of a setting in a configuration without comments, None where it has none."""
    match = re.search(
        rf"""(?:^|[\s{{,;])["']?{pattern}["']?(?:\s*[:=]\s*|\s+)(?:"([^"\n]*)"|'([^'\n]*)'|([^\s,;}}]+))""", text
    )
    return next((value for value in match.groups() if value is not None), None) if match else None


def flag(words: Sequence[str], names: Sequence[str]) -> str | None:
    """Return the value of a flag in Go's notation: one dash or two, the value behind it or behind an equals sign."""
    for number, word in enumerate(words):
        name, equals, value = word.lstrip("-").partition("=")
        if word.startswith("-") and name in names:
            if equals:
                return value
            if number + 1 < len(words):
                return words[number + 1]
    return None


def _is_set(words: Sequence[str], names: Sequence[str]) -> bool:
    for word in words:
        name, equals, value = word.lstrip("-").partition("=")
        if word.startswith("-") and name in names:
            return not equals or value.lower() in ("1", "t", "true")
    return False


def _without_comments(text: str) -> str:
    return _COMMENT.sub(lambda match: match.group(1) or "", text)


def _enables_jetstream(text: str) -> bool:
    match = re.search(r"""(?i)(?:^|[\s{,;])["']?jetstream["']?(?:\s*[:=]\s*|\s*)(\{|[^\s,;}]+)""", text)
    return match is not None and match.group(1).lower() not in ("false", "disable", "disabled", "off", "no")


def _includes(text: str) -> bool:
    return bool(re.search(r"(?m)^[^\S\n]*include\b", text))
