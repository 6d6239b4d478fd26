# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No variable is dead: what a role takes, keeps or registers is read somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
NAME = re.compile(r"\w+")


def files(*patterns):
    return sorted(path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file())


def values(data):
    """All texts of a file but the names that it defines: keys of maps are left out."""
    if isinstance(data, dict):
        for key, value in data.items():
            # These lists of names say of a variable only that it is there.
            if key not in ("register", "fail_msg"):
                yield from values(value)
    elif isinstance(data, list):
        for item in data:
            yield from values(item)
    elif isinstance(data, str):
        yield data


def defined(data):
    """The variables that tasks and plays of a file define: register, set_fact and vars."""
    if isinstance(data, list):
        for item in data:
            yield from defined(item)
    elif isinstance(data, dict):
        for key, value in data.items():
            if key == "register":
                yield value
            elif key in ("vars", "set_fact", "ansible.builtin.set_fact") and isinstance(value, dict):
                yield from (name for name in value if name != "cacheable")
            yield from defined(value)


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def read_in(paths):
    """The words in the values of YAML files and in the whole of others."""
    texts = []
    for path in paths:
        texts += values(load(path)) if path.suffix == ".yml" else [path.read_text(encoding="utf-8")]
    return {word for text in texts for word in NAME.findall(text)}


TASKS = files("roles/*/tasks/*.yml", "roles/*/handlers/*.yml", "playbooks/**/*.yml", "site.yml")
KEPT = files("roles/*/vars/**/*.yml", "playbooks/vars/*.yml")
PYTHON = files("plugins/**/*.py")
READ = read_in([*TASKS, *KEPT, *files("roles/*/templates/**/*", "roles/*/defaults/*.yml")])
# What Python makes of a part: __nats_program is f"__{component}_program".
IN_PYTHON = {word for path in PYTHON for word in NAME.findall(path.read_text(encoding="utf-8"))}
ENDINGS = set(re.findall(r'f"__\{component\}(\w+)"', "\n".join(path.read_text(encoding="utf-8") for path in PYTHON)))
#: Variables of a play that Ansible itself, or a role, reads under its name.
ANSIBLE = re.compile(r"ansible_\w+")


def is_read(name, read=frozenset(READ), python=frozenset(IN_PYTHON), endings=frozenset(ENDINGS)):
    """Whether a variable is read by YAML, by Python under its name, or by one that ends so."""
    return name in read or name in python or any(name.endswith(ending) and name.startswith("__") for ending in endings)


@pytest.mark.parametrize("path", [*TASKS], ids=lambda path: str(path.relative_to(ROOT)))
def test_what_tasks_and_plays_define_is_read(path):
    taken = {
        name for role in files("roles/*/defaults/main.yml", "roles/*/meta/argument_specs.yml") for name in inputs(role)
    }
    names = [name for name in defined(load(path)) if not ANSIBLE.match(name) and name not in taken]
    assert [name for name in names if not is_read(name)] == []


@pytest.mark.parametrize("path", KEPT, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_kept_is_read(path):
    assert [name for name in load(path) if not is_read(name)] == []


def inputs(path):
    data = load(path)
    if path.name == "main.yml":
        return set(data or {})
    return {name for point in data["argument_specs"].values() for name in point["options"]}


@pytest.mark.parametrize("path", files("roles/*/meta/argument_specs.yml"), ids=lambda path: path.parts[-3])
def test_what_a_role_takes_is_read(path):
    role = path.parent.parent
    own = read_in([each for each in role.rglob("*") if each.suffix in (".yml", ".j2", ".py") and is_code(each)])
    elsewhere = read_in(files("playbooks/**/*.yml", "roles/*/tasks/*.yml", "roles/*/vars/**/*.yml"))
    names = inputs(path) | inputs(role / "defaults/main.yml")
    python = IN_PYTHON | {f"{role.name}{ending}" for ending in re.findall(r'component \+ "(_\w+)"', PYTHON_TEXT)}
    assert sorted(names - own - elsewhere - python) == []


def is_code(path):
    return path.parent.name not in ("defaults", "meta")


PYTHON_TEXT = "\n".join(path.read_text(encoding="utf-8") for path in PYTHON)


def test_what_is_dead_is_seen():
    planted = [{"ansible.builtin.command": "x", "register": "__role_dead", "vars": {"__role_mine": 1}}]
    planted += [
        {"ansible.builtin.set_fact": {"__role_fact": 1}},
        {"when": "__role_alive.x", "register": "__role_alive"},
    ]
    assert list(defined(planted)) == ["__role_dead", "__role_mine", "__role_fact", "__role_alive"]
    read = {word for text in values(planted) for word in NAME.findall(text)}
    dead = [name for name in defined(planted) if not is_read(name, read, set(), {"_program"})]
    assert dead == ["__role_dead", "__role_mine", "__role_fact"]
    assert is_read("__nats_program", set(), set(), {"_program"})
