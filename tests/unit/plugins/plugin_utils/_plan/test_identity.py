# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan's id: the same for the same verdicts, another one as soon as one of them differs."""

from __future__ import annotations

import copy
import random

import pytest
from ansible_collections.autonomys.cluster.plugins.plugin_utils._plan import identity
from ansible_collections.autonomys.cluster.tests.unit.plugins.plugin_utils._plan.sample import Cluster
from hypothesis import given
from hypothesis import strategies as st

WORDS = st.text(alphabet="abc: {}#→", min_size=1, max_size=6)
VERDICTS = st.dictionaries(WORDS, st.dictionaries(WORDS, WORDS, min_size=1, max_size=4), min_size=1, max_size=5)


def shuffled(value, order):
    """The same data with the keys of all dictionaries in another order."""
    if not isinstance(value, dict):
        return value
    keys = list(value)
    order.shuffle(keys)
    return {key: shuffled(value[key], order) for key in keys}


@given(verdicts=VERDICTS, order=st.randoms(use_true_random=False))
def test_the_order_of_hosts_does_not_matter(verdicts, order):
    assert identity.plan_id(shuffled(verdicts, order)) == identity.plan_id(verdicts)
    assert identity.is_plan_id(identity.plan_id(verdicts))


@given(verdicts=VERDICTS, order=st.randoms(use_true_random=False), word=WORDS)
def test_every_verdict_matters(verdicts, order, word):
    host = order.choice(sorted(verdicts))
    what = order.choice(sorted(verdicts[host]))
    for change in ("other", "gone", "new"):
        changed = copy.deepcopy(verdicts)
        if change == "other":
            changed[host][what] += word
        elif change == "gone":
            del changed[host][what]
        else:
            changed[host][what + word + "."] = word
        assert identity.plan_id(changed) != identity.plan_id(verdicts)
        assert identity.different(verdicts, changed) and identity.refusal(identity.plan_id(verdicts), verdicts, changed)
    assert identity.refusal(identity.plan_id(verdicts), None, verdicts) is None


def reordered(sample, order):
    """The same cluster from an inventory that names its hosts in another order."""
    sample.facts = shuffled(sample.facts, order)
    sample.answers = {host: sample.answers[host] for host in sorted(sample.answers, key=lambda _host: order.random())}
    for hosts in sample.groups.values():
        order.shuffle(hosts)
    return sample


@pytest.mark.parametrize("seed", range(5))
def test_a_plan_of_shuffled_hosts_is_the_same_plan(seed):
    plan = Cluster().upgrade().plan()
    assert reordered(Cluster().upgrade(), random.Random(seed)).plan()["id"] == plan["id"]


def test_what_does_not_happen_does_not_matter():
    before, after = Cluster().everywhere(), Cluster().everywhere()
    after.find("NATS002", "warning", ["node-1"])
    after.nats["node-1"] = {"meta_leader": "node-2"}
    assert before.plan()["id"] == after.plan()["id"]
    assert set(before.plan()["verdicts"]["node-1"].values()) == {"ready"}


def test_a_host_without_a_component_that_is_prepared_matters():
    sample = Cluster().everywhere()
    for hosts in sample.groups.values():
        hosts[:] = [host for host in hosts if host != "storage-2"]
    before = sample.plan()
    sample.answers["storage-2"] = {"prepare": {"changes": ["install prometheus"]}}
    after = sample.plan()
    assert "storage-2" not in before["verdicts"] and before["id"] != after["id"]
    assert after["verdicts"]["storage-2"]["preparing (install prometheus)"] == "to be done"


def test_another_version_is_another_plan():
    assert Cluster().upgrade("v1.1.0").plan()["id"] != Cluster().upgrade("v1.2.0").plan()["id"]


def test_a_host_that_would_be_left_out_is_another_plan():
    sample = Cluster().upgrade()
    sample.left_out = {"storage-1": ["DISK001"]}
    now = sample.plan()["verdicts"]
    approved = Cluster().upgrade().plan()["verdicts"]
    assert "the host on storage-1: ready was approved, and now it is left out: Errors: DISK001." in (
        identity.different(approved, now)
    )


def test_texts_of_a_configuration_that_is_reloaded_matter():
    def plan(text):
        sample = Cluster().everywhere()
        sample.answers["node-1"]["nats"].update(configuration=True, texts=[["old", text]])
        return sample.plan()

    four, five = plan("max_payload: 4MB"), plan("max_payload: 5MB")
    assert four["id"] != five["id"]
    assert identity.different(four["verdicts"], five["verdicts"]) == [
        "nats-server on node-1: reload: reads its changed configuration, without a restart, in another way"
    ]


def test_the_refusal_names_what_differs_and_the_way_out():
    approved, now = {"a": {"x": "start #1"}}, {"a": {"x": "stop #2", "y": "start #3"}}
    wanted = identity.plan_id(approved)
    assert identity.refusal(wanted, approved, now) == (
        f"What would happen now ({identity.plan_id(now)}) is not what was approved ({wanted}): x on a: start was "
        "approved, and now it is stop; y on a: nothing was approved, and now it is start. Nothing was changed. "
        "Run plan.yml again, and have that plan approved."
    )
    for unknown in (None, {"a": {"x": "another plan"}}):
        assert "what exactly differs is not at hand" in identity.refusal(wanted, unknown, now)


def test_of_many_differences_the_first_are_named():
    approved = {"a": {str(number): "start" for number in range(9)}}
    text = identity.refusal(identity.plan_id(approved), approved, {})
    assert text.count("was approved, and now") == identity.MOST_NAMED and "; and 4 more. Nothing" in text


@pytest.mark.parametrize("wanted", [7, None, True, "plan-7", "0123456789abcdef", "plan-0123456789abcdef\n", ["x"]])
def test_what_is_no_id_is_refused_with_a_word_about_its_form(wanted):
    assert "which is no plan's id: plan.yml prints it, such as plan-" in identity.refusal(wanted, None, {})
