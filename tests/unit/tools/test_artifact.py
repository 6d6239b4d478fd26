# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The artifact has the same bytes wherever it is built, and holds what a user needs and nothing else."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tarfile
from pathlib import Path

import artifact
import pytest

ROOT = Path(__file__).parents[3]
SECONDS = 1_700_000_000
# What lies in a checkout that somebody works in.
LEFTOVERS = [
    ".ansible/collections/x",
    ".cache/docs/x.py",
    ".hypothesis/x",
    ".mypy_cache/x.json",
    ".venv/bin/python",
    "autonomys-cluster-0.0.1.tar.gz",
    "build/report.html",
    "changelogs/.plugin-cache.yaml",
    "plugins/modules/__pycache__/plan.cpython-311.pyc",
    "results/verify-pieces/run.json",
]
TOP = {
    ".ansible-lint",
    "CHANGELOG.rst",
    "FILES.json",
    "LICENSE",
    "MANIFEST.json",
    "README.md",
    "SECURITY.md",
    "changelogs",
    "docs",
    "inventories",
    "meta",
    "playbooks",
    "plugins",
    "requirements.txt",
    "roles",
}
KINDS = {"", ".j2", ".json", ".md", ".png", ".py", ".rst", ".svg", ".txt", ".yaml", ".yml"}


def copy_of_checkout(folder, backwards):
    """What git tracks or would track, with leftovers, made in an order of its own and with times of its own."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE
    )
    names = sorted({name for name in listed.stdout.splitlines() if (ROOT / name).is_file()}, reverse=backwards)
    for name in [*names, *LEFTOVERS]:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((ROOT / name).read_bytes() if name in names else b"left over")
        path.chmod(0o700 if (ROOT / name).exists() and (ROOT / name).stat().st_mode & 0o100 else 0o600)
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    copies = [copy_of_checkout(tmp_path_factory.mktemp("copy"), backwards) for backwards in (False, True)]
    return [artifact.build(copy, tmp_path_factory.mktemp("out"), SECONDS) for copy in copies]


@pytest.fixture(scope="module")
def entries(built):
    with tarfile.open(built[0]) as archive:
        return archive.getmembers()


def test_two_folders_give_the_same_bytes(built):
    first, second = (path.read_bytes() for path in built)
    assert first == second
    assert built[0].name == built[1].name


def test_it_holds_what_a_user_needs_and_nothing_else(entries):
    names = [entry.name for entry in entries if entry.isfile()]
    assert {name.split("/")[0] for name in names} - {"SECURITY.md"} == TOP - {"SECURITY.md"}
    assert {Path(name).suffix for name in names if not name.startswith(".")} <= KINDS
    assert {name.split("/")[1] for name in names if name.startswith("inventories/")} == {"template", "tutorial"}
    assert {name for name in names if name.startswith("changelogs/")} == {
        "changelogs/changelog.yaml",
        "changelogs/config.yaml",
    }
    for folder in ("plugins", "roles", "playbooks", "meta", "docs"):
        here = {str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob("*") if path.is_file()}
        assert {name for name in here if "__pycache__" not in name} == {
            name for name in names if name.startswith(folder + "/")
        }


def test_the_lists_are_first_and_the_rest_is_in_order(entries):
    names = [entry.name for entry in entries]
    assert names[:2] == ["MANIFEST.json", "FILES.json"]
    files = [entry.name for entry in entries[2:] if entry.isfile()]
    assert files == sorted(files)
    # A folder is made before what lies in it.
    for entry in entries:
        assert str(Path(entry.name).parent) in [".", *names[: names.index(entry.name)]]


def test_entries_tell_nothing_of_the_machine_that_built_them(entries):
    assert {(entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname) for entry in entries} == {
        (SECONDS, 0, 0, "", "")
    }
    assert {entry.mode for entry in entries if entry.isdir()} == {0o755}
    assert {entry.mode for entry in entries if entry.isfile()} <= {0o644, 0o755}


def test_the_lists_say_what_is_there(built):
    with tarfile.open(built[0]) as archive:
        files = {entry.name: archive.extractfile(entry).read() for entry in archive if entry.isfile()}
    manifest, listed = (json.loads(files[name]) for name in artifact.LISTS)
    assert manifest["file_manifest_file"]["chksum_sha256"] == hashlib.sha256(files["FILES.json"]).hexdigest()
    assert listed["files"] == sorted(listed["files"], key=lambda entry: entry["name"])
    assert {entry["name"]: entry["chksum_sha256"] for entry in listed["files"] if entry["ftype"] == "file"} == {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items() if name not in artifact.LISTS
    }


def test_galaxys_page_leads_somewhere(built):
    with tarfile.open(built[0]) as archive:
        manifest = json.load(archive.extractfile("MANIFEST.json"))["collection_info"]
    for name in ("repository", "documentation", "issues"):
        assert manifest[name].startswith("https://"), name
