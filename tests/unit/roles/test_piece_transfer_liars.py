# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pieces from servers that lie, to clients that do, and folders with things in them that are no files."""

from __future__ import annotations

import argparse
import functools
import hashlib
import importlib.util
import os
import re
import resource
import socket
import time
import types
from pathlib import Path

import pytest
from ansible_collections.autonomys.cluster.tests.unit.rude import RudeServer
from hypothesis import given, settings
from hypothesis import strategies as st

ME = "127.0.0.1"
SIZE = 3000


@pytest.fixture
def promised(tmp_path):
    """A file of three blocks, and the list that names them."""
    content = os.urandom(SIZE)
    lines = [f"{hashlib.sha256(content[at : at + 1000]).hexdigest()} {at} 1000 piece\n" for at in range(0, SIZE, 1000)]
    listed = "".join(lines).encode()
    digest = hashlib.sha256(listed).hexdigest()
    return types.SimpleNamespace(content=content, listed=listed, digest=digest, list_bytes=len(listed))


def liar(promised, answer):
    """A server that gives the right list, and what a function of socket, first and last byte sends for the blocks."""

    def serve(server, connection):
        while True:
            request = connection.recv(65536).decode()
            if not request:
                return
            match = re.search(r"bytes=(\d+)-(\d+)", request)
            if match:
                answer(server, connection, int(match[1]), int(match[2]))
            else:
                send(connection, "200 OK", promised.listed)

    return RudeServer(serve)


def send(connection, status, body, length=None):
    length = len(body) if length is None else length
    connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n".encode() + body)


def bring(transfer, promised, server, to, **more):
    options = {"url": server.url, "digest": promised.digest, "list_bytes": promised.list_bytes, "to": str(to)}
    transfer.fetch(argparse.Namespace(**{**options, "address": None, **more}))


def test_a_server_that_tells_the_truth(transfer, promised, tmp_path):
    def answer(_server, connection, first, last):
        send(connection, "206 Partial Content", promised.content[first : last + 1])

    with liar(promised, answer) as server:
        bring(transfer, promised, server, tmp_path / "to")
    assert (tmp_path / "to/pieces/piece").read_bytes() == promised.content


def too_much(promised, told):
    """Send the block, and beyond it bytes that would lie on the next one."""

    def answer(_server, connection, first, last):
        right = promised.content[first : last + 1]
        send(connection, "206 Partial Content", right + b"EVIL" * 500, len(right) if told else None)

    return answer


@pytest.mark.parametrize("told", [True, False], ids=["behind its length", "in its length"])
def test_what_a_server_sends_beyond_a_block_lands_nowhere(transfer, promised, tmp_path, told):
    with liar(promised, too_much(promised, told)) as server:
        try:
            bring(transfer, promised, server, tmp_path / "to")
        except transfer.TransferError:
            assert not (tmp_path / "to/list").exists()
        else:
            assert (tmp_path / "to/pieces/piece").read_bytes() == promised.content
    assert b"EVIL" not in (tmp_path / "to/pieces/piece").read_bytes()


def test_a_block_is_overwritten_by_nothing_that_comes_for_another(transfer, promised, tmp_path):
    """The first block is asked for last, by a server that sends more than it was asked for: nothing of it stays."""
    asked = []

    def answer(_server, connection, first, last):
        asked.append(first)
        right = promised.content[first : last + 1]
        body = right + b"EVIL" * 500 if first == 0 and asked.count(0) == 1 else right
        send(connection, "206 Partial Content", body)

    with liar(promised, answer) as server:
        bring(transfer, promised, server, tmp_path / "to")
    assert asked.count(0) == 2
    assert (tmp_path / "to/pieces/piece").read_bytes() == promised.content


