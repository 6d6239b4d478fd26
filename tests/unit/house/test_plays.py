# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays say what they rely on, since the operator's own ansible.cfg may say otherwise.

And one file knows where the cluster is kept.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
PLAYBOOKS = ROOT / "playbooks"
PLAYS = [
    pytest.param(path, play, id=f"{path.relative_to(PLAYBOOKS)}: {play['name']}")
    for path in sorted([*PLAYBOOKS.glob("*.yml"), *PLAYBOOKS.glob("includes/*.yml")])
    for play in yaml.safe_load(path.read_text(encoding="utf-8"))
    if "hosts" in play
]


@pytest.mark.parametrize(("path", "play"), PLAYS)
def test_plays_say_what_they_rely_on(path, play):
    # run_once runs once only with this strategy.
    assert play["strategy"] == "linear"
    assert play["gather_facts"] is False
    assert {"any_errors_fatal", "timeout"} <= set(play)


@pytest.mark.parametrize(("path", "play"), PLAYS)
def test_groups_that_may_not_exist_are_no_patterns(path, play):
    assert play["hosts"] in ("all", "localhost") or "if hostvars is defined else" in play["hosts"]


@pytest.mark.parametrize(("path", "play"), PLAYS)
def test_a_host_that_cannot_be_reached_stops_what_an_error_stops(path, play):
    if play["any_errors_fatal"] and play["hosts"] not in ("all", "localhost"):
        assert play["ignore_unreachable"] is True


def test_one_file_knows_the_host_that_keeps_what_concerns_the_cluster():
    files = [
        path
        for path in [*PLAYBOOKS.rglob("*.yml"), *ROOT.glob("roles/**/*.yml")]
        if "groups['all']" in path.read_text()
    ]
    assert files == [PLAYBOOKS / "vars" / "from_model.yml"]
    assert files[0].read_text().count("groups['all']") == 1
