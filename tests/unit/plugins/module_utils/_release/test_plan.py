# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._release.plan import (
    control_node_sources,
    listing_after,
    listing_before,
    plan,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._release.read import read_there
from ansible_collections.autonomys.cluster.plugins.module_utils._release.request import ReleaseError, normalise
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._release.releases import (
    UID,
    install,
    nothing_in_use,
    planned,
    sha,
    wanted,
)


def test_listing_for_the_diff(tmp_path):
    install(tmp_path, "v1", farmer=b"one")
    (tmp_path / ".partial-v2-x").mkdir()
    releases = wanted(tmp_path, "v2", farmer=b"two")
    there = read_there(releases, 0, UID, nothing_in_use)
    steps = plan(releases, there, 0)
    assert listing_before(there, steps) == (
        f"{tmp_path}/v1/farmer {sha(b'one')}\n{tmp_path}/.partial-v2-x/ (left by an interrupted run)\n"
    )
    assert listing_after(there, steps) == f"{tmp_path}/v2/farmer {sha(b'two')}\n"


def test_sources_of_the_control_node_are_only_those_that_are_missing(tmp_path):
    files = [
        {"name": "a", "src": "https://x/a", "checksum": sha(b"a")},
        {"name": "b", "src": "local/b", "checksum": sha(b"b")},
        {"name": "c", "src": "/abs/c", "checksum": sha(b"c")},
        {"name": "d", "src": "file:///host/d", "checksum": sha(b"d")},
    ]
    releases = normalise([{"root": str(tmp_path), "version": "v1", "files": files}])
    assert control_node_sources(planned(releases)) == ["/abs/c", "local/b"]


def test_other_content_under_the_same_version_is_refused(tmp_path):
    install(tmp_path, "v1", farmer=b"one")
    with pytest.raises(ReleaseError) as error:
        planned(wanted(tmp_path, farmer=b"two"))
    assert str(error.value) == (
        f"version v1 is installed in {tmp_path}/v1 with other content: farmer came from {sha(b'one')} and "
        f"{sha(b'two')} is wanted now. A version never changes in place: give the new build a version of its own, or "
        "remove the folder once no program runs from it"
    )


def test_a_foreign_file_is_refused(tmp_path):
    (tmp_path / "v1").mkdir()
    (tmp_path / "v1" / "farmer").write_bytes(b"by hand")
    with pytest.raises(ReleaseError, match="v1/farmer exists and was not installed by this collection"):
        planned(wanted(tmp_path, farmer=b"one"))
