# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A variable means the same however it came: by YAML, an INI inventory, ``-e key=value`` or a survey."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster import role_files
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.inputs import NotConvertible, convert, typed

ROOT = Path(__file__).parents[5]
OPTIONS = role_files.all_options()
FARMS = [{"path": "/mnt/a", "sectors": "5", "state": "present"}, {"path": "/mnt/b"}]


def sample(name, option):
    """A value of a variable that is not its default."""
    kind, default = option["type"], option.get("default")
    if name == "plot_client_farms":
        return FARMS
    if name == "monitoring_receivers":
        return [{"name": "operator"}, {"name": "second"}]
    if option.get("choices"):
        return next(choice for choice in option["choices"] if choice != default)
    return {
        "int": (default or 0) + 7 if kind == "int" else None,
        "bool": not default,
        "list": ["one", "two"],
        "dict": {"A": "b", "C": "d"},
        "path": "/some/where",
        "raw": {"NVIDIA GeForce RTX 4090": 2},
        "str": "some-text",
    }[kind]


TYPED = {name: sample(name, option) for name, option in OPTIONS.items()}


def in_json(value):
    return json.dumps(value, separators=(",", ":")) if isinstance(value, (list, dict)) else str(value)


def by_commas(value):
    """As the documentation of restart.yml shows it."""
    simple = isinstance(value, list) and all(isinstance(item, str) for item in value)
    return ",".join(value) if simple else in_json(value)


@pytest.mark.parametrize("write", [in_json, by_commas])
@pytest.mark.parametrize("name", OPTIONS)
def test_every_variable_of_every_role_may_be_text(name, write):
    assert typed({name: write(TYPED[name])}) == typed({name: TYPED[name]}) == {name: TYPED[name]}


@pytest.mark.parametrize("role", role_files.ROLES)
def test_defaults_have_their_types(role):
    plain = {name: value for name, value in role_files.defaults(role).items() if "{{" not in str(value)}
    assert typed(plain) == plain


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ({"type": "bool"}, "no", False),
        ({"type": "bool"}, "False", False),
        ({"type": "bool"}, 1, True),
        ({"type": "int"}, "19944", 19944),
        ({"type": "int"}, 5.0, 5),
        ({"type": "str"}, 0, "0"),
        ({"type": "str", "choices": ["a"]}, "a", "a"),
        ({"type": "path"}, "/data/$HOME/~x", "/data/$HOME/~x"),
        ({"type": "list", "elements": "str"}, "NATS002, DISK011", ["NATS002", "DISK011"]),
        ({"type": "list", "elements": "str"}, "", []),
        ({"type": "list", "elements": "str"}, "['a', 'b']", ["a", "b"]),
        ({"type": "list", "elements": "int"}, ["0", 2], [0, 2]),
        ({"type": "dict"}, "", {}),
        ({"type": "dict"}, "A=b,C=d", {"A": "b", "C": "d"}),
        ({"type": "dict"}, "{A: b}", {"A": "b"}),
        ({"type": "raw"}, "12", "12"),
        ({"type": "int"}, None, None),
        ({"type": "dict", "options": {"n": {"type": "int"}}}, {"n": "1"}, {"n": 1}),
    ],
)
def test_a_value_gets_its_type(option, value, expected):
    got = convert(option, value)
    assert (got, type(got)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ({"type": "bool"}, "perhaps"),
        ({"type": "int"}, "four"),
        ({"type": "int"}, True),
        ({"type": "int"}, float("inf")),
        ({"type": "int"}, 1.5),
        # no instead of "no" in YAML: nobody knows what was written.
        ({"type": "str"}, False),
        ({"type": "str"}, ["a"]),
        ({"type": "str", "choices": ["a"]}, "b"),
        ({"type": "list", "elements": "dict"}, "/mnt/a"),
        ({"type": "list", "elements": "int"}, ["x"]),
        ({"type": "list"}, 5),
        ({"type": "list"}, "[a"),
        ({"type": "dict"}, "a"),
        ({"type": "dict"}, ["a"]),
        ({"type": "dict", "options": {"n": {"type": "int"}}}, {"m": 1}),
    ],
)
def test_what_has_no_such_type_is_left_to_preflight(option, value):
    with pytest.raises(NotConvertible):
        convert(option, value)


def test_wrong_and_foreign_variables_stay_as_they_are():
    given = {"node_rpc_port": "four", "cluster_version": 1.1, "foreign": "1", "cluster_accept": {"a": 1}}
    assert typed(given) == given


PRINT = """
- hosts: all
  gather_facts: false
  tasks:
    - autonomys.cluster.cluster_model:
      register: built
    - ansible.builtin.copy:
        content: "{{ built.model | to_json }}"
        dest: "{{ model_file }}"
        mode: "0600"
      vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}"}
"""


def settings_of(folder, inventory, *arguments):
    """The settings that Ansible's own reading of an inventory and a command line gives."""
    playbook, model = folder / "model.yml", folder / "model.json"
    playbook.write_text(PRINT, encoding="utf-8")
    command = [Path(sys.executable).parent / "ansible-playbook", "-i", inventory, "-e", f"model_file={model}"]
    environment = dict(os.environ, ANSIBLE_CONFIG=str(ROOT / "ansible.cfg"))
    done = subprocess.run(
        [*command, *arguments, playbook],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(model.read_text(encoding="utf-8"))["hosts"]["only"]["settings"]


def test_ini_and_command_line_give_the_same_as_yaml(tmp_path):
    groups = {role: {"hosts": {"only": {}}} for role in role_files.ROLES}
    hosts = {"only": {"ansible_connection": "local"}}
    bare = {"all": {"hosts": hosts, "children": groups}}
    full = {"all": dict(bare["all"], vars=TYPED)}
    (tmp_path / "bare.yml").write_text(yaml.safe_dump(bare), encoding="utf-8")
    (tmp_path / "full.yml").write_text(yaml.safe_dump(full), encoding="utf-8")
    lines = [f"{name}={in_json(value)}" for name, value in TYPED.items()]
    members = "".join(f"[{group}]\nonly\n" for group in groups)
    ini = "only ansible_connection=local\n[all:vars]\n" + "\n".join(lines) + "\n" + members
    (tmp_path / "hosts.ini").write_text(ini, encoding="utf-8")
    in_yaml = settings_of(tmp_path, tmp_path / "full.yml")
    assert {name: in_yaml[name] for name in TYPED} == TYPED
    assert settings_of(tmp_path, tmp_path / "hosts.ini") == in_yaml
    words = [word for line in lines for word in ("-e", line)]
    assert settings_of(tmp_path, tmp_path / "bare.yml", *words) == in_yaml
