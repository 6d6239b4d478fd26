# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that must not hang, fill the memory or end in a traceback, whatever a server sends."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils import _http
from ansible_collections.autonomys.cluster.plugins.module_utils._http import (
    Clock,
    HttpError,
    JsonClient,
    Pace,
    shown_url,
    split_url,
)
from ansible_collections.autonomys.cluster.tests.unit.rude import RudeServer, with_body

HEADER = b"HTTP/1.1 200 OK\r\n"
SLOW = {
    "header": lambda server, connection: server.drip(connection, HEADER + b"X-Filler: a\r\n"),
    "body": lambda server, connection: (
        connection.sendall(HEADER + b"Content-Length: 1000\r\n\r\n"),
        server.drip(connection, b" "),
    ),
    "chunks": lambda server, connection: (
        connection.sendall(HEADER + b"Transfer-Encoding: chunked\r\n\r\n"),
        server.drip(connection, b"1\r\n \r\n", pause=0.02),
    ),
    "continue": lambda server, connection: server.repeat(connection, b"HTTP/1.1 100 Continue\r\n\r\n"),
    "silence": lambda server, _connection: server.hang(),
}


@pytest.mark.parametrize("way", SLOW)
def test_a_server_that_never_ends_is_left_after_the_timeout(way):
    with RudeServer(SLOW[way]) as server:
        begun = time.monotonic()
        with pytest.raises(HttpError, match="/varz did not answer: timed out$"):
            JsonClient(server.url, 0.5).ask("/varz")
        assert 0.4 < time.monotonic() - begun < 5


def test_the_limit_is_for_all_addresses_of_a_name(monkeypatch):
    """A name can have many addresses, of which none answers."""
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _waiting in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        address = (socket.AF_INET, socket.SOCK_STREAM, 0, "", full.getsockname())
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_question, **_options: [address] * 20)
        begun = time.monotonic()
        with pytest.raises(HttpError, match="did not answer: timed out"):
            JsonClient("http://many", 0.4).ask("")
        assert 0.3 < time.monotonic() - begun < 3


def test_the_limit_is_for_each_question(monkeypatch):
    """A connection that is kept open does not use up the time of the next question."""

    def answer(_server, connection):
        for _question in range(3):
            connection.recv(65536)
            time.sleep(0.3)
            connection.sendall(HEADER + b"Content-Length: 2\r\n\r\n{}")

    with RudeServer(answer) as server:
        client = JsonClient(server.url, 0.8)
        assert [client.ask("")[0] for _question in range(3)] == [200, 200, 200]
        client.close()


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a": ' * 100_000,
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b"\xff\xfe",
        b"null",
        b"",
    ],
    ids=["brackets", "braces", "NaN", "Infinity", "too large", "digits", "no UTF-8", "null", "nothing"],
)
def test_what_is_no_json_object_is_a_sentence(body):
    with RudeServer(with_body(body)) as server, pytest.raises(HttpError, match="status 200 and no JSON object"):
        JsonClient(server.url, 5).ask("")


def test_a_length_that_is_no_number_is_not_relied_on():
    with RudeServer(with_body(b'{"a": 1}', Content_Length="abc")) as server:
        assert JsonClient(server.url, 5).ask("") == (200, {"a": 1})


def test_a_large_answer_is_cut_off():
    with RudeServer(
        lambda server, connection: (connection.sendall(HEADER + b"\r\n"), server.repeat(connection, b"x" * 4096))
    ) as server:
        with pytest.raises(HttpError, match="answered more than 1000 bytes"):
            JsonClient(server.url, 5, most=1000).ask("")


def test_the_words_of_a_stranger_are_short():
    with RudeServer(lambda _server, connection: connection.sendall(b"x" * 60_000 + b"\r\n")) as server:
        with pytest.raises(HttpError) as error:
            JsonClient(server.url, 5).ask("")
    assert len(str(error.value)) < 400


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:p@h:1/a/b?token=x#f", "https://h:1/a/b"),
        ("http://h/a", "http://h/a"),
        ("http://u:p@[::1/a?b", "[::1/a"),
        ("nats://token@h:4222", "nats://h:4222"),
        ("files/a@b?c#d", "files/a@b?c#d"),
    ],
)
def test_urls_are_shown_without_secrets(url, shown):
    assert shown_url(url) == shown


def test_the_clock_of_a_download_runs_anew_with_enough_bytes(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(_http.time, "monotonic", lambda: now[0])
    pace = Pace(60, 1000)
    now[0] = 59.0
    assert pace.left() == 1
    # What comes before the header is there does not count.
    pace.count(5000)
    assert pace.left() == 1
    pace.begin()
    assert pace.left() == 60
    now[0] = 100.0
    pace.count(999)
    assert pace.left() == 19
    pace.count(1)
    assert pace.left() == 60
    now[0] = 160.0
    with pytest.raises(TimeoutError, match="less than 1000 bytes came in 60 s"):
        pace.left()
    with pytest.raises(TimeoutError, match="timed out"):
        Clock(0).left()


def test_names_are_looked_up_within_the_time(monkeypatch):
    gate = threading.Event()
    monkeypatch.setattr(_http.socket, "getaddrinfo", lambda *_arguments, **_options: [gate.wait(60)])
    begun = time.monotonic()
    with pytest.raises(HttpError, match="no address of example.org was found in time"):
        JsonClient("http://example.org", 0.3).ask("/")
    assert time.monotonic() - begun < 5
    gate.set()


def test_a_name_that_nobody_has_is_told():
    with pytest.raises(HttpError, match="did not answer: .*[Nn]ame"):
        JsonClient("http://nobody-has-this.invalid", 30).ask("/")


def test_urls():
    assert split_url("ws://10.0.0.1:9944/") == ("http", "10.0.0.1", 9944, "")
    assert split_url("wss://[fd00::1]/rpc") == ("https", "fd00::1", 443, "/rpc")
