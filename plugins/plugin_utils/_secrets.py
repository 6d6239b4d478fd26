# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Variables of the inventory that hold a secret in clear text. What their values are stays here."""

from __future__ import annotations

import functools
import re

NAME = re.compile(
    r"(^|[-_])(pass|passwd|password|passphrase|secret|token|credential|(api|private|access|auth)[-_]?key)s?$",
    re.IGNORECASE,
)
USERINFO = re.compile(r"://[^/\s:@{]*:[^/\s@{]+@")
VAULTED = ("EncryptedString", "AnsibleVaultEncryptedUnicode")
OWN_MAPS, OWN_LISTS = "_environment", "_extra_args"


def clear_secrets(variables):
    """Return the names of a host's variables, as the inventory has them, whose values are secrets that everyone can read who has the file."""
    return sorted(
        name for name, value in variables.items() if any(in_clear(secret) for secret in _secrets(name, value))
    )


def _secrets(name, value):
    if NAME.search(name):
        yield value
    elif isinstance(value, str):
        if USERINFO.search(value):
            yield value
    elif name.endswith(OWN_MAPS) and isinstance(value, dict):
        for key, item in value.items():
            yield from _secrets(str(key), item)
    elif name.endswith(OWN_LISTS) and isinstance(value, list):
        for word, following in zip(value, value[1:] + [""]):
            option, equals, own = str(word).partition("=")
            if option.startswith("-") and NAME.search(option):
                # A word that was cut off a value is no longer marked with its file.
                yield word if equals and own else following
            elif isinstance(word, str) and USERINFO.search(word):
                yield word


def in_clear(value):
    """Tell whether a value is written in a file as it is. What came another way, such as by the command line, is not."""
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


def _origin(value):
    """The file that a value was read from, None when it is not known."""
    # ansible-core 2.19 and newer
    for tag in (getattr(value, "_ansible_tags_mapping", None) or {}).values():
        path = getattr(tag, "path", None)
        if path:
            return str(path)
    # before
    position = getattr(value, "ansible_pos", None)
    return str(position[0]) if position and str(position[0]).startswith("/") else None


@functools.lru_cache(maxsize=None)
def _is_vaulted(path):
    try:
        with open(path, "rb") as file:
            return file.read(14) == b"$ANSIBLE_VAULT"
    except OSError:
        return True  # who knows
