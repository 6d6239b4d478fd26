# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.autonomys.cluster.plugins.module_utils._release.versions import prune_candidates, references


def test_the_latest_versions_are_kept():
    versions = {"v1": 1.0, "v2": 2.0, "v3": 3.0, "v4": 4.0}
    assert prune_candidates(versions, ["v4"], 2) == ["v1"]
    assert prune_candidates(versions, ["v1"], 2) == ["v2"]
    assert prune_candidates(versions, ["v4"], 0) == ["v1", "v2", "v3"]
    assert prune_candidates(versions, ["v4"], 9) == []


def test_a_version_named_by_a_definition_or_a_process_is_in_use():
    texts = [
        "command=/opt/a/v1/farmer cluster",
        "/opt/a/v3/node\nrun\n",
        "/opt/b/v2/x",
        "/opt/a/v10/y",
        "/opt/a/v4 (deleted)",
    ]
    assert references(texts, "/opt/a", ["v1", "v2", "v3", "v4", "v1.5"]) == {"v1", "v3", "v4"}
