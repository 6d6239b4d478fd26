# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that others write: long ones, pipes in the place of them."""

from __future__ import annotations

import os

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._host import files
from ansible_collections.autonomys.cluster.plugins.module_utils._host.files import (
    MAX_FILE,
    read_bytes,
    read_tail,
    read_text,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._job.host import read_output
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor import program_file
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.daemon import tail_of
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.errors import ProgramError


def test_so_many_bytes_and_no_more(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    assert read_bytes(path, 4) == b"0123"
    assert read_tail(str(path), 4) == b"6789"
    assert read_tail(str(path), 40) == b"0123456789"


def test_a_large_file_is_not_read_to_its_end(tmp_path):
    path = tmp_path / "file"
    with path.open("wb") as handle:
        handle.truncate(1 << 40)
    assert len(read_text(path)) == MAX_FILE
    with pytest.raises(ProgramError, match="larger than 1048576 bytes, so it is no configuration file"):
        program_file.read_text(str(path))


def test_a_pipe_is_not_waited_for(tmp_path):
    """Nobody writes into it: opened as a file is, it would be waited for without end."""
    path = str(tmp_path / "pipe")
    os.mkfifo(path)
    assert read_text(path) is None
    assert tail_of(path, 10) is None
    assert read_output(path, 0) == ("", 0)
    with pytest.raises(ProgramError, match="cannot be read: it is not a regular file"):
        program_file.read_text(path)


def test_no_descriptor_is_lost(tmp_path):
    before = len(os.listdir("/proc/self/fd"))
    for _again in range(5):
        with pytest.raises(OSError, match="not a regular file"):
            files.open_file(tmp_path)
    assert len(os.listdir("/proc/self/fd")) == before
