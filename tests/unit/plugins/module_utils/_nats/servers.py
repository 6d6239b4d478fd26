# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recorded answers of real servers, and what nats_info makes of them."""

from __future__ import annotations

import json
from pathlib import Path

from ansible_collections.autonomys.cluster.plugins.module_utils._nats.monitor import raft_groups, reading
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.quorum import leaders_to_ask

ROOT = Path(__file__).parents[5]
PEERS = ["node-1", "node-2", "node-3"]


def recorded(scenario):
    return json.loads((ROOT / "tests" / "fixtures" / "nats" / f"{scenario}.json").read_text())


def view(answers, name, peers=None, silent=()):
    """Return what nats_info returns for a server when the servers in ``silent`` do not answer it."""
    groups = raft_groups(answers[name]["jsz"])
    views = {
        leader: raft_groups(answers[leader]["jsz"]) if leader in answers and leader not in silent else "no answer"
        for leader in leaders_to_ask(groups, name)
    }
    return reading(answers[name], peers or PEERS, views)


def clusters(answers):
    """Yield every description of a raft group in recorded answers."""
    for server in answers.values():
        yield server["jsz"]["meta_cluster"]
        for account in server["jsz"]["account_details"]:
            for stream in account["stream_detail"]:
                yield stream["cluster"]
                for consumer in stream.get("consumer_detail", []):
                    yield consumer["cluster"]


def meta_leader(answers):
    return next(iter(answers.values()))["jsz"]["meta_cluster"]["leader"]
