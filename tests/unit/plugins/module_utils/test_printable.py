# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a terminal would obey becomes visible."""

from __future__ import annotations

import unicodedata

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._printable import printable
from hypothesis import given
from hypothesis import strategies as st

# Embeddings, overrides, isolates and their ends.
BIDIRECTIONAL = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ünïcödé 漢字 → ≤ 👍 C:\\x", "plain ünïcödé 漢字 → ≤ 👍 C:\\x"),
        ("\x1b]0;owned\x07\x1b[1A\x1b[2K said hello", r"\x1b]0;owned\x07\x1b[1A\x1b[2K said hello"),
        ("a\nb\tc\rd\x00\x7f", r"a\x0ab\x09c\x0dd\x00\x7f"),
        ("\x9b31m\x85", r"\x9b31m\x85"),
        ("\u202egnp.exe\u2066\u200b\ufeff\xad\u2028", r"\u202egnp.exe\u2066\u200b\ufeff\xad\u2028"),
        ("\ud800\U000e0041", r"\ud800\U000e0041"),
        (7, "7"),
    ],
)
def test_what_steers_a_terminal_becomes_visible(text, shown):
    assert printable(text) == shown


def test_lines_and_tabs_of_a_longer_text_stay():
    assert printable("a\tb\n\n\x1b[2K\r\n\x85", lines=True) == "a\tb\n\n\\x1b[2K\\x0d\n\\x85"


@given(st.text(st.characters(codec=None)))
def test_nothing_that_is_printed_steers_a_terminal(text):
    for line in [printable(text), *printable(text, lines=True).replace("\t", "").split("\n")]:
        kinds = {unicodedata.category(character) for character in line}
        assert not kinds & {"Cc", "Cs", "Zl", "Zp"}, line
        # What has no width and is harmless stays, such as marks of musical notation.
        assert not any(unicodedata.bidirectional(character) in BIDIRECTIONAL for character in line), line
