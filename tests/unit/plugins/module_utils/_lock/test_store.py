# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of the record, in a folder of the test's own."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._host import locks
from ansible_collections.autonomys.cluster.plugins.module_utils._host.locks import LockError
from ansible_collections.autonomys.cluster.plugins.module_utils._lock import store
from ansible_collections.autonomys.cluster.plugins.module_utils._lock.record import RecordError, release, renew, take
from ansible_collections.autonomys.cluster.plugins.module_utils._lock.store import change_record, read_record
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._lock.runs import run


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    made = tmp_path / "run" / "autonomys"
    monkeypatch.setattr(locks, "lock_folder", lambda: str(made))
    monkeypatch.setattr(store, "lock_folder", lambda: str(made))
    monkeypatch.setattr(locks, "POLL", 0.01)
    return made


def taking(name, **options):
    who = run(name)
    return change_record(lambda record, now: take(record, who, now, None, None, False), **options)


def test_nothing_is_made_by_reading(folder):
    found = read_record()
    assert found["holder"] is None and found["generation"].endswith("/0")
    assert not folder.exists()


def test_a_check_says_what_would_be_and_makes_nothing(folder):
    assert taking("alice", check=True)["state"] == "held"
    assert not folder.exists()


def test_what_was_taken_is_read_by_others_and_given_back(folder):
    told = taking("alice")
    assert told["state"] == "held" and told["holder"] == run("alice") and told["generation"].endswith("/1")
    assert read_record() == {key: told[key] for key in ("generation", "holder", "since", "age_s")}
    refused = taking("bob")
    assert refused["state"] == "refused" and refused["holder"] == run("alice")
    assert change_record(lambda record, now: renew(record, run("alice"), now))["state"] == "held"
    assert change_record(lambda record, now: release(record, run("alice"), now))["state"] == "free"
    assert read_record()["generation"].endswith("/2")
    assert sorted(path.name for path in folder.iterdir()) == ["cluster.json", "cluster.lock"]


def test_only_root_can_read_it(folder):
    taking("alice")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / "cluster.json")]
    assert modes == [0o700, 0o600]


def broken(folder, kind):
    path = folder / "cluster.json"
    if kind == "text":
        path.write_text("x")
    elif kind == "huge":
        path.write_text(" " * 20000)
    elif kind == "link":
        path.symlink_to("/etc/passwd")
    elif kind == "folder":
        path.mkdir()
    else:
        os.mkfifo(path)


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("text", "is not the record of a run"),
        ("huge", "is too large"),
        ("link", "cannot be read"),
        ("folder", "is not a file of root"),
        ("pipe", "is not a file of root"),
    ],
)
def test_what_is_no_record_is_an_error_that_names_the_file(folder, kind, why):
    folder.mkdir(mode=0o700, parents=True)
    broken(folder, kind)
    assert f"{folder}/cluster.json {why}" in read_record()["error"]
    with pytest.raises(RecordError, match=f"{folder}/cluster.json {why}.*remove it"):
        taking("alice")


@pytest.mark.parametrize("kind", ["text", "huge", "link", "pipe"])
def test_it_can_be_replaced_by_force(folder, kind):
    folder.mkdir(mode=0o700, parents=True)
    broken(folder, kind)
    assert taking("alice", replace_broken=True)["state"] == "held"
    assert read_record()["holder"] == run("alice")
    assert Path("/etc/passwd").read_text().startswith("root")


def test_a_folder_that_others_can_write_to_is_refused(folder):
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    assert "nobody else may write to it" in read_record()["error"]
    with pytest.raises(LockError, match="nobody else may write to it"):
        taking("alice")


def test_a_run_that_was_killed_while_it_wrote_leaves_the_record_whole(folder):
    taking("alice")
    (folder / "cluster.json.new").write_text("half of")
    assert read_record()["holder"] == run("alice")
    assert change_record(lambda record, now: release(record, run("alice"), now))["state"] == "free"
    assert not (folder / "cluster.json.new").exists()


def test_of_many_at_once_one_gets_it():
    told, gate = [], threading.Barrier(8)

    def wanting(number):
        gate.wait()
        told.append(taking(f"run-{number}"))

    threads = [threading.Thread(target=wanting, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    states = [answer["state"] for answer in told]
    assert sorted(states) == ["held", *["refused"] * 7]
    assert len({answer["holder"]["run"] for answer in told}) == 1
