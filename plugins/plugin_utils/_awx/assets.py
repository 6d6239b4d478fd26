# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""All that AWX needs to run this collection, in the variable shape of infra.aap_configuration. Pure functions."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

from .survey import Option, Question, names_in_head, option_of, question
from .templates import TEMPLATES, Template

WORKFLOW = "deploy"
SECRET = re.compile(r"[a-z_][a-z0-9_]*")
# Identifiers of the workflow's nodes: what runs, and what follows success and failure.
NODES: tuple[tuple[str, str | None, tuple[str, ...], tuple[str, ...]], ...] = (
    ("preflight", "preflight", ("plan",), ()),
    ("plan", "plan", ("approval",), ()),
    ("approval", None, ("site",), ()),
    # A workflow has failed only where the last job of a branch has: drift does unless all is as approved after all.
    ("site", "site", ("status",), ("drift",)),
    ("status", "status", (), ()),
    ("drift", "drift", (), ()),
)


class AssetError(ValueError):
    """Something that the data cannot be built from, in a sentence."""


class Sources(TypedDict):
    """What the data is derived from: texts of playbooks, specifications of the roles' variables, components."""

    playbooks: Mapping[str, str]
    specs: Mapping[str, Option]
    components: Sequence[str]


Settings = Mapping[str, Any]
Assets = dict[str, list[dict[str, Any]]]


def assets(settings: Settings, sources: Sources) -> Assets:
    """Return the data.

    Args:
        settings: the variables of role ``awx`` without their prefix, with their types.
        sources: what the data is derived from.

    Raises:
        AssetError: a survey names a variable that does not exist, a template or a name is there twice, or something
            that AWX needs is missing.
    """
    _refuse_unknown_templates(settings)
    found: Assets = {
        "controller_credential_types": _credential_types(settings),
        "controller_projects": _projects(settings),
        "controller_inventories": [_named(settings, settings["inventory"], "The hosts of the cluster.")],
        "controller_inventory_sources": _inventory_sources(settings),
        "controller_notifications": [
            dict(each, organization=settings["organization"]) for each in settings["notifications"]
        ],
        "controller_templates": [_template(name, settings, sources) for name in TEMPLATES],
        "controller_workflows": [_workflow(settings)],
        "controller_schedules": _schedules(settings),
    }
    _refuse_twice(found)
    return found


def template_name(settings: Settings, name: str) -> str:
    """Return how a template or the workflow is called in AWX."""
    return f"{settings['prefix']}{name}"


def _named(settings: Settings, name: str, description: str) -> dict[str, Any]:
    return {"name": name, "organization": settings["organization"], "description": description}


def _projects(settings: Settings) -> list[dict[str, Any]]:
    if not settings["project_url"]:
        return []
    project = _named(settings, settings["project"], "The collection autonomys.cluster with its playbooks.")
    project.update(
        scm_type="git",
        scm_url=settings["project_url"],
        scm_branch=settings["project_branch"],
        # A job runs what the approved plan was made with: AWX gets the branch again when somebody says so.
        scm_update_on_launch=False,
        allow_override=False,
    )
    if settings["project_credential"]:
        project["credential"] = settings["project_credential"]
    if settings["signature_credential"]:
        project["signature_validation_credential"] = settings["signature_credential"]
    return [project]


def _inventory_sources(settings: Settings) -> list[dict[str, Any]]:
    if not settings["inventory_path"]:
        return []
    return [
        {
            "name": settings["inventory"],
            "inventory": settings["inventory"],
            "organization": settings["organization"],
            "source": "scm",
            "source_project": settings["inventory_project"] or settings["project"],
            "source_path": settings["inventory_path"],
            # What is no longer in the file is no longer in AWX.
            "overwrite": True,
            "overwrite_vars": True,
            "update_on_launch": True,
        }
    ]


def _credential_types(settings: Settings) -> list[dict[str, Any]]:
    """Return the type of the credential that brings secrets into the environment; variables are retyped by AWX."""
    if not settings["secrets"]:
        return []
    fields = [{"id": name, "label": name, "type": "string", "secret": True} for name in settings["secrets"]]
    variables = {f"AUTONOMYS_{name.upper()}": "{{ " + name + " }}" for name in settings["secrets"]}
    return [
        {
            "name": settings["secrets_type"],
            "description": "Secrets of the cluster; the inventory reads them from the environment.",
            "kind": "cloud",
            "inputs": {"fields": fields, "required": list(settings["secrets"])},
            "injectors": {"env": variables},
        }
    ]


