# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a file of programs remembers in its text."""

from __future__ import annotations

from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor import marks
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.read import parse, program_names
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.write import render

from .samples import TUTORIAL, program, read_by_supervisor


def test_what_is_kept_stopped_stays_so_when_a_hold_is_released():
    programs = [program("a"), program("b", autostart=False), program("c")]
    text = render(programs)
    assert marks.kept_stopped(text) == {"b"}
    assert marks.set_autostart(marks.set_autostart(text, False), True) == text
    assert marks.set_autostart(text, False) == render(programs, autostart=False)
    assert {name: config.autostart for name, config in read_by_supervisor(text).items()} == {
        "a": True,
        "b": False,
        "c": True,
    }


def test_a_hold_changes_autostart_and_nothing_else():
    held = marks.set_autostart(TUTORIAL, False)
    found = read_by_supervisor(held)
    assert [config.autostart for config in found.values()] == [False] * 3
    assert [line for line in held.splitlines() if "autostart" not in line] == [
        line for line in TUTORIAL.splitlines() if "autostart" not in line
    ]
    assert [config.autostart for config in read_by_supervisor(marks.set_autostart(held, True)).values()] == [True] * 3
    assert marks.set_autostart(held, False) == held


def test_a_rendered_file_held_and_released_is_the_same_again():
    programs = [program("a"), program("b")]
    assert marks.set_autostart(render(programs), False) == render(programs, autostart=False)
    assert marks.set_autostart(render(programs, autostart=False), True) == render(programs)


def test_the_file_remembers_what_has_to_go():
    text = render([program()])
    remembering = marks.with_leaving(text, ["b", "a"])
    assert marks.leaving(remembering) == ["a", "b"]
    assert marks.with_leaving(remembering, []) == text
    assert list(read_by_supervisor(remembering)) == ["p"]
    assert marks.leaving(marks.with_leaving(None, ["x"])) == ["x"]
    assert marks.leaving(None) == []


def test_a_text_is_composed_of_the_groups_of_two():
    old = render(
        [
            program(name="a", environment={"V": "2"}),
            program(name="b", environment={"V": "2"}, autostart=False),
            program(name="new"),
        ]
    )
    kept = render([program(name="a", environment={"V": "1"}), program(name="gone"), program(name="b")])
    assert marks.compose(old, kept, {"a", "b", "new"}, set()) == old
    assert marks.compose(marks.with_leaving(old, ["gone"]), None, {"a", "b", "new"}, set()) == old
    assert marks.compose(old, kept, set(), {"a", "b", "gone"}).split("\n[")[1:] == [
        kept.split("\n[")[index] for index in (1, 3, 2)
    ]
    mixed = marks.compose(old, kept, {"b"}, {"a", "gone"})
    assert program_names(parse(mixed)) == ["a", "b", "gone"]
    assert 'V="1"' in mixed and marks.kept_stopped(mixed) == {"b"}
    assert marks.compose(old, kept, set(), set()) is None
    assert marks.compose(None, kept, set(), {"a", "b", "gone"}).count("[program:") == 3


def test_the_groups_of_a_text_that_are_on_hold():
    programs = [program(name="a"), program(name="b", autostart=False)]
    assert marks.stopped_groups(render(programs)) == set()
    assert marks.stopped_groups(render(programs, autostart=False)) == {"a"}
    assert marks.stopped_groups(
        "[group:g]\nprograms=x,y\n[program:x]\ncommand=z\n[program:y]\ncommand=z\nautostart=false\n"
    ) == {"g"}
    assert marks.stopped_groups(None) == set()
