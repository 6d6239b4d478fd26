# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run hands over: one dictionary, not too long, in which nothing is a template; and files."""

from __future__ import annotations

import json

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.autonomys.cluster.plugins.plugin_utils import _artifacts
from hypothesis import given
from hypothesis import strategies as st


def part(name, value):
    return _artifacts.handed_over(**{name: value})["ansible_stats"]["data"]["autonomys"]


def test_it_is_one_dictionary_for_the_whole_run_to_which_each_task_adds():
    assert _artifacts.handed_over(findings=[{"rule": "NATS001"}], table=[]) == {
        "ansible_stats": {
            "data": {"autonomys": {"findings": [{"rule": "NATS001"}], "table": []}},
            "per_host": False,
            "aggregate": True,
        }
    }


@given(st.text(alphabet="{}%# a\x1b", max_size=30))
def test_no_text_is_a_template_or_steers_a_terminal(text):
    [key, value], *_rest = part("table", [{text: text}])["table"][0].items()
    for result in (key, value):
        assert not any(mark in result for mark in ("{{", "{%", "{#", "}}", "%}", "#}", "\x1b"))


def test_a_text_has_an_end():
    assert len(part("table", ["x" * 5000])["table"][0]) == _artifacts.MOST_TEXT + 2


@pytest.mark.parametrize(
    "value",
    [
        [{"row": "x" * 100, "number": number} for number in range(20_000)],
        {"id": "plan-1", "verdicts": {str(number): "x" * 100 for number in range(20_000)}},
    ],
)
def test_what_is_too_long_is_cut_and_says_so(value):
    found = part("part", value)
    assert len(json.dumps(found["part"])) <= _artifacts.MOST_BYTES and found["part"]
    assert "cluster_results_dir has all of it" in found["part_cut"]


def test_numbers_and_nothing_stay_what_they_are():
    assert part("plan", {"a": 1, "b": None, "c": True, "d": 1.5, "e": ()})["plan"] == {
        "a": 1,
        "b": None,
        "c": True,
        "d": 1.5,
        "e": [],
    }


def test_files_are_written_and_their_folder_is_made(tmp_path):
    _artifacts.write(str(tmp_path / "new" / "plan.txt"), "→ \ud800")
    assert (tmp_path / "new" / "plan.txt").read_text(encoding="utf-8") == "→ ?"
    _artifacts.write_json(str(tmp_path / "rows.json"), [{"a": "→"}])
    assert json.loads((tmp_path / "rows.json").read_text(encoding="utf-8")) == [{"a": "→"}]
    with pytest.raises(AnsibleActionFail, match="cannot be written"):
        _artifacts.write(str(tmp_path), "x")
