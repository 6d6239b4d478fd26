# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._job.systemd import state_of
from ansible_collections.autonomys.cluster.plugins.module_utils._job.words import (
    comparison,
    duration,
    last_lines,
    progress,
)
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._job.jobs import ended


@pytest.mark.parametrize(
    ("measured", "expected", "before", "words"),
    [
        (None, 0, None, "0:01:40"),
        (0, 0, None, "0:01:40, 0 B"),
        (3 * 1024**2, 0, (98, 1024**2), "0:01:40, 3.0 MiB, 1.0 MiB/s"),
        (3 * 1024**2, 63 * 1024**2, (98, 1024**2), "0:01:40, 3.0 MiB of about 63.0 MiB, 1.0 MiB/s, about 0:01:00 left"),
        (3 * 1024**2, 2 * 1024**2, (98, 1024**2), "0:01:40, 3.0 MiB of about 2.0 MiB, 1.0 MiB/s"),
        (1024, 10 * 1024**4, (98, 1024), "0:01:40, 1.0 KiB of about 10.0 TiB, 0 B/s"),
    ],
)
def test_progress_is_time_size_rate_and_end(measured, expected, before, words):
    assert progress(100, before, measured, expected) == words


def test_long_durations_have_days():
    assert duration(3 * 86400 + 7384) == "3 d 2:03:04"


def test_last_lines_leave_out_nothing_but_emptiness():
    assert last_lines("a\n\n  b \r\n10 %\r20 %\n\n", 2) == ["  b", "20 %"]
    assert last_lines("", 3) == []


def run_of(**more):
    base = dict(ended(), **{})
    job = state_of(base, 0)
    kept = {key: job[key] for key in ("started_at", "wall_s", "state", "exit_status", "signal", "result")}
    return dict(kept, host="node-1", command=["/v1/farmer", "util"], last_lines=["12 sectors/s"], **more)


def test_the_first_run_has_nothing_to_be_compared_with():
    assert comparison(run_of(), None) == [
        "This run: ended with exit status 0 after 0:00:05.",
        "There is no earlier run to compare with.",
    ]


def test_a_run_is_compared_with_the_last_one():
    now, last = (
        run_of(),
        dict(run_of(), wall_s=5.0, command=["/v0/farmer", "util", "--sectors", "2"], last_lines=["10 sectors/s"]),
    )
    assert comparison(now, last) == [
        "This run: ended with exit status 0 after 0:00:05.",
        "Last run, 2023-11-14T22:13:20Z on node-1 with other arguments: ended with exit status 0 after 0:00:05.",
        "Its arguments: util --sectors 2",
        "Its program: /v0/farmer",
        "Wall time: 5.5 s now, 5.0 s then (+0.5 s, +10 %).",
        "Now:  12 sectors/s",
        "Then: 10 sectors/s",
    ]
