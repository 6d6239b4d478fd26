# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of the record of a run."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._lock.record import (
    EXPIRES_S,
    Record,
    RecordError,
    content_of,
    generation,
    parse,
    parse_holder,
    release,
    renew,
    seen,
    take,
)
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._lock.runs import BOOT, START, at, run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ALICE, BOB = run("alice"), run("bob")


def taken(who=None, when=10.0) -> Record:
    record = take(None, who or ALICE, at(when), None, None, False).record
    assert record
    return record


def given_back(when=20.0) -> Record:
    record = release(taken(), ALICE, at(when)).record
    assert record
    return record


def test_a_run_takes_renews_and_gives_back():
    record = taken()
    assert record == {
        "generation": 1,
        "boot": BOOT,
        "holder": ALICE,
        "since": START + 10,
        "renewed": START + 10,
        "ticks": 10,
    }
    renewed = renew(record, ALICE, at(300))
    assert renewed.state == "held" and renewed.record == {**record, "renewed": START + 300, "ticks": 300}
    free = release(renewed.record, ALICE, at(400))
    assert free.state == "free" and free.record and free.record["holder"] is None and free.record["generation"] == 2


def test_what_one_has_no_other_gets():
    assert take(taken(), BOB, at(20), None, None, False) == (None, "refused", False)
    assert renew(taken(), BOB, at(20)) == (None, "lost", False)
    assert release(taken(), BOB, at(20)) == (None, "lost", False)


def test_a_run_may_take_what_it_has():
    again = take(taken(), ALICE, at(20), f"{BOOT}/1", None, False)
    assert again.state == "held" and not again.moved and again.record and again.record["ticks"] == 20


@pytest.mark.parametrize(("after", "state"), [(EXPIRES_S, "refused"), (EXPIRES_S + 0.1, "held")])
def test_it_is_free_half_an_hour_after_its_last_renewal(after, state):
    record = renew(taken(when=0), ALICE, at(100)).record
    assert take(record, BOB, at(100 + after), None, None, False).state == state


def test_one_that_has_expired_goes_on_as_long_as_nobody_took_it():
    late = at(10 + 2 * EXPIRES_S)
    assert renew(taken(), ALICE, late).state == "held"
    others = take(taken(), BOB, late, None, None, False).record
    assert others and others["holder"] == BOB
    assert renew(others, ALICE, late).state == "lost"


def test_one_whose_run_has_ended_is_taken_by_its_generation():
    record = taken()
    assert take(record, BOB, at(20), None, f"{BOOT}/1", False).state == "held"
    # Somebody else was quicker.
    assert take(record, BOB, at(20), None, f"{BOOT}/0", False).state == "refused"


def test_it_can_be_taken_by_force():
    assert take(taken(), BOB, at(20), None, None, True).state == "held"


@pytest.mark.parametrize(
    ("before", "then", "moved"),
    [
        (None, None, False),
        (None, taken(), True),
        (given_back(), given_back(), False),
        (None, given_back(), True),
        # Whoever did not give it back may have changed something after the host was read.
        (taken(), taken(), True),
    ],
)
def test_a_run_hears_of_others_since_the_host_was_read(before, then, moved):
    expected = generation(before, at(30))
    assert take(then, BOB, at(40), expected, None, True).moved is moved
    assert take(then, BOB, at(40), None, None, True).moved is False


def test_a_start_of_the_host_ends_what_was_held_and_what_was_known():
    record, later = taken(), at(5, "another")
    assert seen(record, later) == {"generation": "another/0", "holder": None, "since": 0, "age_s": 0}
    assert take(record, BOB, later, f"{BOOT}/1", None, False)[1:] == ("held", True)
    assert renew(record, BOB, later).state == "restored"
    assert release(record, ALICE, later) == (None, "lost", False)


def test_what_is_told_of_a_record():
    assert seen(None, at(1)) == {"generation": f"{BOOT}/0", "holder": None, "since": 0, "age_s": 0}
    assert seen(taken(), at(15.26)) == {
        "generation": f"{BOOT}/1",
        "holder": ALICE,
        "since": START + 10,
        "age_s": 5.3,
    }
    assert seen(taken(), at(10 + EXPIRES_S + 1))["holder"] is None


def test_a_clock_that_was_set_back_makes_nothing_older():
    assert seen(taken(), at(0))["age_s"] == 0


def test_a_record_is_read_as_it_was_written():
    for record in (taken(), given_back()):
        assert parse(content_of(record)) == record


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "not JSON"),
        ("[" * 10000, "not JSON"),
        ("[]", "not an object"),
        ("{}", "generation is missing"),
        ('{"generation": -1}', "generation is not a whole number"),
        ('{"generation": 1e999}', "generation is not a whole number"),
        (f'{{"generation": {10**400}}}', "generation is too large"),
        (json.dumps({**taken(), "holder": []}), "holder is not an object"),
        (json.dumps({**taken(), "holder": {**ALICE, "operator": None}}), "holder: operator is missing"),
        (json.dumps({**taken(), "holder": {**ALICE, "process": "x"}}), "holder: process is not a whole number"),
        (json.dumps({**taken(), "ticks": True}), "ticks is not a number"),
        (json.dumps({**taken(), "ticks": 10**400}), "int too large|ticks is too large"),
        (json.dumps({**taken(), "since": float("nan")}), "since is not a number"),
    ],
)
def test_what_is_no_record_is_named(content, why):
    with pytest.raises(RecordError, match=why):
        parse(content)


JSON = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.just([]) | st.just({})


# On a busy machine the first text alone takes seconds.
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from([*taken(), "other"]), JSON | st.just(ALICE)))
def test_nothing_but_a_record_or_an_error_comes_of_a_text(data: dict[str, Any]):
    try:
        record = parse(json.dumps(data))
    except RecordError:
        return
    assert set(record) == set(taken())
    take(record, BOB, at(1), None, None, False)


def test_texts_are_cut():
    assert len(parse_holder({**ALICE, "operator": "x" * 10000})["operator"]) == 200
