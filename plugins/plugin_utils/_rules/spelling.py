# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Whether the name of a variable is that of another one, mistyped, or belongs to other software."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

# Variables of other widespread collections that begin like ours: they are none of our business.
FOREIGN_PREFIXES = (
    "node_exporter_",
    "node_feature_discovery_",
    "node_problem_detector_",
    "nats_exporter_",
    "controller_configuration_",
)
FOREIGN = frozenset(
    [
        # kubespray and others
        "cluster_domain",
        "cluster_name",
        "cluster_size",
        "node_labels",
        "node_name",
        "node_role",
        "node_roles",
        "node_taints",
        # AWX and its relatives
        "controller_config_file",
        "controller_host",
        "controller_hostname",
        "controller_oauth_token",
        "controller_oauthtoken",
        "controller_password",
        "controller_request_timeout",
        "controller_username",
        "controller_validate_certs",
        "controller_verify_ssl",
    ]
)

# Names must be so long that one character, or two, are a slip and not another word.
LENGTH_FOR_ONE, LENGTH_FOR_TWO = 10, 16


def is_foreign(name: str) -> bool:
    """Return whether a variable is known to belong to other software."""
    return name in FOREIGN or name.startswith(FOREIGN_PREFIXES)


def similar(name: str, known: Sequence[str]) -> str | None:
    """Return the known name that looks most like another, None where none does."""
    close = difflib.get_close_matches(name, known, 1, 0.8)
    return close[0] if close else None


def mistyped(name: str, known: Sequence[str]) -> str | None:
    """Return the known name that differs by a slip of the finger only, None where none does."""
    for candidate in difflib.get_close_matches(name, known, 3, 0.8):
        length = max(len(name), len(candidate))
        allowed = (length >= LENGTH_FOR_ONE) + (length >= LENGTH_FOR_TWO)
        if distance(name, candidate) <= allowed:
            return candidate
    return None


def distance(first: str, second: str) -> int:
    """Return by how many characters two texts differ: added, left out, replaced, or two exchanged."""
    rows = [list(range(len(second) + 1))]
    for i, left in enumerate(first, 1):
        row = [i]
        for j, right in enumerate(second, 1):
            cost = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (left != right))
            if i > 1 and j > 1 and left == second[j - 2] and first[i - 2] == right:
                cost = min(cost, rows[-2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]
