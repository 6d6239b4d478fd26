# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that AWX retypes: what arrives is right, or a sentence says what arrived and how to write it.

AWX 24.6.1 with ansible-core 2.19 writes the texts of surveys, launches and credentials as YAML without quotes, so that
they arrive as `yaml.safe_load` reads them. A variable of a host that somebody writes by hand in AWX is YAML anyway.
"""

from __future__ import annotations

import datetime
from collections import Counter

import pytest
import yaml
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster import role_files
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster.inputs import (
    NotConvertible,
    convert,
    typed,
    was_rewritten,
)
from ansible_collections.autonomys.cluster.plugins.plugin_utils._rules import variables

OPTIONS = {
    name: option
    for name, option in role_files.all_options().items()
    # Playbooks hand these over; nobody answers them.
    if not name.startswith("cluster_step_") and name != "cluster_reading"
}
#: What somebody writes to what arrives.
RETYPED = {
    "1.10": 1.1,
    "0755": 493,
    "12:30": 750,
    "off": False,
    "yes": True,
    "": None,
    "007": 7,
    "1_000": 1000,
    "2026-01-02": datetime.date(2026, 1, 2),
    "~": None,
    "5": 5,
    "v1.10.0": "v1.10.0",
    "plain": "plain",
}
#: By the type of a variable: which answers are right, which are said. Everything else is a fault of ours.
#: r: the value means what was written; s: a sentence; n: nothing was written, and the default counts.
#: A survey asks for whole numbers with AWX's type integer, whose answers are numbers and never retyped texts; 0755,
#: 12:30 and 1_000 are no whole numbers for anybody.
TABLE = {
    #           1.10 0755 12:30 off yes "" 007 1_000 date ~ 5 v1.10.0 plain
    "str": "    s    s    s     s   s   n  s   s     s    n s r       r",
    "number": " s    -    -     s   s   n  -   -     s    n r r       r",
    "choices": "s    s    s     s   s   n  s   s     s    n s s       s",
    "path": "   s    s    s     s   s   n  s   s     s    n s s       s",
    "bool": "   s    s    s     r   r   n  s   s     s    n s s       s",
    "int": "    s    -    -     s   s   n  r   r     s    n r s       s",
    "list": "   s    s    s     s   s   n  s   s     s    n s r       r",
    "dict": "   s    s    s     s   s   n  s   s     s    n s s       s",
    "raw": "    s    -    -     s   s   n  -   -     s    n r r       r",
    "maps": "   s    s    s     s   s   n  s   s     s    n s s       s",
}  # fmt: skip


def kind_of(name, option):
    """The row of the table that a variable belongs to."""
    if option.get("choices"):
        return "choices"
    if option["type"] == "str" and not was_rewritten(name, option, 5):
        return "number"
    return "maps" if option.get("elements") == "dict" else option["type"]


def sentence(name, option, value):
    """What preflight says of a value, None where it takes it."""
    settings = typed({name: value})
    fault, _value = variables._check(name, option, settings)
    return fault and f"{fault[1]}. {fault[2]}"


def outcome(name, option, written, arrived):
    """How an answer ends, as the table has it."""
    said = sentence(name, option, arrived)
    if arrived is None:
        return "n" if said is None or " is empty. " in said or " is not set. Set " in said else "?"
    if said:
        named = {str(arrived), str(arrived).lower(), repr(arrived)}
        tells = any(each in said for each in named) and any(
            way in said for way in ("Write it in quotes", "Correct ", "must be")
        )
        return "s" if tells and name in said else "?"
    try:
        meant = convert(option, written)
    except NotConvertible:
        meant = None
    if str(typed({name: arrived})[name]) == str(meant):
        return "r"
    return "-" if isinstance(arrived, int) and kind_of(name, option) in ("int", "number", "raw") else "?"


def test_the_retypings_are_those_of_yaml():
    assert {written: yaml.safe_load(written) for written in RETYPED} == RETYPED


@pytest.mark.parametrize("name", OPTIONS)
def test_every_variable_is_right_or_says_what_arrived(name):
    option = OPTIONS[name]
    found = [outcome(name, option, written, arrived) for written, arrived in RETYPED.items()]
    assert dict(zip(RETYPED, found)) == dict(zip(RETYPED, TABLE[kind_of(name, option)].split()))


def test_every_row_of_the_table_is_used():
    assert set(Counter(kind_of(name, option) for name, option in OPTIONS.items())) == set(TABLE)
    assert {len(row.split()) for row in TABLE.values()} == {len(RETYPED)}


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        (
            {"SOME_API_TOKEN": 7},
            "has SOME_API_TOKEN as a number; YAML rewrites numbers, so that a password 007 becomes 7",
        ),
        (
            {"LEVEL": False},
            "LEVEL of node_environment is false; YAML makes that of yes, no, on and off, too. Write it in",
        ),
        (
            {"RATIO": 1.1},
            "is the number 1.1; YAML rewrites numbers, so that 1.10 becomes 1.1 and 007 becomes 7. Write it",
        ),
        ({"DAY": datetime.date(2026, 1, 2)}, "DAY of node_environment is a date for YAML, 2026-01-02"),
        ({"THREADS": 8, "SOME_API_TOKEN": "007"}, None),
    ],
)
def test_values_of_an_environment(environment, said):
    text = sentence("node_environment", OPTIONS["node_environment"], environment)
    assert (text is None) if said is None else said in text


def test_a_password_is_not_told():
    assert "4711" not in sentence("node_environment", OPTIONS["node_environment"], {"DB_PASSWORD": 4711})
