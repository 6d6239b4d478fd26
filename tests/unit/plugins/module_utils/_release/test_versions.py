# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._release.versions import (
    NO_MANIFEST,
    Manifest,
    manifest_text,
    parse_manifest,
    prune_candidates,
    references,
)


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


GOOD = {"checksum": "sha256:x", "extract": None, "sha256": "sha256:x", "size": 1, "mtime_ns": 2}


def test_a_manifest_is_read_as_it_was_written():
    manifest = Manifest({"farmer": GOOD}, 5.0)
    assert parse_manifest(manifest_text(manifest)) == manifest


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{}",
        "[" * 100_000,
        json.dumps({"files": {}, "installed": None}),
        json.dumps({"files": [], "installed": 1}),
        json.dumps({"files": {"farmer": GOOD}}),
        *(json.dumps({"files": {"farmer": dict(GOOD, **{name: []})}, "installed": 1}) for name in GOOD),
    ],
)
def test_what_is_no_manifest_names_nothing(text):
    assert parse_manifest(text) == NO_MANIFEST
