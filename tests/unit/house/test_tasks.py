# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No task waits without end, goes on after an error, or takes whichever host a group happens to begin with."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
PLACES = ("roles/*/tasks/*.yml", "playbooks/**/*.yml", "molecule/**/*.yml", "tests/hosts/*.yml", "site.yml")
FILES = sorted(path.relative_to(ROOT) for place in PLACES for path in ROOT.glob(place))
# The first of a group's hosts in the order of the inventory, or in none: another one when a host is added.
FIRST_OF_GROUP = re.compile(r"groups(?:\.\w+|\[[^\]]*\])(?:\s*\[\s*-?\d+\s*\]|\.\d+|\s*\|\s*(?:first|last|random)\b)")
#: Groups of one host, which a play made for this purpose.
SINGLE = ("groups['cluster_export_host'] | first",)
LISTS = ("block", "rescue", "always", "tasks", "pre_tasks", "post_tasks", "handlers")


def tasks(data):
    """All tasks and plays of a file."""
    for item in data if isinstance(data, list) else []:
        if isinstance(item, dict):
            yield item
            for key in LISTS:
                yield from tasks(item.get(key))


def arguments(task, *actions):
    """The arguments of a task if it is one of these actions of Ansible's, else None."""
    for key, value in task.items():
        if key.rpartition(".")[2] in actions and key.rpartition(".")[0] in ("", "ansible.builtin"):
            return value if isinstance(value, dict) else {}
    return None


def faults(task):
    """What is wrong with a task or a play."""
    if "until" in task and not {"retries", "delay"} <= set(task):
        yield "until without retries and delay"
    for wait in ("wait_for", "wait_for_connection"):
        given = arguments(task, wait)
        if given is not None and "timeout" not in given:
            yield f"{wait} without a timeout"
    pause = arguments(task, "pause")
    if pause is not None and not {"seconds", "minutes"} & set(pause):
        yield "pause waits for a key"
    if "async" in task and "poll" not in task:
        yield "async without poll"
    if task.get("ignore_errors"):
        yield "ignore_errors"
    fatal = "hosts" in task and task.get("any_errors_fatal") and task["hosts"] not in ("all", "localhost")
    if fatal and not task.get("ignore_unreachable"):
        yield "any_errors_fatal without ignore_unreachable: a host that cannot be reached would pass"


def first_of_group(text):
    """The places of a text that take one host of a group."""
    return [found.group() for found in FIRST_OF_GROUP.finditer(text) if found.group() not in SINGLE]


@pytest.mark.parametrize("path", FILES, ids=str)
def test_tasks_wait_and_fail_as_they_must(path):
    found = tasks(yaml.safe_load((ROOT / path).read_text(encoding="utf-8")))
    named = [(task.get("name"), list(faults(task))) for task in found]
    assert [fault for fault in named if fault[1]] == []


@pytest.mark.parametrize(
    "path",
    sorted(
        str(path.relative_to(ROOT))
        for folder in ("roles", "playbooks", "molecule", "inventories")
        for ending in ("*.yml", "*.j2")
        for path in (ROOT / folder).rglob(ending)
    ),
)
def test_no_host_is_the_first_of_its_group_by_chance(path):
    assert first_of_group((ROOT / path).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "planted",
    [
        {"ansible.builtin.uri": {}, "until": "x.status == 200"},
        {"ansible.builtin.uri": {}, "until": "x.status == 200", "retries": 5},
        {"ansible.builtin.wait_for": {"port": 1}},
        {"wait_for_connection": None},
        {"ansible.builtin.pause": {"prompt": "Go on?"}},
        {"ansible.builtin.command": {}, "async": 60},
        {"ansible.builtin.command": {}, "ignore_errors": True},
        {"block": [{"ansible.builtin.command": {}, "ignore_errors": "{{ x }}"}]},
        {"hosts": "nats", "any_errors_fatal": True, "tasks": []},
        {"hosts": "all", "tasks": [{"block": [], "rescue": [{"ansible.builtin.wait_for": {"path": "/x"}}]}]},
    ],
    ids=str,
)
def test_what_is_planted_is_seen(planted):
    assert [fault for task in tasks([planted]) for fault in faults(task)]


@pytest.mark.parametrize(
    "good",
    [
        {"ansible.builtin.uri": {}, "until": "x.status == 200", "retries": 5, "delay": 1},
        {"ansible.builtin.wait_for": {"port": 1, "timeout": 5}},
        {"community.general.wait_for": {}},
        {"hosts": "nats", "any_errors_fatal": True, "ignore_unreachable": True},
        {"hosts": "all", "any_errors_fatal": True},
        {"hosts": "nats", "any_errors_fatal": False},
    ],
    ids=str,
)
def test_what_is_bounded_passes(good):
    assert [fault for task in tasks([good]) for fault in faults(task)] == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("{{ groups['nats'][0] }}", 1),
        ("{{ groups.nats[0] }} and {{ groups[name][-1] }}", 2),
        ("{{ groups['nats'] | first }}", 1),
        ("{{ groups['nats'] | sort | first }}", 0),
        ("{{ groups['nats'] | default([]) | sort }}", 0),
        ("{{ hostvars[groups['cluster_export_host'] | first] }}", 0),
    ],
)
def test_the_first_of_a_group_is_seen(text, number):
    assert len(first_of_group(text)) == number
