# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The job templates: which playbook each one runs, what its survey asks, and who needs what. Data only."""

from __future__ import annotations

from typing import NamedTuple


class Template(NamedTuple):
    """A job template: what it is for, and what somebody who launches it is asked."""

    playbook: str
    description: str
    # Variables that the survey asks for, in its order; a question is made from the variable's specification.
    survey: tuple[str, ...] = ()
    # Variables of the survey that must be answered.
    required: tuple[str, ...] = ()
    # Whether somebody who launches it may limit it to some hosts.
    limit: bool = True
    # Whether it changes hosts; what does not can be let to more people.
    changes: bool = True


TEMPLATES = {
    "preflight": Template(
        "playbooks/preflight.yml", "Looks at the whole cluster and reports all that is wrong.", changes=False
    ),
    "plan": Template("playbooks/plan.yml", "Shows what site would do, and gives it an id.", changes=False),
    "site": Template(
        "site.yml",
        "Deploys, changes, upgrades or repairs the cluster. With the id of a plan it does that plan or refuses.",
        ("cluster_plan_id",),
    ),
    "stage": Template("playbooks/stage.yml", "Installs the wanted versions beside what runs, and restarts nothing."),
    "status": Template("playbooks/status.yml", "Shows what runs. Fails when something is not healthy.", changes=False),
    "drift": Template(
        "playbooks/drift.yml",
        "Fails when site would change something, or something is not healthy. Changes nothing.",
        limit=False,
        changes=False,
    ),
    "restart": Template(
        "playbooks/restart.yml",
        "Restarts programs host by host, each healthy before the next.",
        ("restart_components", "restart_programs", "restart_gpu_slots", "restart_everything"),
    ),
    "stop": Template(
        "playbooks/stop.yml",
        "Stops programs until site or restart starts them again.",
        ("stop_components", "stop_programs", "stop_gpu_slots", "stop_everything"),
    ),
    "benchmark_cache": Template(
        "playbooks/benchmark_cache.yml",
        "Measures the sharded caches once, from a controller host.",
        ("benchmark_cache_sectors", "benchmark_cache_epoch"),
        limit=False,
    ),
    "export_pieces": Template(
        "playbooks/export_pieces.yml",
        "Exports a node's history as pieces, copies them to the plotters, and points the full-piece caches at them.",
        ("export_pieces_again", "export_pieces_bandwidth_mbit"),
        limit=False,
    ),
    "reinitialize_cache": Template(
        "playbooks/reinitialize_cache.yml",
        "Makes all caches of the cluster empty and fill themselves again, once.",
        ("reinitialize_cache_confirm", "reinitialize_cache_delay"),
        ("reinitialize_cache_confirm",),
        limit=False,
    ),
    "verify_pieces": Template(
        "playbooks/verify_pieces.yml", "Checks the pieces in the caches, once, from a controller host.", limit=False
    ),
}
