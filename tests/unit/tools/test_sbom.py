# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bill of materials of a release."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import sbom
import yaml

ROOT = Path(__file__).parents[3]
SECONDS = 1_700_000_000


@pytest.fixture
def text(tmp_path):
    built = tmp_path / "autonomys-cluster-0.2.0.tar.gz"
    built.write_bytes(b"packed")
    return sbom.document(ROOT, built, "0.2.0", SECONDS)


def test_cyclonedx_takes_it(text):
    # A few of each kind: the schema takes long for all of them, and `make release` tries those.
    content = json.loads(text)
    content["components"] = content["components"][:6]
    content["dependencies"] = []
    assert sbom.fault_of(json.dumps(content)) is None
    assert "nonsense" in sbom.fault_of(json.dumps(dict(content, nonsense=1)))


def test_it_names_the_artifact_by_its_digest(text):
    described = json.loads(text)["metadata"]["component"]
    assert described["version"] == "0.2.0"
    assert described["hashes"] == [{"alg": "SHA-256", "content": hashlib.sha256(b"packed").hexdigest()}]


def test_it_has_what_the_control_node_needs(text):
    pinned = {line for line in (ROOT / "requirements.txt").read_text().splitlines() if not line.startswith("#")}
    libraries = [each for each in json.loads(text)["components"] if each["type"] == "library"]
    assert {f"{each['name']}=={each['version']}" for each in libraries} == pinned


def test_it_has_every_pinned_archive_of_nats(text):
    pinned = yaml.safe_load((ROOT / "roles/common/vars/main/nats_checksums.yml").read_text())["__common_nats_checksums"]
    default = yaml.safe_load((ROOT / "roles/common/defaults/main.yml").read_text())["nats_version"]
    archives = [each for each in json.loads(text)["components"] if each["name"] == "nats-server"]
    assert {each["externalReferences"][0]["hashes"][0]["content"] for each in archives} == {
        checksum for version in pinned.values() for checksum in version.values()
    }
    assert {each["version"] for each in archives if each["scope"] == "required"} == {default}


def test_it_does_not_depend_on_when_it_is_written(text, tmp_path):
    assert text == sbom.document(ROOT, tmp_path / "autonomys-cluster-0.2.0.tar.gz", "0.2.0", SECONDS)
