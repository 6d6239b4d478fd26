# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All component roles have one shape, and defaults, argument specs and README of each say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS

ROLES = Path(__file__).parents[3] / "roles"
# Utilities that run once; each has a playbook of its own.
UTILITIES = ["benchmark_cache", "export_pieces", "reinitialize_cache", "verify_pieces"]
ALL = ["common", *COMPONENTS, "monitoring", *UTILITIES, "awx"]
# What the entry point restart of a component takes from playbooks. The defaults are common's, which every component
# role has.
STEP = "cluster_step_"


def read(role, path):
    return yaml.safe_load((ROLES / role / path).read_text(encoding="utf-8"))


def specs_of(role):
    return read(role, "meta/argument_specs.yml")["argument_specs"]


def options(role):
    """The variables of a role, without the inputs of a step."""
    merged = {}
    for entry_point in specs_of(role).values():
        merged.update(entry_point["options"])
    return {name: option for name, option in merged.items() if not name.startswith(STEP)}


def defaults_of_step():
    return {name: value for name, value in read("common", "defaults/main.yml").items() if name.startswith(STEP)}


def defaults_of(role):
    return {name: value for name, value in read(role, "defaults/main.yml").items() if not name.startswith(STEP)}


@pytest.mark.parametrize("role", ALL)
def test_defaults_and_argument_specs_agree(role):
    defaults, specs = defaults_of(role), options(role)
    assert {name: specs[name].get("default") for name in defaults} == defaults
    required = {name for name, spec in specs.items() if spec.get("required")}
    assert set(specs) - set(defaults) == required
    commented = set(
        re.findall(r"^# (\w+): \(required\)$", (ROLES / role / "defaults/main.yml").read_text(), re.MULTILINE)
    )
    assert commented == required


@pytest.mark.parametrize("role", ALL)
def test_every_variable_has_a_type_a_description_and_a_line_in_the_readme(role):
    readme = (ROLES / role / "README.md").read_text(encoding="utf-8")
    for name, spec in options(role).items():
        assert spec["type"] and spec["description"]
        assert f"| `{name}` |" in readme


@pytest.mark.parametrize("role", ALL)
def test_variables_carry_the_prefix_of_their_role(role):
    prefixes = ("cluster_", "nats_version", "nats_binary") if role == "common" else (role + "_",)
    assert [name for name in options(role) if not name.startswith(prefixes)] == []


@pytest.mark.parametrize("component", COMPONENTS)
def test_component_roles_have_the_same_shape(component):
    assert set(read(component, "meta/argument_specs.yml")["argument_specs"]) == {"main", "restart", "verify"}
    for path in (
        "README.md",
        "meta/main.yml",
        "vars/main.yml",
        "tasks/main.yml",
        "tasks/restart.yml",
        "tasks/verify.yml",
    ):
        assert (ROLES / component / path).is_file()
    for name in ("state", "extra_args", "environment", "stopwaitsecs", "roll", "health_timeout"):
        assert f"{component}_{name}" in options(component)


@pytest.mark.parametrize("component", COMPONENTS)
def test_settings_of_a_role_are_its_inputs_each_under_its_own_name(component):
    values = read(component, "vars/main.yml")
    assert values[f"__{component}_settings"] == f"{{{{ __{component}_inputs | autonomys.cluster.typed_variables }}}}"
    inputs = values[f"__{component}_inputs"]
    assert inputs == {name: f"{{{{ {name} }}}}" for name in inputs}
    assert set(inputs) <= set(options(component)) | set(options("common")) | set(defaults_of_step())


@pytest.mark.parametrize("component", COMPONENTS)
def test_what_playbooks_hand_to_a_step_is_declared(component):
    defaults, specs = defaults_of_step(), specs_of(component)
    declared = {name: option for name, option in specs["restart"]["options"].items() if name.startswith(STEP)}
    assert {name: option["default"] for name, option in declared.items()} == {name: defaults[name] for name in declared}
    texts = [path.read_text(encoding="utf-8") for path in (ROLES / component).glob("[tv]*s/*.yml")]
    assert set(declared) == set(re.findall(STEP + r"\w+", " ".join(texts)))
    readme = (ROLES / component / "README.md").read_text(encoding="utf-8")
    assert [name for name in declared if f"| `{name}` |" not in readme] == []
    assert not any(name.startswith(STEP) for point in ("main", "verify") for name in specs[point]["options"])
