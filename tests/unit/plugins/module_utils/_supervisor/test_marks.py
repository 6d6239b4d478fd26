# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a file of programs remembers in its text."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor import marks
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.errors import ConfError
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.read import (
    definitions_of,
    parse,
    program_names,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.write import render
from hypothesis import given, settings
from hypothesis import strategies as st

from .samples import BREAKS, TUTORIAL, arguments, program, read_by_supervisor


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


hostile = st.one_of(arguments, st.lists(st.sampled_from([*BREAKS, "a", " ", "\nuser=root", "user=root"])).map("".join))
a_program = st.fixed_dictionaries(
    {
        "command": st.lists(hostile, max_size=3).map(lambda extra: ["/bin/x", *extra]),
        "environment": st.dictionaries(st.sampled_from(["A", "B"]), hostile, max_size=2),
        "log": st.one_of(
            st.none(), hostile.map(lambda name: {"path": f"/var/log/{name}", "max_bytes": "1MB", "backups": 1})
        ),
        "directory": st.one_of(st.none(), hostile.map("/var/{}".format)),
        "user": st.one_of(st.none(), hostile),
        "autostart": st.booleans(),
    }
)


def rendered(candidates):
    """The text of those programs that are not refused, and their names."""
    accepted = []
    for index, candidate in enumerate(candidates):
        try:
            render([program(f"p{index}", **candidate)])
        except ConfError:
            continue
        accepted.append(program(f"p{index}", **candidate))
    return render(accepted), accepted


def meaning(text, *, but_autostart=False):
    """What supervisord makes of a text: everything, or all but what a hold changes."""
    found = definitions_of(parse(text))
    for members in found.values() if but_autostart else ():
        for options in members.values():
            options.pop("autostart", None)
    return found


@settings(max_examples=200, deadline=None)
@given(st.lists(a_program, min_size=1, max_size=3), st.data())
def test_what_is_not_refused_survives_everything_that_rewrites_a_file(candidates, data):
    text, accepted = rendered(candidates)
    names = [each["name"] for each in accepted]
    some = set(data.draw(st.sets(st.sampled_from(names)))) if names else set()
    assert marks.kept_stopped(text) == {each["name"] for each in accepted if not each["autostart"]}
    held = marks.set_autostart(text, False)
    assert held == render(accepted, autostart=False)
    assert marks.set_autostart(held, True) == text
    assert meaning(marks.set_autostart(text, False, some), but_autostart=True) == meaning(text, but_autostart=True)
    remembering = marks.with_leaving(text, ["gone"])
    assert (marks.leaving(remembering), marks.with_leaving(remembering, [])) == (["gone"], text)
    assert meaning(remembering) == meaning(text)
    assert meaning(marks.compose(text, None, some, set()) or "") == {
        name: options for name, options in meaning(text).items() if name in some
    }
    assert meaning(marks.compose(None, text, set(), some) or "") == meaning(
        marks.compose(text, None, some, set()) or ""
    )


# A line that a file may have which was not made here.
foreign = st.one_of(
    st.sampled_from(
        ["[program:a]", "[program:b]", "[group:g]", "programs=a", "autostart=true", "autostart : x", "; x", ""]
    ),
    st.builds(
        "x={}{}{}".format,
        st.sampled_from(["", "a", " "]),
        st.sampled_from(BREAKS),
        st.sampled_from(["user=root", "[program:c]", "autostart=true", " a", ""]),
    ),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(foreign, max_size=8).map(lambda lines: "\n".join(["[program:a]", "command=/x", *lines, ""])))
def test_a_file_that_was_not_made_here_means_the_same_when_it_is_rewritten(text):
    expected = meaning(text, but_autostart=True)
    for changed in (marks.set_autostart(text, False), marks.set_autostart(text, True), marks.with_leaving(text, ["x"])):
        assert meaning(changed, but_autostart=True) == expected


@pytest.mark.parametrize("character", BREAKS)
def test_no_character_of_a_log_path_becomes_a_line(character):
    text = f"[program:a]\ncommand=/x\nuser=nobody\nstdout_logfile=/var/log/x{character}user=root\n"
    for changed in (marks.set_autostart(text, False), marks.with_leaving(text, []), marks.group_texts(text)["a"]):
        assert parse(changed)["program:a"]["user"] == "nobody"
