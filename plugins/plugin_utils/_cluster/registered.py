# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What playbooks and roles register under which name: the only file that knows variables which Python reads.

A task that registers one of these is named beside it. A name that nobody registered in this run gives None or nothing.
"""

from __future__ import annotations

from typing import Any, Mapping

from .model import Model

Answer = dict[str, Any]
Variables = Mapping[str, Any]


def _answer(variables: Variables, name: str) -> Answer:
    """Return what a task registered, as plain data."""
    return dict(variables.get(name) or {})


# --- on the first host in sorted order: there once, and not a thousand times ---


def first_host(task_vars: Variables) -> str:
    """Return the host that keeps what concerns the whole cluster."""
    return str(min(task_vars["groups"]["all"]))


def cluster_model(task_vars: Variables) -> Model:
    """Return what ``cluster_model`` made of the inventory, as ``playbooks/tasks/model.yml`` keeps it."""
    hostvars, first = task_vars["hostvars"], first_host(task_vars)
    # It is data, and holds everything: to look for templates in all of it once per host costs the square of the hosts.
    variables = hostvars.raw_get(first) if hasattr(hostvars, "raw_get") else hostvars[first]
    model: Model = variables["__cluster_model"]
    return model


# --- groups that playbooks make ---


def ready_hosts(task_vars: Variables) -> list[str]:
    """Return the hosts that this run may change and asks, by preflight or the choice of hosts."""
    return list(task_vars["groups"].get("cluster_ready", []))


def rolled_hosts(task_vars: Variables, component: str) -> list[str]:
    """Return the hosts on which something of a component must restart."""
    return list(task_vars["groups"].get(f"cluster_roll_{component}", []))


# --- per host, of its roles: roles/<component>/tasks/*.yml ---


def program_result(variables: Variables, component: str) -> Answer:
    """Return the answer of ``supervisor_program`` in the role's ``main``."""
    return _answer(variables, f"__{component}_program")


def started_programs(variables: Variables, component: str) -> list[Answer]:
    """Return the programs that the role has started in this run without waiting until they have stayed up."""
    # A NATS server that was started a second time has another process.
    again = _answer(variables, f"__{component}_first_start").get("started")
    started: list[Answer] = again or program_result(variables, component).get("started") or []
    return started


def start_check_result(variables: Variables) -> Answer:
    """Return the answer of ``component_start_check`` in ``playbooks/includes/settled.yml``."""
    return _answer(variables, "__cluster_start_check")


def health_result(variables: Variables, component: str) -> Answer:
    """Return the answer of ``component_health`` in the role's ``verify``."""
    return _answer(variables, f"__{component}_health")


def restart_result(variables: Variables, component: str) -> Answer:
    """Return the answer of ``component_restart`` in the role's ``restart``."""
    return _answer(variables, f"__{component}_restart")


# --- per host, of the playbooks ---


def host_reading(variables: Variables) -> Answer:
    """Return the answer of ``host_reading_info``, as ``playbooks/tasks/read.yml`` asks it."""
    return _answer(variables, "__host_reading")


def serving_result(variables: Variables, component: str) -> Answer | None:
    """Return what ``component_serving_info`` in ``includes/roll.yml`` told of a component."""
    told = _answer(variables, "__roll_at_work")
    return told if told.get("component") == component else None


def slots_seen(variables: Variables) -> list[str] | None:
    """Return the programs with slots of which a host told ``includes/select.yml``, None where it told nothing."""
    programs = _answer(variables, "__select_slots").get("programs")
    return None if programs is None else [program["name"] for program in programs]


def preflight_result(variables: Variables) -> Answer | None:
    """Return what ``preflight`` judged; every host of its play has it."""
    judged = _answer(variables, "__preflight")
    return judged if "findings" in judged else None
