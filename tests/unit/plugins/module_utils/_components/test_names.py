# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is made is read back: names, slots, files and paths of binaries."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._components import names
from hypothesis import given
from hypothesis import strategies as st

part = st.text("abcXYZ019.-_+", min_size=1).filter(lambda text: text not in (".", ".."))
binary = st.sampled_from([names.NATS_SERVER, names.NODE, names.FARMER, "autonomys-export-piece"])
install_dir = st.lists(part | st.sampled_from(["nats", "releases"])).map(
    lambda parts: "".join("/" + each for each in parts)
)


@given(slot=st.integers(0, 10**6))
def test_a_slot_is_read_from_the_name_of_its_program(slot: int) -> None:
    assert names.slot_of(names.program_of(slot)) == slot
    assert names.is_ours(names.program_of(slot))


@pytest.mark.parametrize(
    "program",
    [
        "autonomys-plot-server",
        "autonomys-plot-server-",
        "autonomys-plot-server-x",
        "autonomys-plot-server-1a",
        "autonomys-plot-server-1\n",
        "autonomys-plot-server-²",
        "autonomys-plot-client",
        "x-autonomys-plot-server-1",
    ],
)
def test_other_programs_have_no_slot(program: str) -> None:
    assert names.slot_of(program) is None


@given(file=part, folder=install_dir)
def test_a_file_of_programs_is_read_from_its_path(file: str, folder: str) -> None:
    assert names.file_of(f"{folder}/{names.conf_name(file)}") == file


@given(root=install_dir, version=part, name=binary, before=st.lists(part), after=st.lists(part))
def test_a_version_is_read_from_path_and_command(
    root: str, version: str, name: str, before: list[str], after: list[str]
) -> None:
    path = names.binary_path(root, version, name)
    assert path == f"{names.release_root(root, name)}/{version}/{name}"
    assert names.read_path(path) == (version, name)
    assert names.read_command([*before, path, *after]) == (version, name)
    assert names.version_of([*before, path, *after]) == version


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/usr/bin/autonomys-node",
        "releases/v1/autonomys-node",
        "/opt/releases/autonomys-node",
        "/opt/releases/v1/other",
        "/opt/releases/v1/autonomys-node/x",
        "/opt/releases/v1/nats-server-2",
        "path=/mnt/releases/v1/autonomys-farmer",
    ],
)
def test_other_paths_have_no_version(path: str) -> None:
    assert names.read_path(path) is None
    assert names.version_of(["numactl", "-C", "0-3", "-l", path]) is None
