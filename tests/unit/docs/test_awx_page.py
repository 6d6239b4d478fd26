# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/awx.md names what there is; and what AWX needs of the repository itself: every file can be signed."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from ansible_collections.autonomys.cluster.plugins.plugin_utils._awx.templates import TEMPLATES
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster import role_files
from ansible_sign.checksum.differ import DistlibManifestChecksumFileExistenceDiffer

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/awx.md").read_text(encoding="utf-8")


def test_the_page_knows_every_template():
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    named = set(re.findall(r"`(\w+)`", " ".join(row.split("|")[1] for row in rows)))
    assert named == set(TEMPLATES)


def test_the_variables_of_the_page_exist():
    named = set(re.findall(r"\bawx_[a-z_]+\b", PAGE))
    assert named - set(role_files.options("awx")) == set() and named


def test_every_file_is_covered_by_the_manifest_that_is_signed(tmp_path):
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    names = {name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()}
    for name in {*names, ".git/config"}:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "MANIFEST.in").write_bytes((ROOT / "MANIFEST.in").read_bytes())
    differ = DistlibManifestChecksumFileExistenceDiffer(root=str(tmp_path))
    assert set(differ.list_files(verifying=False)) == names
    # A file that somebody adds where git does not look is seen, too.
    (tmp_path / ".ansible").mkdir()
    (tmp_path / ".ansible/added.py").write_bytes(b"")
    assert differ.compare_filelist(names) == {"added": [".ansible/added.py"], "removed": []}
