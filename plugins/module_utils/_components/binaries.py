# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Which binaries a host needs, and where they come from."""

from __future__ import annotations

from typing import Any, Iterable, Mapping, TypedDict

from . import names
from .common import Settings, SettingsError
from .registry import COMPONENTS

NATS_ARCHIVE = "https://github.com/nats-io/nats-server/releases/download/v{version}/{folder}.tar.gz"

# How programs are tried that are known to have the option; autonomys-export-piece is not, and would begin to work.
CHECKS = {name: {"check_arguments": ["--version"]} for name in (names.FARMER, names.NODE)}

# The kernel's name of a machine to that of the archives.
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


# Version and architecture to SHA-256.
Checksums = Mapping[str, Mapping[str, str]]


class Release(TypedDict):
    """A version in the shape of the option ``releases`` of ``release``."""

    root: str
    version: str
    files: list[Mapping[str, Any]]


def needed_binaries(components: Iterable[str]) -> list[str]:
    """Return the binaries of the cluster's version that components need, each once."""
    binaries = [COMPONENTS[component].binary for component in COMPONENTS if component in set(components)]
    return [binary for binary in dict.fromkeys(binaries) if binary != names.NATS_SERVER]


def releases(settings: Settings, machine: str, checksums: Checksums) -> list[Release]:
    """Return the versions that a host needs.

    ``machine`` is the kernel's machine name (``x86_64``), ``checksums`` the pinned table
    ``{version: {amd64|arm64: sha256}}``.
    """
    wanted: list[Release] = []
    install_dir, components = settings["cluster_install_dir"], set(settings["cluster_components"])
    if components - {"nats"}:
        binaries = sorted(settings["cluster_binaries"].items())
        wanted.append(
            {
                "root": names.release_root(install_dir, names.FARMER),
                "version": str(settings["cluster_version"]),
                "files": [
                    {"name": name, "src": b["src"], "checksum": b["checksum"], **CHECKS.get(name, {})}
                    for name, b in binaries
                ],
            }
        )
    if "nats" in components:
        wanted.append(
            {
                "root": names.release_root(install_dir, names.NATS_SERVER),
                "version": str(settings["nats_version"]),
                "files": [_nats_archive(settings, machine, checksums)],
            }
        )
    return wanted


def _nats_archive(s: Settings, machine: str, checksums: Checksums) -> dict[str, Any]:
    version = str(s["nats_version"])
    check = {"check_arguments": ["--version"], "check_output": version}
    if s["nats_binary"]:
        return dict(s["nats_binary"], name=names.NATS_SERVER, **check)
    architecture = ARCHITECTURES.get(machine, machine)
    try:
        checksum = checksums[version][architecture]
    except KeyError:
        raise SettingsError(
            f"nats_version {version} has no pinned checksum for {architecture}; choose a version of the table in "
            "roles/common/vars/main/nats_checksums.yml, or give nats_binary with src, checksum and extract"
        ) from None
    folder = f"nats-server-v{version}-linux-{architecture}"
    return {
        "name": names.NATS_SERVER,
        "src": NATS_ARCHIVE.format(version=version, folder=folder),
        "checksum": "sha256:" + checksum,
        "extract": f"{folder}/{names.NATS_SERVER}",
        **check,
    }