def _template(name: str, settings: Settings, sources: Sources) -> dict[str, Any]:
    template = TEMPLATES[name]
    item = _named(settings, template_name(settings, name), template.description)
    item.update(
        job_type="run",
        project=settings["project"],
        playbook=template.playbook,
        inventory=settings["inventory"],
        credentials=[*settings["credentials"]],
        forks=settings["forks"],
        # A slice hides the other hosts from a job.
        job_slice_count=1,
        allow_simultaneous=False,
        ask_limit_on_launch=template.limit,
        ask_variables_on_launch=False,
        ask_job_type_on_launch=name == "site",
        diff_mode=name == "site",
        use_fact_cache=False,
        extra_vars={"cluster_host_count": settings["host_count"]} if settings["host_count"] else {},
        notification_templates_error=_told(settings),
    )
    if settings["execution_environment"]:
        item["execution_environment"] = settings["execution_environment"]
    questions = survey(name, template, settings, sources)
    item.update(survey_enabled=bool(questions))
    if questions:
        item["survey_spec"] = {"name": "", "description": "", "spec": questions}
    return item


def survey(name: str, template: Template, settings: Settings, sources: Sources) -> list[Question]:
    """Return the questions of a template: its own, and those that the settings add."""
    if template.playbook not in sources["playbooks"]:
        raise AssetError(f"The template {name} runs {template.playbook}, which this collection does not have.")
    wanted = [*template.survey, *settings["surveys"].get(name, [])]
    twice = sorted({variable for variable in wanted if wanted.count(variable) > 1})
    if twice:
        raise AssetError(f"The survey of the template {name} asks twice for {', '.join(twice)}.")
    head = names_in_head(sources["playbooks"][template.playbook])
    questions = []
    for variable in wanted:
        option = option_of(variable, head, sources["specs"], sources["components"])
        if option is None:
            close = difflib.get_close_matches(variable, sorted({*head, *sources["specs"]}), 1)
            hint = f" Did you mean {close[0]}?" if close else ""
            raise AssetError(
                f"The survey of the template {name} asks for {variable}, which neither a role nor {template.playbook} "
                f"knows.{hint}"
            )
        if option.get("type") in ("dict", "raw") or option.get("elements") in ("dict", "raw"):
            raise AssetError(
                f"The survey of the template {name} asks for {variable}, which is no text, number or list of texts: "
                "write it in the inventory."
            )
        questions.append(question(variable, option, variable in template.required))
    return questions


def _workflow(settings: Settings) -> dict[str, Any]:
    item = _named(
        settings,
        template_name(settings, WORKFLOW),
        "Looks, plans, waits for an approval, does what was approved, and looks again.",
    )
    item.update(
        inventory=settings["inventory"],
        allow_simultaneous=False,
        # What is approved must be what runs: plan and site take the same limit, or none.
        ask_limit_on_launch=False,
        ask_variables_on_launch=False,
        notification_templates_error=_told(settings),
        notification_templates_approvals=_told(settings),
        simplified_workflow_nodes=[_node(settings, *node) for node in NODES],
    )
    return item


def _node(
    settings: Settings, identifier: str, template: str | None, success: Iterable[str], failure: Iterable[str]
) -> dict[str, Any]:
    node: dict[str, Any] = {
        "identifier": identifier,
        "success_nodes": list(success),
        "failure_nodes": list(failure),
        "always_nodes": [],
    }
    if template:
        node.update(
            unified_job_template=template_name(settings, template), lookup_organization=settings["organization"]
        )
    else:
        node["approval_node"] = {
            "name": "Do what the plan shows?",
            "description": "The job before this one shows the plan. site does this plan, or refuses.",
            "timeout": settings["approval_timeout"],
        }
    return node


def _schedules(settings: Settings) -> list[dict[str, Any]]:
    if not settings["drift_schedule"]:
        return []
    return [
        {
            "name": template_name(settings, "drift"),
            "description": "Fails, and tells, when the cluster is not what its inventory says.",
            "unified_job_template": template_name(settings, "drift"),
            "organization": settings["organization"],
            "rrule": settings["drift_schedule"],
            "enabled": True,
        }
    ]


def _told(settings: Settings) -> list[str]:
    return [*settings["notify"], *(each["name"] for each in settings["notifications"])]


def _refuse_unknown_templates(settings: Settings) -> None:
    unknown = sorted(set(settings["surveys"]) - set(TEMPLATES))
    if unknown:
        raise AssetError(f"awx_surveys has {', '.join(unknown)}; templates are {', '.join(TEMPLATES)}.")
    for name in ("organization", "project", "inventory"):
        if not settings[name]:
            raise AssetError(f"awx_{name} is empty: AWX needs a name.")
    for name in settings["secrets"]:
        if not SECRET.fullmatch(name):
            raise AssetError(f"awx_secrets has {name}: a name has small letters, digits and underscores.")
        if settings["secrets"].count(name) > 1:
            raise AssetError(f"awx_secrets has {name} twice.")
    for each in settings["notifications"]:
        if not each.get("name") or not each.get("notification_type"):
            raise AssetError("awx_notifications has one without name or notification_type.")


def _refuse_twice(found: Assets) -> None:
    for kind, items in found.items():
        names = [item["name"] for item in items]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise AssetError(f"{kind} has the name {', '.join(twice)} twice.")
