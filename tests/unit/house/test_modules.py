# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules and action plugins take what their documentation says, and every attribute is documented and tested.

ansible-test compares documentation and arguments of modules; of action plugins, whose documentation is a module's
file, it compares nothing.
"""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
COLLECTION = "ansible_collections.autonomys.cluster.plugins"
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
ACTIONS = sorted(path.stem for path in (ROOT / "plugins/action").glob("*.py"))
ATTRIBUTES = ("check_mode", "diff_mode", "idempotent")
#: Action plugins that hand their arguments to the module of their name, which judges them.
HANDED_ON = {"component_start_check", "host_reading_info", "release", "systemd_job"}

_SUPERVISOR = "tests/integration/supervisor/test_supervisor_program.py::"
_RESTART = "tests/unit/plugins/plugin_utils/_rolling/test_restart.py::"
_RELEASE = "tests/integration/release/test_release_module.py::"
#: The test that shows an attribute, of each module that changes something.
SHOWN = {
    ("cluster_lock", "check_mode"): "tests/unit/plugins/module_utils/_lock/test_store.py::"
    "test_a_check_says_what_would_be_and_makes_nothing",
    ("cluster_lock", "idempotent"): "tests/unit/plugins/module_utils/_lock/test_record.py::"
    "test_a_run_may_take_what_it_has",
    ("component_restart", "check_mode"): _RESTART + "test_a_check_predicts_shows_the_difference_and_waits_for_nothing",
    ("component_restart", "diff_mode"): _RESTART + "test_a_check_predicts_shows_the_difference_and_waits_for_nothing",
    ("component_restart", "idempotent"): _RESTART + "test_a_step_without_anything_pending_changes_nothing",
    ("nats_first_start", "check_mode"): "tests/unit/plugins/modules/test_nats_first_start.py::"
    "test_check_mode_waits_for_nothing",
    ("nats_first_start", "idempotent"): "tests/unit/plugins/modules/test_nats_first_start.py::"
    "test_a_member_is_left_alone",
    ("nats_reload", "check_mode"): "tests/unit/plugins/modules/test_nats_reload.py::"
    "test_check_mode_predicts_the_change_and_asks_nobody",
    ("release", "check_mode"): _RELEASE + "test_from_the_web",
    ("release", "diff_mode"): _RELEASE + "test_from_the_web",
    ("release", "idempotent"): _RELEASE + "test_from_the_web",
    ("supervisor_program", "check_mode"): _SUPERVISOR + "test_check_mode_foretells_on_a_host_without_supervisor",
    ("supervisor_program", "diff_mode"): _SUPERVISOR + "test_check_mode_foretells_on_a_host_without_supervisor",
    ("supervisor_program", "idempotent"): _SUPERVISOR + "test_new_programs_start_and_a_second_run_does_nothing",
    ("systemd_job", "check_mode"): "tests/unit/plugins/module_utils/_job/test_host.py::test_check_mode_starts_nothing",
}


def documentation(module):
    """What the file of a module says, with its fragments."""
    text = (ROOT / f"plugins/modules/{module}.py").read_text(encoding="utf-8")
    return with_fragments(yaml.safe_load(constant(text, "DOCUMENTATION")))


def constant(source, name):
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
            return ast.literal_eval(node.value)
    return ""


def with_fragments(said):
    for fragment in said.get("extends_documentation_fragment", []):
        # autonomys.cluster.FILE, or autonomys.cluster.FILE.PART
        _namespace, _collection, name, *part = fragment.split(".")
        texts = importlib.import_module(f"{COLLECTION}.doc_fragments.{name}").ModuleDocFragment
        more = yaml.safe_load(getattr(texts, part[0].upper() if part else "DOCUMENTATION"))
        for part in ("options", "attributes"):
            merged = {key: {**value, **said.get(part, {}).get(key, {})} for key, value in more.get(part, {}).items()}
            said[part] = {**said.get(part, {}), **merged}
    return said


def interface(options):
    """What is compared of options, documented ones and those of an argument spec: type, default, choices and so on."""
    found = {}
    for name, option in (options or {}).items():
        found[name] = {
            "type": option.get("type", "str"),
            "elements": option.get("elements"),
            "required": option.get("required", False),
            "default": option.get("default"),
            "choices": list(option["choices"]) if option.get("choices") else None,
            "options": interface(option.get("suboptions", option.get("options"))),
        }
    return found


@pytest.mark.parametrize("action", [action for action in ACTIONS if action not in HANDED_ON])
def test_an_action_takes_what_its_documentation_says(action):
    code = importlib.import_module(f"{COLLECTION}.action.{action}")
    options = documentation(action).get("options", {})
    own = {name: option for name, option in options.items() if "fills it in" not in str(option["description"])}
    assert interface(getattr(code, "ARGUMENTS", {})) == interface(own)


@pytest.mark.parametrize("action", sorted(HANDED_ON))
def test_what_hands_its_arguments_on_has_a_module_that_judges_them(action):
    source = (ROOT / f"plugins/modules/{action}.py").read_text(encoding="utf-8")
    assert "supports_check_mode=True" in source
    assert "ARGUMENTS = {" not in (ROOT / f"plugins/action/{action}.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("module", MODULES)
def test_every_attribute_is_documented(module):
    said = documentation(module).get("attributes", {})
    assert [name for name in ATTRIBUTES if not {"support", "description"} <= set(said.get(name, {}))] == []
    folders = [folder for folder in ("modules", "action") if says_check_mode(folder, module) is not None]
    assert [says_check_mode(folder, module) for folder in folders] == [True] * len(folders) != []
    assert said["check_mode"]["support"] == "full"


def test_every_attribute_of_a_module_that_changes_something_is_shown_by_a_test():
    reads = with_fragments({"extends_documentation_fragment": ["autonomys.cluster.reads"]})["attributes"]
    wanted = {
        (module, name)
        for module in MODULES
        for name, said in documentation(module)["attributes"].items()
        if name in ATTRIBUTES and said["support"] in ("full", "partial") and not is_reader(module, reads)
    }
    assert set(SHOWN) == wanted


def is_reader(module, reads):
    """Whether a module only reads: its fragment says so, in other words at most."""
    return documentation(module)["attributes"]["diff_mode"] == reads["diff_mode"]


@pytest.mark.parametrize("test", sorted(set(SHOWN.values())))
def test_the_test_that_shows_an_attribute_is_there(test):
    path, _colons, name = test.partition("::")
    names = [node.name for node in ast.parse((ROOT / path).read_text()).body if isinstance(node, ast.FunctionDef)]
    assert name in names


@pytest.mark.parametrize(
    ("documented", "taken"),
    [
        ({"a": {"type": "int"}}, {}),
        ({"a": {"type": "int"}}, {"a": {"type": "str"}}),
        ({"a": {"default": 5, "type": "int"}}, {"a": {"type": "int"}}),
        ({"a": {"choices": ["x"]}}, {"a": {"choices": ["x", "y"]}}),
        ({"a": {"suboptions": {"b": {"required": True}}}}, {"a": {"options": {"b": {}}}}),
    ],
)
def test_what_differs_is_seen(documented, taken):
    assert interface(documented) != interface(taken)
    assert interface(documented) == interface(documented)


def says_check_mode(folder, name):
    """What the code of a module or an action says of check mode, None where there is no such code."""
    path = ROOT / f"plugins/{folder}/{name}.py"
    tree = ast.parse(path.read_text(encoding="utf-8") if path.exists() else "")
    words = [node for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "supports_check_mode"]
    named = [
        node for node in ast.walk(tree) if isinstance(node, ast.Assign) and "_supports_check_mode" in ast.unparse(node)
    ]
    found = [ast.literal_eval(node.value) for node in words + named]
    return all(found) if found else None
