# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that brings exported pieces to other hosts: real servers and folders, small blocks."""

from __future__ import annotations

import argparse
import os
import time

import pytest

ME = "127.0.0.1"


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_everything_comes_with_its_digests(transfer, fetch, served, export, tmp_path, capsys):
    to = tmp_path / "to"
    fetch(served(), to)
    assert contents(to / "pieces") == contents(export)
    assert (to / "list").read_bytes() == (tmp_path / "list").read_bytes()
    assert "5 files, 5511 bytes, of which 5511 came now" in capsys.readouterr().out
    transfer.check(argparse.Namespace(folder=str(to / "pieces"), list=str(to / "list")))
    assert "5 of 5 files have the digests of the export" in capsys.readouterr().out


def test_a_second_run_brings_only_what_is_missing_or_damaged(transfer, fetch, served, export, tmp_path, capsys):
    to, server = tmp_path / "to", served()
    fetch(server, to)
    with (to / "pieces/deeper/b").open("r+b") as file:
        file.seek(1500)
        file.write(b"damaged")
    (to / "pieces/a").unlink()
    (to / "pieces/foreign").write_bytes(b"x")
    (to / "pieces/ü").write_bytes((export / "ü").read_bytes() + b"too long")
    capsys.readouterr()
    fetch(server, to)
    assert "of which 1010 came now" in capsys.readouterr().out
    assert contents(to / "pieces") == contents(export)


def test_a_fetch_that_breaks_off_leaves_no_list_and_goes_on_later(
    transfer, fetch, served, export, tmp_path, monkeypatch, capsys
):
    to, server = tmp_path / "to", served()
    real = transfer.fetch_block

    def full_disk(source, path, full, block):
        if path == "empty":
            raise OSError(28, "No space left on device")
        return real(source, path, full, block)

    monkeypatch.setattr(transfer, "fetch_block", full_disk)
    with pytest.raises(OSError, match="No space left"):
        fetch(server, to)
    assert not (to / "list").exists()
    monkeypatch.setattr(transfer, "fetch_block", real)
    capsys.readouterr()
    fetch(server, to)
    assert contents(to / "pieces") == contents(export)
    assert "of which 5511 came now" not in capsys.readouterr().out


def test_a_list_that_is_not_the_expected_one_brings_nothing(transfer, fetch, served, tmp_path):
    with pytest.raises(transfer.TransferError, match="not the one of this export; nothing was brought"):
        fetch(served(), tmp_path / "to", digest="0" * 64)
    assert list((tmp_path / "to").iterdir()) == []


def test_bytes_that_change_on_the_way_are_asked_for_again_and_then_refused(transfer, fetch, served, export, tmp_path):
    server = served()
    (export / "a").write_bytes(b"0123456789")
    with pytest.raises(transfer.TransferError, match="bytes 0 to 10 of a do not have their digest"):
        fetch(server, tmp_path / "to")


def test_only_the_hosts_named_are_answered(transfer, fetch, served, tmp_path):
    server = served(allow=["192.0.2.1"])
    with pytest.raises(transfer.TransferError, match=f"answers 403: {ME} is not one of the hosts"):
        fetch(server, tmp_path / "to")


def test_nothing_but_the_files_of_the_list_is_served(transfer, served, tmp_path):
    source = transfer.Source(served().url, ME)
    for path in ("/../list", "/etc/passwd", "/", "/deeper", "/a", "/pieces/", "/pieces/deeper", "/pieces/../list"):
        with pytest.raises(transfer.TransferError, match="answers 404"):
            list(source.get(path, 1, 0))


def test_a_list_may_not_name_a_path_outside(transfer):
    for path in ("/etc/passwd", "a/../../b"):
        with pytest.raises(transfer.TransferError, match="outside"):
            transfer.parse([f"{'0' * 64} 0 1 {path}\n"])


def test_no_server_is_a_sentence(transfer, tmp_path):
    with pytest.raises(transfer.TransferError, match=r"the export cannot be read: 127.0.0.1:9: .*refused"):
        transfer.fetch(
            argparse.Namespace(url=f"http://{ME}:9", digest="", list_bytes=1, to=str(tmp_path), address=None)
        )


def test_the_bandwidth_is_limited_for_all_connections_together(transfer, fetch, served, tmp_path):
    started = time.monotonic()
    fetch(served(mbit=0.1), tmp_path / "to")
    # 5511 bytes and the list at 12,500 bytes a second
    assert 0.3 < time.monotonic() - started < 30


def test_a_server_that_nobody_asks_ends(served):
    server = served(idle=0.1)
    server.thread.join(60)
    assert not server.thread.is_alive()


def test_a_list_is_renewed_only_where_files_changed(transfer, export, tmp_path, monkeypatch):
    options = argparse.Namespace(folder=str(export), to=str(tmp_path / "list"))
    transfer.make_list(options)
    before = (tmp_path / "list").read_bytes()
    hour = 3600 * 10**9
    for path in export.rglob("*"):
        os.utime(path, ns=(hour, hour))
    read = []
    real = transfer.digests_of
    monkeypatch.setattr(transfer, "digests_of", lambda path: read.append(os.path.basename(path)) or real(path))
    transfer.make_list(options)
    assert (read, (tmp_path / "list").read_bytes()) == ([], before)
    (export / "a").write_bytes(b"longer than before")
    transfer.make_list(options)
    assert read == ["a"]


def test_an_empty_export_is_no_export(transfer, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(transfer.TransferError, match="holds no pieces"):
        transfer.make_list(argparse.Namespace(folder=str(tmp_path / "empty"), to=str(tmp_path / "list")))
    assert not list(tmp_path.glob("list*"))


def test_a_check_names_what_differs(transfer, fetch, served, tmp_path, capsys):
    to = tmp_path / "to"
    fetch(served(), to)
    (to / "pieces/a").write_bytes(b"other")
    (to / "pieces/ü").unlink()
    with pytest.raises(transfer.TransferError, match="2 files are missing or differ: a, ü"):
        transfer.check(argparse.Namespace(folder=str(to / "pieces"), list=str(to / "list")))
