# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Where a playbook keeps the cluster's model."""

from __future__ import annotations


def cluster_model(task_vars):
    """Return what ``cluster_model`` made of the inventory: a fact of one host, the first in sorted order, so that it is there once and not a thousand times."""
    return task_vars["hostvars"][min(task_vars["groups"]["all"])]["cluster_model"]
