# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run would change, as metrics."""

from __future__ import annotations

from ansible_collections.autonomys.cluster.plugins.module_utils._metrics.drift import drift, drift_families
from ansible_collections.autonomys.cluster.plugins.module_utils._metrics.exposition import exposition

SAME = {"changed": False, "restart_required": False, "diff": [], "reasons": []}
READING = {
    "prepare": {"changes": []},
    "release": {"changed": False},
    "components": {"nats": {"program": SAME, "configuration": {"changed": False}}, "node": {"program": SAME}},
}


def test_nothing_would_change():
    found = drift(READING)
    assert found == {"host": [], "release": [], "nats": [], "node": []}
    assert 'autonomys_drift_changes{part="nats"} 0\n' in exposition(drift_families(found))


def test_what_would_change_is_named():
    program = dict(SAME, diff=[{"after_header": "/etc/x.conf"}], reasons=["a runs an older definition"], changed=True)
    found = drift(
        {
            "prepare": {"changes": ["install numactl"]},
            "release": {"changed": True},
            "components": {
                "nats": {"program": SAME, "configuration": {"changed": True}},
                "node": {"program": program},
                "caches": {"program": dict(SAME, changed=True)},
            },
        }
    )
    assert found == {
        "host": ["install numactl"],
        "release": ["install or remove versions"],
        "nats": ["change its configuration"],
        "node": ["change /etc/x.conf", "a runs an older definition"],
        "caches": ["change its programs"],
    }


def test_what_is_not_known_is_said():
    broken = {"prepare": {"error": "x"}, "release": {"error": "y"}, "components": {"node": {"error": "z"}}}
    found = drift(broken)
    assert found == {"host": None, "release": None, "node": None}
    text = exposition(drift_families(found))
    assert 'autonomys_drift_unknown{part="node"} 1\n' in text and "autonomys_drift_changes{" not in text
