# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change of each variable does to a running cluster, and back, is what its documentation says.

The last sentence of a description says it: ``A change restarts WHOM.``, ``A change reloads WHOM.``, ``A change stops or
starts WHOM.`` or ``A change restarts nothing.``, where a comma may lead to more words.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._components import caches, nats
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS, NATS_CLIENTS
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster import role_files

from .changed_variables import CHANGED, Effect, change, effect, programs_of, running_cluster

ROOT = Path(__file__).parents[3]
EVERYTHING = frozenset().union(*map(programs_of, COMPONENTS))
WHOM = {
    "nothing": frozenset(),
    "every program": EVERYTHING,
    "every program but the NATS server": EVERYTHING - programs_of("nats"),
    "the NATS server": programs_of("nats"),
    "the NATS server and its clients": programs_of("nats").union(*map(programs_of, NATS_CLIENTS)),
    "the node": programs_of("node"),
    "the node and its controllers": programs_of("node") | programs_of("controller"),
    "the controller": programs_of("controller"),
    "the proof server": programs_of("proof_server"),
    "the caches": programs_of("caches"),
    "the sharded cache": frozenset({caches.SHARDED}),
    "the full-piece cache": frozenset({caches.FULL_PIECE}),
    "the plot servers": programs_of("plot_server"),
    "the plot client": programs_of("plot_client"),
}
SENTENCE = re.compile(
    r" A change (?P<verb>restarts|reloads|stops or starts) (?P<whom>[^.,]+?)"
    r"(?: and the controllers of its node|, (?:and|or|which|where) [^.]+)?\.\Z"
)
# Those of monitoring change no program: each writes its files, and restarts what reads them.
VARIABLES = {
    name: option
    for name, option in role_files.all_options().items()
    if not name.startswith(("cluster_step_", "monitoring_"))
}
#: The inventory gives no host another one of these while it runs.
ONE_WAY = {"nats_server_name", "cluster_address"}


class Promise(NamedTuple):
    """What a description says about a change."""

    verb: str
    whom: frozenset[str]


def promise(description: str) -> Promise:
    found = SENTENCE.search(description)
    assert found, f"no sentence about a change at its end: {description}"
    assert found["whom"] in WHOM, f"{found['whom']!r} is none of {', '.join(WHOM)}"
    return Promise(found["verb"], WHOM[found["whom"]])


def test_each_variable_has_another_value():
    assert set(CHANGED) == set(VARIABLES)
    for name, option in VARIABLES.items():
        assert CHANGED[name] != option.get("default", "")


@pytest.mark.parametrize("name", VARIABLES)
def test_a_change_does_what_the_documentation_says(name):
    said = promise(VARIABLES[name]["description"])
    before, after = running_cluster(), running_cluster()
    change(after, name, CHANGED[name])
    there = effect(before, after)
    assert there.restarted == (said.whom if said.verb == "restarts" else frozenset())
    assert there.stopped == (said.whom if said.verb == "stops or starts" else frozenset())
    assert bool(there.reloaded) == (said.verb == "reloads") or said.whom >= programs_of("nats")
    back = effect(after, before)
    assert back == there if not there.stopped else back == Effect(started=there.stopped)


def sentence_of(name):
    """The sentence about a change, in Markdown."""
    return re.sub(r"C\(([^)]*)\)", r"`\1`", SENTENCE.search(VARIABLES[name]["description"])[0].strip())


def rows(page, name):
    text, _heading, _table_of_servers = (ROOT / page).read_text(encoding="utf-8").partition("## Settings of NATS")
    return [line for line in text.splitlines() if line.startswith(f"| `{name}` |")]


@pytest.mark.parametrize("name", VARIABLES)
def test_readme_and_page_say_it_too(name):
    role = next(role for role in role_files.ROLES if name in role_files.options(role))
    [row] = rows(f"roles/{role}/README.md", name)
    assert row.endswith(f" {sentence_of(name)} |")
    assert rows("docs/changes.md", name) == [f"| `{name}` | {sentence_of(name)[len('A change ') : -1]} |"]


@pytest.mark.parametrize("servers", [["node-1"], ["node-1", "node-2"]])
def test_a_single_nats_server_that_becomes_one_of_several_restarts_and_back(servers):
    """No reload makes the difference: the server refuses it (tests/integration/nats/test_nats_settings.py)."""
    few, all_of_them = running_cluster(), running_cluster()
    few.groups["nats"] = servers
    for before, after in ((few, all_of_them), (all_of_them, few)):
        restarted = effect(before, after).restarted
        assert (nats.COMPONENT.file in restarted) == (len(servers) < 2)


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("It is so. A change restarts the node, which says so.", Promise("restarts", WHOM["the node"])),
        ("It is so. A change reloads the NATS server.", Promise("reloads", WHOM["the NATS server"])),
        ("It is so. A change restarts the kettle.", None),
        ("It is so. A change restarts the node. Or not.", None),
        ("It is so.", None),
    ],
)
def test_what_a_description_promises(description, expected):
    if expected:
        assert promise(description) == expected
    else:
        with pytest.raises(AssertionError):
            promise(description)
