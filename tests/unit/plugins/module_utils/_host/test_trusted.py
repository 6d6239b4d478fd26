# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._host.trusted import distrust

STRANGER = 65534
pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root gives folders away")


@pytest.fixture
def deep(tmp_path):
    """A folder in a folder in a folder, all of them root's."""
    folder = tmp_path / "a" / "b" / "c"
    folder.mkdir(parents=True)
    return folder


def test_what_is_root_s_all_the_way_is_trusted(deep):
    assert distrust(str(deep), {0}) is None
    assert distrust(str(deep / "not" / "there"), {0}) is None
    assert distrust("/", {0}) is None


@pytest.mark.parametrize("level", range(3))
def test_a_folder_of_a_stranger_anywhere_on_the_way_is_not(deep, level):
    folder = [deep, *deep.parents][level]
    os.chown(folder, STRANGER, STRANGER)
    assert distrust(str(deep), {0}) == f"{folder} belongs to nobody"
    assert distrust(str(deep), {0, STRANGER}) is None


@pytest.mark.parametrize("level", range(3))
@pytest.mark.parametrize(("mode", "who"), [(0o777, "everybody"), (0o775, "its group")])
def test_a_folder_that_others_write_is_not(deep, level, mode, who):
    folder = [deep, *deep.parents][level]
    os.chown(folder, 0, 4)
    folder.chmod(mode)
    assert distrust(str(deep), {0}) == f"{folder} can be written by {who}"


def test_root_s_own_group_may_write(deep):
    deep.chmod(0o775)
    assert distrust(str(deep), {0}) is None


def test_in_a_folder_like_tmp_the_next_one_decides(deep):
    deep.parent.chmod(0o1777)
    assert distrust(str(deep), {0}) is None
    os.chown(deep, STRANGER, STRANGER)
    assert distrust(str(deep), {0}) == f"{deep} belongs to nobody"


def test_links_are_judged_by_where_they_lead_and_where_they_lie(deep, tmp_path):
    (tmp_path / "link").symlink_to(deep)
    assert distrust(str(tmp_path / "link" / "x"), {0}) is None
    os.lchown(tmp_path / "link", STRANGER, STRANGER)
    assert distrust(str(tmp_path / "link" / "x"), {0}) == f"{tmp_path}/link belongs to nobody"
    os.lchown(tmp_path / "link", 0, 0)
    os.chown(deep.parent, STRANGER, STRANGER)
    assert distrust(str(tmp_path / "link" / "x"), {0}) == f"{deep.parent} belongs to nobody"
    (deep / "up").symlink_to("../../other/./../other")
    (tmp_path / "a" / "other").mkdir()
    os.chown(deep.parent, 0, 0)
    assert distrust(str(deep / "up"), {0}) is None
    os.chown(tmp_path / "a" / "other", STRANGER, STRANGER)
    assert distrust(str(deep / "up"), {0}) == f"{tmp_path}/a/other belongs to nobody"


def test_links_in_a_circle_end(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert distrust(str(tmp_path / "a"), {0}) == f"{tmp_path}/a has too many links in it"


def test_a_file_on_the_way_is_no_folder(deep):
    (deep / "file").write_text("x")
    assert distrust(str(deep / "file" / "x"), {0}) == f"{deep}/file is no folder"
