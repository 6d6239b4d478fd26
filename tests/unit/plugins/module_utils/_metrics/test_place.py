# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of ours in their places."""

from __future__ import annotations

import stat

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._metrics.place import PlaceError, place


def file(path, content=b"text\n", **more):
    return {
        "path": str(path),
        "content": content,
        "mode": "0640",
        "group": "root",
        "restarts": "",
        "secret": False,
        **more,
    }


@pytest.fixture
def owned(monkeypatch):
    """Let who is not root own files, too."""
    monkeypatch.setattr("os.fchown", lambda *_args: None)


def test_files_are_written_once(tmp_path, owned):
    files = [file(tmp_path / "a/b/one", restarts="x.service"), file(tmp_path / "two", restarts="x.service")]
    check = place(files, True)
    assert check["changed"] and not (tmp_path / "a").exists()
    done = place(files, False)
    assert done == check and done["restarts"] == ["x.service"]
    assert stat.S_IMODE((tmp_path / "a/b/one").stat().st_mode) == 0o640
    again = place(files, False)
    assert again == {"changed": False, "written": [], "restarts": [], "diff": []}
    (tmp_path / "two").chmod(0o644)
    assert place(files, False)["written"] == [str(tmp_path / "two")]


def test_differences_show_no_secret_and_no_bytes(tmp_path, owned):
    (tmp_path / "plain").write_text("old\n")
    files = [
        file(tmp_path / "plain"),
        file(tmp_path / "secret", b"hunter2", secret=True),
        file(tmp_path / "zip", b"\xff\x00"),
    ]
    plain, secret, packed = place(files, True)["diff"]
    assert (plain["before"], plain["after"]) == ("old\n", "text\n")
    assert (secret["before"], secret["after"]) == ("", "<not shown>\n")
    assert packed["after"] == "<2 bytes>\n"


def test_what_cannot_be_written_is_named(tmp_path, owned):
    (tmp_path / "a").write_text("no folder")
    with pytest.raises(PlaceError, match="a/b cannot be written"):
        place([file(tmp_path / "a/b")], False)
    with pytest.raises(PlaceError, match="no-such-group"):
        place([file(tmp_path / "c", group="no-such-group")], False)