@pytest.mark.parametrize(
    ("status", "body", "length", "words"),
    [
        ("200 OK", b"x" * 1000, None, "answers 200"),
        ("206 Partial Content", b"x" * 999, None, "it sends 999 bytes instead of 1000"),
        ("206 Partial Content", b"x" * 10, 1000, "the answer ended 990 bytes too early|IncompleteRead|timed out"),
        ("206 Partial Content", b"x" * 1000, "abc", "it sends None bytes instead of 1000"),
        ("206 Partial Content", b"x" * 1000, -5, "it sends (None|-5|0) bytes instead of 1000"),
        ("206 Partial Content", b"x" * 1000, None, "do not have their digest"),
        ("500 Oh\x1b[2J", b"y" * 10**6, None, "answers 500: y+$"),
    ],
    ids=["all", "too little", "ends early", "no number", "negative", "other bytes", "error"],
)
def test_what_is_not_the_block_is_an_error(transfer, promised, tmp_path, status, body, length, words):
    def answer(_server, connection, _first, _last):
        send(connection, status, body, length)
        connection.close()

    with liar(promised, answer) as server, pytest.raises(transfer.TransferError, match=words) as error:
        bring(transfer, promised, server, tmp_path / "to")
    assert len(str(error.value)) < 500
    assert not (tmp_path / "to/list").exists()


def slow(way):
    def answer(server, connection, _first, _last):
        if way == "header":
            server.drip(connection, b"HTTP/1.1 206 Partial Content\r\n")
        elif way == "continue":
            server.repeat(connection, b"HTTP/1.1 100 Continue\r\n\r\n")
        else:
            connection.sendall(b"HTTP/1.1 206 Partial Content\r\nContent-Length: 1000\r\n\r\n")
            server.drip(connection, b"x", pause=0.2)

    return answer


@pytest.mark.parametrize("way", ["header", "continue", "body"])
def test_a_server_that_drips_is_left(transfer, promised, tmp_path, monkeypatch, way):
    monkeypatch.setattr(transfer, "TIMEOUT", 0.5)
    begun = time.monotonic()
    with liar(promised, slow(way)) as server, pytest.raises(transfer.TransferError):
        bring(transfer, promised, server, tmp_path / "to")
    assert time.monotonic() - begun < 20


def test_a_list_that_is_too_long_is_not_read(transfer, promised, tmp_path):
    """Size and digest of the list are known before: nobody makes this host read or keep more."""

    def endless(server, connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 70000000000\r\n\r\n")
        server.repeat(connection, b"x" * 65536)

    with RudeServer(endless) as server:
        with pytest.raises(
            transfer.TransferError, match=f"it sends 70000000000 bytes instead of {promised.list_bytes}"
        ):
            bring(transfer, promised, server, tmp_path / "to")
    assert list((tmp_path / "to").iterdir()) == []


# The list


def test_a_list_is_made_and_read_of_any_names(transfer, tmp_path):
    names = ["M\r", "a\x0bb", "x\x85y", "\u2028", "\x1c", "list", " ", "a b ", "\udcff"]
    (tmp_path / "export").mkdir()
    for name in names:
        (tmp_path / "export" / name).write_bytes(name.encode("utf-8", "surrogateescape"))
    transfer.make_list(argparse.Namespace(folder=str(tmp_path / "export"), to=str(tmp_path / "list")))
    assert set(transfer.read_list(str(tmp_path / "list"))) == set(names)


def test_any_names_come_as_they_are(transfer, fetch, served, export, tmp_path):
    for name in ("M\r", "\u2028", "list", "deeper/list", "\udcff"):
        (export / name).write_bytes(os.urandom(1500))
    fetch(served(), tmp_path / "to")
    assert {path.name: path.read_bytes() for path in (tmp_path / "to/pieces").rglob("*") if path.is_file()} == {
        path.name: path.read_bytes() for path in export.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["no line"], "a line that is none"),
        (["X 0 1 a"], "a line that is none"),
        (["D -1 1 a"], "a line that is none"),
        (["D 0 -1 a"], "a line that is none"),
        (["D 00 1 a"], "a line that is none"),
        (["D 0 1 "], "a line that is none"),
        (["D ² 1 a"], "a line that is none"),
        (["D 0 9999999999999999999 a"], "a line that is none"),
        (["D 0 1 /etc/passwd"], "outside of the folder"),
        (["D 0 1 a/../../b"], "outside of the folder"),
        (["D 0 1 a//b"], "outside of the folder"),
        (["D 0 1 ./a"], "outside of the folder"),
        (["D 0 1 a/"], "outside of the folder"),
        (["D 0 1 a\0b"], "outside of the folder"),
        (["D 5 1 a"], "twice, or leaves some out"),
        (["D 0 10 a", "D 5 10 a"], "twice, or leaves some out"),
        (["D 0 10 a", "D 11 10 a"], "twice, or leaves some out"),
        (["D 0 10 a", "D 0 10 a"], "twice, or leaves some out"),
        (["D 0 10 a", "D 0 10 b", "D 10 10 a"], "twice, or leaves some out"),
        (["D 0 0 a", "D 0 0 a"], "twice, or leaves some out"),
    ],
)
def test_a_list_that_cannot_be_is_refused(transfer, lines, words):
    with pytest.raises(transfer.TransferError, match=words):
        transfer.parse([line.replace("D", "0" * 64) + "\n" for line in lines])


