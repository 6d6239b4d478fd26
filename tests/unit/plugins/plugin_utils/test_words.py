# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers, times, sizes and names in words, and texts in lines."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._printable import printable
from ansible_collections.autonomys.cluster.plugins.plugin_utils._words import (
    alike,
    beside,
    between,
    compact,
    counted,
    cut,
    duration,
    fitted,
    in_order,
    names,
    one_line,
    shown,
    size,
    text_width,
    thousands,
    wrapped,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    "names, text",
    [
        ([], ""),
        (["a"], "a"),
        (["a-1", "a-2"], "a-1, a-2"),
        (["a-1", "a-2", "a-3", "b"], "a-1…a-3, b"),
        (["a-8", "a-9", "a-10"], "a-8…a-10"),
        (["a-08", "a-09", "a-10"], "a-08…a-10"),
        (["a1b", "a2b", "a3b"], "a1b, a2b, a3b"),
        (["1", "2", "3"], "1…3"),
        (["node", "node1", "node2", "node3"], "node, node1…node3"),
    ],
)
def test_names_are_put_together(names, text):
    assert compact(names) == text


def test_people_count_otherwise_than_computers_sort():
    assert in_order(["p-10", "p-2", "a", "p-1", "10.0.0.2"]) == ["10.0.0.2", "a", "p-1", "p-2", "p-10"]


def test_a_number_that_is_no_decimal_is_a_letter():
    assert in_order(["a²", "a1"]) == ["a1", "a²"] and compact(["a¹", "a²", "a³"]) == "a¹, a², a³"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (3600, "60 min"),
        (7200, "2 h"),
        (7260, "2 h 01 min"),
        (8700, "2 h 25 min"),
    ],
)
def test_time_in_words(seconds, text):
    assert duration(seconds) == text


def test_a_span_of_times():
    assert between(10, 610) == "10 s to 10 min" and between(30, 30) == "30 s"


def test_numbers_in_words():
    assert [counted(number, "host") for number in (0, 1, 2)] == ["0 hosts", "1 host", "2 hosts"]
    assert [size(count) for count in (12, 5e6, 7.68e12)] == ["12 bytes", "5.00 MB", "7.68 TB"]
    assert thousands(1234567) == "1\u202f234\u202f567"


def test_a_long_text_is_cut():
    assert cut("abcd", 4) == "abcd" and cut("abcde", 4) == "abc…"


@pytest.mark.parametrize(
    ("hosts", "text"),
    [
        ([], "none"),
        (["a"], "a"),
        (["a", "b", "c"], "a, b and c"),
        (["a", "b", "c", "d", "e", "f", "g"], "a, b, c, d, e and 2 more"),
    ],
)
def test_names_in_a_sentence(hosts, text):
    assert names(hosts) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (None, "null"), ("yes", "'yes'"), (7, "7"), ([1], "[1]"), ("x" * 100, "'" + "x" * 78 + "…")],
)
def test_values_in_a_sentence(value, text):
    assert shown(value) == text


def test_several_lines_in_a_sentence():
    assert one_line("a\n  b\tc") == "a b c" and one_line("abc", 2) == "ab"


def test_equal_ones_come_together_in_the_order_of_the_first():
    assert alike(["b1", "a1", "b2"], lambda name: name[0]) == [["b1", "b2"], ["a1"]]


def test_lines_break_between_words_and_not_at_hyphens():
    assert wrapped("a plot-server-0 b", 8, first="- ", others="  ") == ["- a plot", "  -serve", "  r-0 b"]
    assert wrapped("a plot-server-0 b", 8, break_words=False) == ["a", "plot-server-0", "b"]


@given(st.text(st.characters(codec=None)), st.integers(5, 200))
def test_lines_are_printable(text, width):
    assert all(line == printable(line) for line in wrapped(text, width))


def test_line_breaks_of_a_text_are_spaces_when_it_is_wrapped():
    assert wrapped("it ended:\n  a\r\n\tb", 40) == ["it ended: a b"]
    assert wrapped("restart  why", 40) == ["restart  why"]


@pytest.mark.parametrize(("columns", "width"), [(40, 79), (79, 79), (120, 120), (500, 160)])
def test_how_wide_a_text_is_made(columns, width):
    assert text_width(columns) == width


@pytest.mark.parametrize(
    ("widths", "room", "result"),
    [
        ([20, 10, 30], 64, [20, 10, 30]),
        ([20, 10, 30], 60, [20, 10, 26]),
        ([20, 10, 30], 40, [16, 10, 10]),
        ([20, 10, 30], 10, [12, 10, 10]),
    ],
)
def test_columns_give_way_from_the_last_one(widths, room, result):
    assert fitted(widths, [12, 10, 10], room) == result


def test_cells_of_several_lines_stand_beside_each_other():
    assert beside([["a"], ["b", "c"], []]) == [("a", "b", ""), ("", "c", "")]
