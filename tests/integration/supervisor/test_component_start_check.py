# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that are started without waiting, and looked at later."""

from __future__ import annotations

import time

DIES = "sleep 1; echo 'last words'; exit 7"


def check(host, programs):
    return host.run("component_start_check", programs=programs)


def test_programs_that_only_begin_are_checked_once_for_all(host):
    began = time.monotonic()
    result = host.apply([host.program("a", startsecs=4), host.program("b", startsecs=4)], wait="none")
    assert time.monotonic() - began < 3
    assert [(program["name"], program["startsecs"]) for program in result["started"]] == [("a", 4), ("b", 4)]
    assert {program["name"]: program["pid"] for program in result["started"]} == host.pids()
    assert {program["state"] for program in result["programs"]} == {"STARTING"}
    checked = check(host, result["started"])
    assert 4 <= time.monotonic() - began < 9
    assert [program["state"] for program in checked["programs"]] == ["RUNNING"] * 2 and not checked["changed"]
    # Who waits, or comes later, has nothing left to check.
    assert host.apply(wait="none")["started"] == []
    assert host.apply(state="restarted", only=["a"])["started"] == []


def test_a_program_that_ends_later_is_told_with_status_and_last_lines(host):
    result = host.apply([host.program("a", startsecs=3), host.program("b", DIES, startsecs=3)], wait="none")
    assert not result.get("failed") and len(result["started"]) == 2
    checked = check(host, result["started"])
    assert checked["failed"] and [failed["name"] for failed in checked["failed_programs"]] == ["b"]
    assert "b on " in checked["msg"] and "did not stay up: exit status 7" in checked["msg"]
    assert "last words" in checked["msg"] and "a on " not in checked["msg"]


def test_a_program_that_ends_at_once_is_told_by_whoever_looks_first(host):
    began = time.monotonic()
    result = host.apply([host.program("a", "exit 3", startsecs=30)], wait="none")
    told = result if result.get("failed") else check(host, result["started"])
    assert "a on " in told["msg"] and "exit status 3" in told["msg"]
    assert time.monotonic() - began < 20


def test_a_check_changes_nothing_and_starts_nothing(host):
    result = host.apply([host.program("a", startsecs=4)], wait="none", check=True)
    assert result["changed"] and result["started"] == [] and host.pids() == {}
