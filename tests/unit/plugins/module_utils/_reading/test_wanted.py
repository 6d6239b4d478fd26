# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A part of a reading, or why there is none."""

from __future__ import annotations

from ansible_collections.autonomys.cluster.plugins.module_utils._reading.wanted import error_of


def test_a_part_that_is_not_known_says_why():
    assert error_of({"error": "it hangs"}) == "it hangs"
    # An answer that has an error among other things is one.
    assert error_of({"error": None, "topology": {}}) is None
    assert error_of(None) is None
