# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release is refused when the repository is not ready, and changes nothing when it fails."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest
import release
import yaml

ROOT = Path(__file__).parents[3]
SUMMARY = "release_summary: Better.\n"


def git(folder, *words):
    done = subprocess.run(["git", *words], cwd=folder, check=True, text=True, stdout=subprocess.PIPE)
    return done.stdout.strip()


def repository(folder):
    git(folder, "init", "--quiet")
    git(folder, "config", "user.name", "Somebody")
    git(folder, "config", "user.email", "somebody@example.org")
    git(folder, "add", "--all", "--force", ".")
    git(folder, "commit", "--quiet", "--message", "Begin")
    return folder


@pytest.fixture
def ready(tmp_path):
    """A repository that is ready for 0.2.0."""
    folder = tmp_path / "changelogs/fragments"
    folder.mkdir(parents=True)
    (tmp_path / "changelogs/changelog.yaml").write_text("releases: {0.1.0: {fragments: [old.yml]}}\n")
    (folder / "old.yml").write_text("release_summary: The first.\n")
    (folder / "new.yml").write_text(SUMMARY)
    return repository(tmp_path)


VERSIONS = ["0.9.0", "1.0.0-1", "1.0.0-2", "1.0.0-10", "1.0.0-a", "1.0.0-a.1", "1.0.0-rc.1", "1.0.0", "1.2.0", "1.10.0"]


def test_versions_are_in_the_order_of_semver():
    backwards = VERSIONS[::-1]
    assert sorted(backwards, key=release.order) == VERSIONS


@pytest.mark.parametrize(
    "version", ["", "1", "1.2", "v1.2.3", "1.2.3\n", "01.2.3", "1.2.3-", "1.2.3-01", "1.2.3+4", "١.2.3"]
)
def test_what_is_no_version_is_refused(ready, version):
    with pytest.raises(release.Refused, match="is no version such as"):
        release.check(ready, version)


def test_a_repository_that_is_ready(ready):
    release.check(ready, "0.2.0")
    release.check(ready, "1.0.0-rc.1")


@pytest.mark.parametrize("version", ["0.1.0", "0.0.9", "0.1.0-rc.1"])
def test_a_version_must_be_above_the_last_one_of_the_changelog(ready, version):
    with pytest.raises(release.Refused, match="not above 0.1.0, the last release"):
        release.check(ready, version)


def test_and_above_the_last_tag(ready):
    git(ready, "tag", "0.3.0")
    git(ready, "tag", "something-else")
    with pytest.raises(release.Refused, match="not above 0.3.0"):
        release.check(ready, "0.2.0")
    with pytest.raises(release.Refused, match="the tag 0.3.0 exists"):
        release.check(ready, "0.3.0")


@pytest.mark.parametrize("name", ["galaxy.yml", "changelogs/fragments/new.yml"])
def test_a_dirty_tree_is_refused(ready, name):
    (ready / name).write_text("changed: true\n")
    with pytest.raises(release.Refused, match=f"(?s)not committed:.*{name}"):
        release.check(ready, "0.2.0")


def test_a_release_without_fragments_is_refused(ready):
    git(ready, "rm", "--quiet", "changelogs/fragments/new.yml")
    git(ready, "commit", "--quiet", "--message", "Nothing new")
    with pytest.raises(release.Refused, match="nothing to release"):
        release.check(ready, "0.2.0")


def test_a_release_says_what_it_is_about(ready):
    (ready / "changelogs/fragments/new.yml").write_text("bugfixes:\n  - nats - faster.\n")
    git(ready, "commit", "--quiet", "--all", "--message", "No summary")
    with pytest.raises(release.Refused, match="release_summary"):
        release.check(ready, "0.2.0")


def test_the_command_line_says_why_in_one_line(ready, monkeypatch, capsys):
    monkeypatch.setattr(release, "ROOT", ready)
    for words, status in ((["--check", "0.2.0"], 0), (["--check", "0.1.0"], 1), ([], 1)):
        monkeypatch.setattr("sys.argv", ["release.py", *words])
        assert release.main() == status
    assert "release: 0.1.0 is not above 0.1.0, the last release\n" in capsys.readouterr().err


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """This repository as it lies here, committed, with a summary of the next release."""
    folder = tmp_path_factory.mktemp("repository")
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE
    )
    for name in listed.stdout.split("\0"):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
            (folder / name).chmod((ROOT / name).stat().st_mode)
    if not any("release_summary" in content for content in release.fragments(folder).values()):
        (folder / "changelogs/fragments/zz-summary.yml").write_text(SUMMARY)
    return repository(folder)


def test_a_release_that_fails_leaves_the_repository_as_it_was(checkout, monkeypatch):
    def refuse(tree, place):
        raise release.Refused(f"no {release.artifact.run(['git', 'log', '-1', '--format=%s'], tree)}")

    monkeypatch.setattr(release, "render", lambda tree: None)
    monkeypatch.setattr(release, "built_twice", refuse)
    before = git(checkout, "rev-parse", "HEAD")
    with pytest.raises(release.Refused, match="no Release 99.0.0"):
        release.release(checkout, "99.0.0")
    assert (git(checkout, "rev-parse", "HEAD"), git(checkout, "tag"), git(checkout, "status", "--short")) == (
        before,
        "",
        "",
    )


def test_a_release(checkout, monkeypatch):
    # The importer has its own line in `make lint`, and takes a minute.
    monkeypatch.setattr(release, "imported", lambda built: None)
    place = release.release(checkout, "99.0.0")
    assert git(checkout, "tag") == "99.0.0"
    assert git(checkout, "status", "--short") == ""
    assert git(checkout, "log", "-1", "--format=%s") == "Release 99.0.0"

    sums = (place / "SHA256SUMS").read_text().splitlines()
    names = [line.split("  ")[1] for line in sums]
    assert names == ["autonomys-cluster-99.0.0.tar.gz", "autonomys-cluster-99.0.0.cdx.json"]
    assert sorted(path.name for path in place.iterdir()) == sorted([*names, "SHA256SUMS"])
    assert sums == [f"{hashlib.sha256((place / name).read_bytes()).hexdigest()}  {name}" for name in names]

    changelog = yaml.safe_load((checkout / "changelogs/changelog.yaml").read_text())["releases"]
    listed = {module["name"] for entry in changelog.values() for module in entry.get("modules", [])}
    assert listed == {path.stem for path in (checkout / "plugins/modules").glob("*.py")} - newer(checkout)
    used = {name for entry in changelog.values() for name in entry["fragments"]}
    assert used == {path.name for path in (checkout / "changelogs/fragments").glob("*.yml")}


def newer(checkout):
    """Modules whose version_added is that of a release which the test skips."""
    texts = {path.stem: path.read_text() for path in (checkout / "plugins/modules").glob("*.py")}
    return {name for name, text in texts.items() if "\nversion_added: 0.1.0\n" not in text}
