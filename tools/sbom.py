# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a release is made of and brings along, as a CycloneDX document.

That is the artifact, what the control node needs (requirements.txt), and the archives of nats-server whose checksums
the collection pins. The programs of Autonomys are not part of it: each inventory says where they come from.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import yaml
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

NATS = "https://github.com/nats-io/nats-server/releases/download"
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s#;]+)")

Component = dict[str, Any]


def sha256(content: str) -> list[dict[str, str]]:
    """Return a digest as CycloneDX has it."""
    return [{"alg": "SHA-256", "content": content}]


def of_requirements(text: str) -> list[Component]:
    """Return the Python packages of a file of pinned requirements."""
    pins = [pin for pin in map(PIN.match, text.splitlines()) if pin]
    return [
        {
            "type": "library",
            "bom-ref": f"pkg:pypi/{pin[1]}@{pin[2]}",
            "name": pin[1],
            "version": pin[2],
            "purl": f"pkg:pypi/{pin[1]}@{pin[2]}",
            "scope": "required",
        }
        for pin in pins
    ]


def of_nats(checksums: dict[str, dict[str, str]], default: str) -> list[Component]:
    """Return the archives of nats-server; the version that is the default is the one that is required."""
    found = []
    for version, by_architecture in checksums.items():
        for architecture, checksum in by_architecture.items():
            archive = f"nats-server-v{version}-linux-{architecture}.tar.gz"
            purl = f"pkg:github/nats-io/nats-server@v{version}?arch={architecture}"
            found.append(
                {
                    "type": "application",
                    "bom-ref": purl,
                    "name": "nats-server",
                    "version": version,
                    "purl": purl,
                    "scope": "required" if version == default else "optional",
                    "licenses": [{"license": {"id": "Apache-2.0"}}],
                    "externalReferences": [
                        {"type": "distribution", "url": f"{NATS}/v{version}/{archive}", "hashes": sha256(checksum)}
                    ],
                }
            )
    return found


def document(checkout: Path, artifact: Path, version: str, seconds: int) -> str:
    """Return the document of an artifact; it says nothing that depends on when or where it is written."""
    digest = hashlib.sha256(artifact.read_bytes()).hexdigest()
    common = checkout / "roles/common"
    checksums = yaml.safe_load((common / "vars/main/nats_checksums.yml").read_text(encoding="utf-8"))
    defaults = yaml.safe_load((common / "defaults/main.yml").read_text(encoding="utf-8"))
    components = [
        *of_requirements((checkout / "requirements.txt").read_text(encoding="utf-8")),
        *of_nats(checksums["__common_nats_checksums"], defaults["nats_version"]),
    ]
    purl = f"pkg:generic/autonomys.cluster@{version}"
    content = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{artifact.name}#{digest}')}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(seconds, timezone.utc).isoformat(),
            "component": {
                "type": "application",
                "bom-ref": purl,
                "name": "autonomys.cluster",
                "version": version,
                "purl": purl,
                "hashes": sha256(digest),
                "licenses": [{"license": {"id": "GPL-3.0-or-later"}}],
            },
        },
        "components": components,
        "dependencies": [
            {"ref": purl, "dependsOn": [each["bom-ref"] for each in components if each["scope"] == "required"]},
        ],
    }
    return json.dumps(content, indent=2) + "\n"


def fault_of(text: str) -> str | None:
    """Return what CycloneDX's own schema says is wrong with a document, None for a right one."""
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    return None if fault is None else str(fault)