LINES = st.text(max_size=12) | st.builds(
    lambda offset, length, path: f"{'0' * 64} {offset} {length} {path}",
    st.integers(-1, 20),
    st.integers(-1, 20),
    st.text("ab./\r", max_size=4),
)


@settings(max_examples=500, deadline=None)
@given(st.lists(LINES, max_size=4))
def test_any_lines_are_blocks_side_by_side_or_an_error(lines):
    module = program()
    try:
        blocks = module.parse(lines)
    except module.TransferError:
        return
    for path, entries in blocks.items():
        assert not os.path.isabs(path) and ".." not in path.split("/")
        ends = [0, *(block.offset + block.length for block in entries)]
        assert [block.offset for block in entries] == ends[:-1]


@functools.lru_cache
def program():
    """The program, for a test that makes its own examples."""
    spec = importlib.util.spec_from_file_location(
        "piece_transfer_lines", Path(__file__).parents[3] / "roles/export_pieces/files/piece_transfer.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# What is no file


def special(path, kind):
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
    else:
        path.symlink_to({"link": "/etc/passwd", "folder": "/etc", "dangling": "/nowhere"}[kind])


@pytest.mark.timeout(30)
@pytest.mark.parametrize("kind", ["pipe", "socket", "link", "folder", "dangling"])
def test_what_is_no_file_is_neither_waited_for_nor_listed(transfer, export, tmp_path, kind):
    special(export / "odd", kind)
    with pytest.raises(transfer.TransferError, match="'odd' in .* is no regular file, and only files can be brought"):
        transfer.make_list(argparse.Namespace(folder=str(export), to=str(tmp_path / "list")))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", ["pipe", "link", "folder"])
def test_what_became_no_file_is_not_served(transfer, fetch, served, export, tmp_path, kind):
    running = served()
    (export / "a").unlink()
    special(export / "a", kind)
    with pytest.raises(transfer.TransferError):
        fetch(running, tmp_path / "to")


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", ["pipe", "link", "folder", "dangling"])
def test_what_is_no_file_where_one_arrives_is_removed(fetch, served, export, tmp_path, kind):
    (tmp_path / "to/pieces").mkdir(parents=True)
    special(tmp_path / "to/pieces/a", kind)
    special(tmp_path / "to/pieces/deeper", "folder")
    fetch(served(), tmp_path / "to")
    assert (tmp_path / "to/pieces/a").read_bytes() == (export / "a").read_bytes()
    assert not (tmp_path / "to/pieces/deeper").is_symlink()


@pytest.mark.timeout(60)
def test_a_check_does_not_follow_links(transfer, fetch, served, export, tmp_path):
    fetch(served(), tmp_path / "to")
    (tmp_path / "to/pieces/a").unlink()
    (tmp_path / "to/pieces/a").symlink_to(export / "a")
    (tmp_path / "to/pieces/empty").write_bytes(b"more")
    with pytest.raises(transfer.TransferError, match="2 files are missing or differ: a, empty"):
        transfer.check(argparse.Namespace(folder=str(tmp_path / "to/pieces"), list=str(tmp_path / "to/list")))


# Clients that lie


def ask(running, request, timeout=10):
    """What a server answers to bytes, until it closes the connection or falls silent."""
    address = running.server_address
    answer = b""
    with socket.create_connection(address, timeout=timeout) as connection:
        connection.sendall(request)
        try:
            while True:
                data = connection.recv(65536)
                if not data:
                    return answer
                answer += data
        except socket.timeout:
            return answer


ODD_RANGES = [
    "bytes=2-0",
    "bytes=-1",
    "bytes=-5-9",
    "bytes=0-",
    "bytes=0-0,2-3",
    "bytes=0-9999",
    "bytes=1e3-2e3",
    "0-1",
    "bytes=²-3",
    "bytes=0-" + "9" * 5000,
    "",
    "bytes=3500-3500",
]


@pytest.mark.parametrize("odd", ODD_RANGES)
def test_odd_ranges_are_refused(served, odd):
    request = f"GET /pieces/deeper/b HTTP/1.1\r\nHost: x\r\nRange: {odd}\r\nConnection: close\r\n\r\n".encode()
    assert ask(served(), request).startswith(b"HTTP/1.1 416 ")


def test_without_a_range_nothing_is_sent(served):
    assert ask(served(), b"GET /pieces/a HTTP/1.1\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 416 ")


def test_a_stranger_costs_no_thread_and_does_not_keep_the_server_up(served, monkeypatch):
    running = served(allow=["192.0.2.1"])
    monkeypatch.setattr(running, "process_request", lambda *_args: pytest.fail("a thread was made"))
    before = running.last_used
    for _request in range(20):
        assert ask(running, b"GET /list HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 403 ")
    assert running.last_used == before


def test_a_host_has_no_more_connections_than_it_needs(served, server):
    running = served()
    connections = [socket.create_connection(running.server_address) for _number in range(server.CONNECTIONS)]
    deadline = time.monotonic() + 10
    while running._open[ME] < server.CONNECTIONS and time.monotonic() < deadline:
        time.sleep(0.01)
    assert ask(running, b"GET /list HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 503 ")
    for connection in connections:
        connection.close()
    while running._open[ME] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert ask(running, b"GET /list HTTP/1.1\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("way", ["idle", "drip"])
def test_connections_that_ask_nothing_are_ended(transfer, served, monkeypatch, way):
    monkeypatch.setattr(transfer, "TIMEOUT", 0.5)
    running = served()
    begun = time.monotonic()
    with socket.create_connection(running.server_address, timeout=20) as connection:
        connection.settimeout(0.05)
        while time.monotonic() - begun < 15:
            try:
                if way == "drip":
                    connection.sendall(b"G")
                if connection.recv(1) == b"":
                    break
            except socket.timeout:
                continue
            except OSError:
                break
    assert 0.3 < time.monotonic() - begun < 10


def test_a_full_queue_is_tried_again(transfer, promised, tmp_path):
    """Who is told that there are too many connections asks again."""
    told = []

    def answer(_server, connection, first, last):
        told.append(first)
        if len(told) == 1:
            send(connection, "503 Service Unavailable", b"later")
        else:
            send(connection, "206 Partial Content", promised.content[first : last + 1])

    with liar(promised, answer) as server:
        bring(transfer, promised, server, tmp_path / "to")
    assert (tmp_path / "to/pieces/piece").read_bytes() == promised.content


def test_the_memory_stays_small_whatever_is_asked_for(served, export):
    """A range is sent in parts; nobody makes the server read a file as a whole."""
    running = served()
    (export / "large").write_bytes(b"")
    os.truncate(export / "large", 300 * 1024**2)
    running.sizes["large"] = 300 * 1024**2
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with socket.create_connection(running.server_address, timeout=20) as connection:
        connection.sendall(b"GET /pieces/large HTTP/1.1\r\nRange: bytes=0-314572799\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 206 ")
        time.sleep(0.3)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024
