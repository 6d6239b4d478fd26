# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Why the template of a variable has no value: what Ansible says, and what is usually the cause."""

from __future__ import annotations

import re

# What a message matches to the remedy; {name} is the variable, {0} what the first group of the pattern found.
CAUSES = (
    (
        r"no vault secrets were found that could decrypt|[Dd]ecryption failed",
        "None of the vault passwords that were given opens it: give the one that encrypted what {name} needs.",
    ),
    (
        r"[Dd]ecrypt|[Vv]ault ?[Ss]ecret",
        "The vault password is missing: give it with --ask-vault-pass, --vault-password-file or "
        "ANSIBLE_VAULT_PASSWORD_FILE.",
    ),
    (
        r"'(ansible_(?!host\b|user\b|port\b|connection\b)\w+)' is undefined",
        "{0} is a fact, and the playbooks of this collection gather no facts: give {name} a value without it, or set "
        "{0} in the inventory.",
    ),
    (r"[Rr]ecursi", "The template of {name} needs {name} itself, maybe by way of other variables: break the circle."),
    (r"environment variable '([^']+)' is not set", "Set the environment variable {0} on the control node."),
    (
        r"[Nn]o (?:filter|test) named '([^']+)'|(?:plugin|lookup)\W+\(?([\w.]+)\)?\W+(?:was )?not found"
        r"|[Cc]ould not load|couldn't resolve",
        "Correct the plugin's name, or install on the control node the collection or Python library that has it.",
    ),
    (
        r"lookup plugin '?([\w.]+)'? failed|error occurred while running the lookup plugin",
        "Check what the lookup in {name} reads. It runs on the control node.",
    ),
    (r"[Ss]yntax error|template error while templating", "Correct the template of {name}."),
    (
        r"has no (?:attribute|element)|sequence was empty|list index out of range",
        "Check the template of {name}: the map that it names has no such key, or the list or group fewer items.",
    ),
    (r"'([^']+)' is undefined", "Define {0}, for this host too, or correct its name in the template of {name}."),
)


def remedy(name: str, message: str) -> str:
    """Return what to do about a variable whose template has no value because of *message*."""
    for pattern, text in CAUSES:
        match = re.search(pattern, message)
        if match:
            groups = [group for group in match.groups() if group] or [""]
            return text.format(*groups, name=name)
    return f"Correct the template of {name}; it must have a value on this host too."
