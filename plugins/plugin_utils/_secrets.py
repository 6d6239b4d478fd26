# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Variables of the inventory that hold a secret in clear text. What their values are stays here."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.autonomys.cluster.plugins.module_utils._secrets import has_secret_url, is_secret_name

VAULTED = ("EncryptedString", "AnsibleVaultEncryptedUnicode")


def clear_secrets(variables: Mapping[str, Any]) -> list[str]:
    """Return the names of a host's variables whose values are secrets that everybody can read who has the inventory."""
    return sorted(
        name
        for name, value in variables.items()
        # What playbooks keep for themselves is made of other variables.
        if not name.startswith("__") and any(in_clear(secret) for secret in _secrets(name, value))
    )


def _secrets(name: str, value: Any) -> Iterator[Any]:
    """Yield what is secret in the value of a variable, as the inventory has it."""
    if is_secret_name(name):
        yield from _leaves(value)
    elif isinstance(value, str):
        if has_secret_url(value):
            yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _secrets(str(key), item)
    elif isinstance(value, list):
        for word, following in zip(value, [*value[1:], ""]):
            option, equals, own = str(word).partition("=")
            if isinstance(word, str) and option.startswith("-") and is_secret_name(option):
                # A word that was cut off a value is no longer marked with its file.
                yield word if equals and own else following
            else:
                yield from _secrets("", word)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, (Mapping, list)):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _leaves(item)
    else:
        yield value


def in_clear(value: Any) -> bool:
    """Return whether a value is written in a file as it is. What came another way, as by the command line, is not."""
    if (
        type(value).__name__ in VAULTED
        or not isinstance(value, (str, int))
        or isinstance(value, bool)
        or not str(value)
        or "{{" in str(value)
    ):
        return False
    path = _origin(value)
    return path is not None and not _is_vaulted(path)


def _origin(value: Any) -> str | None:
    """Return the file that a value was read from, None when it is not known."""
    # ansible-core 2.19 and newer
    for tag in (getattr(value, "_ansible_tags_mapping", None) or {}).values():
        path = getattr(tag, "path", None)
        if path:
            return str(path)
    # before
    position = getattr(value, "ansible_pos", None)
    return str(position[0]) if position and str(position[0]).startswith("/") else None


@functools.lru_cache(maxsize=None)
def _is_vaulted(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(14) == b"$ANSIBLE_VAULT"
    except OSError:
        return True  # who knows
