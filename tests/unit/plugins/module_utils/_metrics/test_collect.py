# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A round of the collector: what it writes, also when it fails."""

from __future__ import annotations

import json
import stat

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._metrics import collect
from ansible_collections.autonomys.cluster.plugins.module_utils._metrics.exposition import Family
from ansible_collections.autonomys.cluster.plugins.module_utils._metrics.rounds import Round


@pytest.fixture
def place(tmp_path):
    """A folder for each kind of file."""
    for name in ("state", "metrics"):
        (tmp_path / name).mkdir()
    (tmp_path / "expected.json").write_text(json.dumps({"components": []}))

    def run(reader, name="state"):
        folders = [str(tmp_path / each) for each in ("expected.json", "state", "metrics")]
        error = collect.collect(name, reader, *folders)
        return error, (tmp_path / f"metrics/autonomys_{name}.prom").read_text()

    run.folder = tmp_path
    return run


def counting(part, memory, now, folder):
    number = memory.get("runs", 0) + 1
    return Round([Family("autonomys_runs", "Runs.", [({}, number)])], {"runs": number}, {"told": number})


def test_a_round_remembers_and_writes_as_a_whole(place):
    place(counting)
    error, text = place(counting)
    assert error == "" and "\nautonomys_runs 2\n" in text
    assert 'autonomys_collector_ok{round="state"} 1\n' in text and "autonomys_collector_cpu_seconds" in text
    files = {path.name for path in (place.folder / "metrics").iterdir()}
    assert files == {"autonomys_state.prom"}
    assert stat.S_IMODE((place.folder / "metrics/autonomys_state.prom").stat().st_mode) == 0o644
    assert stat.S_IMODE((place.folder / "state/state.json").stat().st_mode) == 0o600
    assert json.loads((place.folder / "state/state.told.json").read_text()) == {"told": 2}


def test_a_round_that_fails_says_so(place):
    def broken(part, memory, now, folder):
        raise OSError("no such host")

    error, text = place(broken)
    assert error == "OSError: no such host" and 'autonomys_collector_ok{round="state"} 0\n' in text


@pytest.mark.parametrize("kept", ["", "[]", "[" * 100000, "{"])
def test_a_memory_that_cannot_be_read_begins_anew(place, kept):
    (place.folder / "state/state.json").write_text(kept)
    assert "\nautonomys_runs 1\n" in place(counting)[1]


def test_a_link_in_the_place_of_a_file_is_replaced_and_not_followed(place):
    target = place.folder / "elsewhere"
    target.write_text("as it was")
    (place.folder / "metrics/autonomys_state.prom").symlink_to(target)
    assert place(counting)[0] == ""
    assert target.read_text() == "as it was"


@pytest.mark.parametrize("arguments", [["no-such-round"], ["state", "gpus"]])
def test_a_wrong_command_line_is_refused(arguments, capsys):
    assert collect.main(arguments) == 2
    assert "usage: collector state|gpus|drift" in capsys.readouterr().err
