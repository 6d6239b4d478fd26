# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which binaries a host gets, and from where."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._components.binaries import needed_binaries, releases
from ansible_collections.autonomys.cluster.plugins.module_utils._components.common import SettingsError
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import COMPONENTS
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._components.sample import role_settings


def test_releases_by_component() -> None:
    values = role_settings("nats", cluster_components=["nats"])
    checksums = {"2.14.5": {"amd64": "a" * 64}}
    [nats] = releases(values, "x86_64", checksums)
    assert nats["root"] == "/opt/autonomys/nats"
    assert nats["files"][0]["src"] == (
        "https://github.com/nats-io/nats-server/releases/download/v2.14.5/nats-server-v2.14.5-linux-amd64.tar.gz"
    )
    assert nats["files"][0]["checksum"] == "sha256:" + "a" * 64
    assert nats["files"][0]["extract"] == "nats-server-v2.14.5-linux-amd64/nats-server"
    [farmer] = releases(dict(values, cluster_components=["plot_client"]), "x86_64", checksums)
    assert (farmer["root"], farmer["version"]) == ("/opt/autonomys/releases", "v1.0.0")


def test_a_nats_version_without_a_pinned_checksum_is_refused_with_the_way_out() -> None:
    with pytest.raises(SettingsError, match=r"nats_version 2\.99\.0 has no pinned checksum for amd64.*nats_binary"):
        releases(role_settings("nats", nats_version="2.99.0"), "x86_64", {})


def test_needed_binaries_by_component() -> None:
    assert needed_binaries(["nats"]) == []
    assert needed_binaries(["controller", "node", "nats"]) == ["autonomys-node", "autonomys-farmer"]
    assert needed_binaries(COMPONENTS) == ["autonomys-node", "autonomys-farmer"]
