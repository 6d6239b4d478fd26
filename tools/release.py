# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a release: changelog, artifact, checksums, bill of materials, commit and tag.

release.py --check VERSION     says whether the repository is ready for it
release.py VERSION             makes it; what is published lies in build/release/VERSION

All of it happens in a clone, so that a release that fails leaves the repository as it was. Nothing is pushed.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import artifact
import sbom
import yaml

ROOT = Path(__file__).resolve().parents[1]
NAME = "autonomys.cluster"
# https://semver.org, without what follows a plus sign: Galaxy has no two builds of a version.
SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][\da-zA-Z-]*)"
    r"(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][\da-zA-Z-]*))*))?",
    re.ASCII,
)
IMPORT_SECONDS = 1800

# A version as numbers, whether it is no pre-release, and the parts of a pre-release: numbers are below words.
Order = tuple[tuple[int, ...], bool, tuple[tuple[bool, int, str], ...]]


class Refused(Exception):
    """The release is not made; the text says why, and the way out."""


def order(version: str) -> Order:
    """Return what versions are sorted by."""
    found = SEMVER.fullmatch(version)
    if not found:
        raise Refused(f"{version!r} is no version such as 1.2.3 or 1.2.3-rc.1 (https://semver.org)")
    parts = found[4].split(".") if found[4] else []
    return (
        tuple(int(number) for number in found.groups()[:3]),
        not parts,
        tuple((not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts),
    )


def released(root: Path) -> list[str]:
    """Return the versions that were released, by tag or in the changelog."""
    changelog = yaml.safe_load((root / "changelogs/changelog.yaml").read_text(encoding="utf-8"))
    tags = artifact.run(["git", "tag", "--list"], root).split()
    return sorted({*(tag for tag in tags if SEMVER.fullmatch(tag)), *changelog["releases"]}, key=order)


def fragments(root: Path) -> dict[str, dict[str, object]]:
    """Return what the fragments say that no release has had yet, by their names."""
    changelog = yaml.safe_load((root / "changelogs/changelog.yaml").read_text(encoding="utf-8"))
    used = {name for release in changelog["releases"].values() for name in release.get("fragments", [])}
    paths = sorted((root / "changelogs/fragments").glob("*.yml"))
    return {path.name: yaml.safe_load(path.read_text(encoding="utf-8")) for path in paths if path.name not in used}


def check(root: Path, version: str) -> None:
    """Refuse a release that the repository is not ready for."""
    wanted = order(version)
    if artifact.run(["git", "tag", "--list", version], root):
        raise Refused(f"the tag {version} exists: a release is never made twice, choose a higher version")
    if last := released(root)[-1:]:
        if wanted <= order(last[0]):
            raise Refused(f"{version} is not above {last[0]}, the last release")
    if changed := artifact.run(["git", "status", "--porcelain"], root):
        raise Refused(f"the checkout has changes that are not committed:\n{changed}\nCommit them, or put them away.")
    if not (found := fragments(root)):
        raise Refused("changelogs/fragments has nothing that no release has had yet, so there is nothing to release")
    if not any("release_summary" in content for content in found.values()):
        raise Refused("no fragment has a release_summary: say in a sentence or two what the release is about")


def write_version(tree: Path, version: str) -> None:
    """Write the version into galaxy.yml."""
    path = tree / "galaxy.yml"
    text, count = re.subn(r"(?m)^version: .*$", f"version: {version}", path.read_text(encoding="utf-8"))
    if count != 1:
        raise Refused(f"galaxy.yml has {count} lines with a version, and not one")
    path.write_text(text, encoding="utf-8")


def render(tree: Path) -> None:
    """Keep what this release puts on the hosts of the example inventories, for the next one to compare with."""
    link = tree / ".ansible/collections/ansible_collections/autonomys/cluster"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to("../../../..")
    # The packed fakes belong to the inventory of the demo.
    shutil.copytree(ROOT / "build/fakes", tree / "build/fakes")
    environment = dict(os.environ, PYTHONPATH=".ansible/collections", ANSIBLE_CONFIG=str(tree / "ansible.cfg"))
    line = [sys.executable, "tests/rendered.py", "tests/fixtures/rendered"]
    subprocess.run(line, cwd=tree, env=environment, check=True, timeout=artifact.SECONDS)


def commit(root: Path, tree: Path, version: str) -> None:
    """Clone the repository, and commit in the clone what a release changes."""
    artifact.run(["git", "clone", "--quiet", str(root), str(tree)], root)
    write_version(tree, version)
    artifact.run(["antsibull-changelog", "lint"], tree)
    artifact.run(["antsibull-changelog", "release", "--version", version, "--reload-plugins"], tree)
    render(tree)
    changed = ["galaxy.yml", "CHANGELOG.rst", "changelogs", "tests/fixtures/rendered"]
    artifact.run(["git", "add", "--", *changed], tree)
    for name in ("user.name", "user.email"):
        if value := subprocess.run(
            ["git", "config", name], cwd=root, stdout=subprocess.PIPE, text=True, check=False, timeout=60
        ).stdout.strip():
            artifact.run(["git", "config", name, value], tree)
    artifact.run(["git", "commit", "--quiet", "--message", f"Release {version}"], tree)


def built_twice(tree: Path, place: Path) -> Path:
    """Build the artifact in two folders, and refuse a difference."""
    again = place / "again"
    artifact.run(["git", "clone", "--quiet", str(tree), str(again)], place)
    first = artifact.build(tree, place, artifact.commit_time(tree))
    second = artifact.build(again, again / "build", artifact.commit_time(again))
    if first.read_bytes() != second.read_bytes():
        raise Refused(f"two builds of the same commit differ: {first} and {second}")
    shutil.rmtree(again)
    return first


def installed(built: Path, place: Path) -> None:
    """Let ansible-galaxy install the artifact and compare what it has installed."""
    folder = place / "installed"
    environment = dict(os.environ, ANSIBLE_COLLECTIONS_PATH=str(folder))
    environment.pop("ANSIBLE_CONFIG", None)
    galaxy = ["ansible-galaxy", "collection"]
    for line in (
        [*galaxy, "install", "--offline", "--no-deps", "--collections-path", str(folder), str(built)],
        [*galaxy, "verify", "--offline", "--collections-path", str(folder), NAME],
    ):
        done = subprocess.run(
            line,
            cwd=place,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=artifact.SECONDS,
        )
        if done.returncode:
            raise Refused(f"{' '.join(line)}:\n{done.stdout}")
    shutil.rmtree(folder)


def imported(built: Path) -> None:
    """Let the importer of Ansible Galaxy look at the artifact."""
    subprocess.run(["tests/importer/run.sh", str(built)], cwd=ROOT, check=True, timeout=IMPORT_SECONDS)


def describe(tree: Path, built: Path, version: str) -> None:
    """Write the bill of materials and the checksums beside the artifact."""
    bill = built.parent / f"{built.name[: -len('.tar.gz')]}.cdx.json"
    text = sbom.document(tree, built, version, artifact.commit_time(tree))
    if fault := sbom.fault_of(text):
        raise Refused(f"the bill of materials is no CycloneDX document: {fault}")
    bill.write_text(text, encoding="utf-8")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in (built, bill)]
    (built.parent / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def release(root: Path, version: str) -> Path:
    """Make a release and return the folder of what is published."""
    check(root, version)
    place = root / "build/release" / version
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    tree = place / "tree"
    print(f"release: {version}: changelog, version and commit in a clone", flush=True)
    commit(root, tree, version)
    print("release: building the artifact twice, installing and verifying it", flush=True)
    built = built_twice(tree, place)
    installed(built, place)
    print("release: the importer of Ansible Galaxy", flush=True)
    imported(built)
    describe(tree, built, version)
    artifact.run(["git", "fetch", "--quiet", str(tree), "HEAD"], root)
    artifact.run(["git", "merge", "--quiet", "--ff-only", "FETCH_HEAD"], root)
    artifact.run(["git", "tag", "--annotate", "--message", f"Release {version}", version], root)
    shutil.rmtree(tree)
    return place


def main() -> int:
    """Run the command line."""
    *options, version = sys.argv[1:] or [""]
    try:
        if options == ["--check"]:
            check(ROOT, version)
        else:
            place = release(ROOT, version)
            print(f"release: {version} is committed and tagged here; {place} has what is published.")
            print(f"release: publish it with: git push origin HEAD {version}, and ansible-galaxy collection publish")
    except Refused as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
