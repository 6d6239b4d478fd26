# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text that Prometheus reads."""

from __future__ import annotations

import json
import re

from ansible_collections.autonomys.cluster.plugins.module_utils._metrics.exposition import MAX_LABEL, Family, exposition
from hypothesis import given
from hypothesis import strategies as st

LINE = re.compile(r'autonomys_x\{a="((?:[^"\\\n]|\\[\\"n])*)"\} (\S+)')


def test_what_is_not_known_is_left_out():
    families = [
        Family("autonomys_a", "A.", [({"b": "c", "a": "x"}, 1.5), ({"b": "d", "a": "x"}, None), ({}, float("nan"))]),
        Family("autonomys_b_total", "B.", [({}, True)], "counter"),
        Family("autonomys_c", "C.", [({}, None)]),
    ]
    assert exposition(families) == (
        "# HELP autonomys_a A.\n# TYPE autonomys_a gauge\n"
        'autonomys_a{a="x",b="c"} 1.5\n'
        "# HELP autonomys_b_total B.\n# TYPE autonomys_b_total counter\nautonomys_b_total 1\n"
    )


def test_a_sample_that_is_there_twice_is_told_once():
    assert exposition([Family("autonomys_a", "A.", [({}, 1), ({}, 2)])]).count("\nautonomys_a ") == 1


@given(st.text(max_size=3 * MAX_LABEL), st.floats(allow_nan=False, allow_infinity=False))
def test_any_label_and_any_number_stay_on_their_line(label, value):
    lines = exposition([Family("autonomys_x", "X.", [({"a": label}, value)])]).split("\n")
    assert len(lines) == 4 and lines[-1] == ""
    found = LINE.fullmatch(lines[2])
    assert found and float(found[2]) == value
    read = json.loads('"' + re.sub(r"[\x00-\x1f\x7f]", "?", found[1]) + '"')
    expected = label[:MAX_LABEL].encode("utf-8", "replace").decode()
    assert re.sub(r"[\x00-\x09\x0b-\x1f\x7f]", "?", expected) == read
