# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Downloads from servers that serve, and from those that do not."""

from __future__ import annotations

import base64
import os
import time

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._release import download
from ansible_collections.autonomys.cluster.plugins.module_utils._release.download import fetcher
from ansible_collections.autonomys.cluster.plugins.module_utils._release.request import ReleaseError
from ansible_collections.autonomys.cluster.tests.unit.rude import RudeServer, with_body

OK = b"HTTP/1.1 200 OK\r\n"
SLOW = {
    "header": lambda server, connection: server.drip(connection, OK),
    "continue": lambda server, connection: server.repeat(connection, b"HTTP/1.1 100 Continue\r\n\r\n"),
    "silence": lambda server, _connection: server.hang(),
    "body": lambda server, connection: (connection.sendall(OK + b"\r\n"), server.drip(connection, b"x")),
    "chunks": lambda server, connection: (
        connection.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n"),
        server.drip(connection, b"1\r\nx\r\n", pause=0.02),
    ),
}


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch, tmp_path):
    """A proxy that this machine's environment names does not lead back to this machine."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


def fetched(url, timeout=5.0, **options):
    parts = []
    fetcher(timeout, **options)(url, parts.append)
    return b"".join(parts)


@pytest.mark.parametrize("way", SLOW)
def test_a_server_that_never_ends_is_left(way):
    with RudeServer(SLOW[way]) as server:
        begun = time.monotonic()
        words = "less than 65536 bytes came in 0.5 s" if way in ("body", "chunks") else ".*timed out"
        with pytest.raises(
            ReleaseError, match=f"{server.url}/tool cannot be downloaded: {words}.*; nothing was installed"
        ):
            fetched(f"{server.url}/tool", 0.5)
        assert time.monotonic() - begun < 5


def test_a_slow_server_that_makes_progress_is_waited_for(monkeypatch):
    monkeypatch.setattr(download, "LEAST", 10)

    def answer(_server, connection):
        connection.sendall(OK + b"Content-Length: 200\r\n\r\n")
        for _part in range(10):
            time.sleep(0.15)
            connection.sendall(b"x" * 20)

    with RudeServer(answer) as server:
        assert fetched(server.url, 0.6) == b"x" * 200


@pytest.mark.parametrize("length", ["abc", "-1", "1e3", "²"])
def test_a_length_that_is_none_is_not_relied_on(length):
    with RudeServer(with_body(b"one", Content_Length=length)) as server:
        try:
            assert fetched(server.url) in (b"one", b"")
        except ReleaseError as error:
            assert str(error).endswith("; nothing was installed")


def test_an_answer_that_ends_early_is_an_error():
    with RudeServer(with_body(b"short", Content_Length=1000)) as server:
        with pytest.raises(ReleaseError, match="the connection ended after 5 of 1000 bytes|IncompleteRead"):
            fetched(server.url)


def redirecting(code, target):
    """A server whose first answer leads elsewhere."""
    asked = []

    def answer(server, connection):
        asked.append(connection.recv(65536).decode())
        if len(asked) == 1:
            connection.sendall(
                f"HTTP/1.1 {code} Go\r\nLocation: {target(server)}\r\nContent-Length: 0\r\n\r\n".encode()
            )
        else:
            connection.sendall(OK + b"\r\nhere")

    return RudeServer(answer), asked


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_are_followed_and_get_no_password(code):
    server, asked = redirecting(code, lambda server: f"{server.url}/there")
    with server:
        assert fetched(server.url.replace("//", "//user:p%40ss@") + "/tool?a=b") == b"here"
    assert asked[0].startswith("GET /tool?a=b ")
    assert f"Authorization: Basic {base64.b64encode(b'user:p@ss').decode()}" in asked[0]
    assert asked[1].startswith("GET /there ") and "Authorization" not in asked[1]


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://x/y", "data:text/plain,x"])
def test_redirects_elsewhere_are_refused(target):
    server, _asked = redirecting(302, lambda _server: target)
    with server, pytest.raises(ReleaseError, match="cannot be downloaded: .*; nothing was installed"):
        fetched(server.url)


def test_redirects_without_end_have_one(monkeypatch):
    def answer(server, connection):
        connection.recv(65536)
        connection.sendall(f"HTTP/1.1 302 Go\r\nLocation: {server.url}/again\r\nContent-Length: 0\r\n\r\n".encode())

    with RudeServer(answer) as server, pytest.raises(ReleaseError, match="cannot be downloaded"):
        fetched(server.url)


def test_the_password_of_a_url_is_not_shown():
    with RudeServer(lambda _server, connection: connection.sendall(b"HTTP/1.1 404 Gone\r\n\r\n")) as server:
        with pytest.raises(ReleaseError) as error:
            fetched(server.url.replace("//", "//user:s3cret@") + "/tool?token=t0ken")
    assert str(error.value) == f"{server.url}/tool cannot be downloaded: HTTP Error 404: Gone; nothing was installed"


def test_netrc_has_the_password_of_a_server(tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password mine\n")
    (tmp_path / ".netrc").chmod(0o600)
    asked = []

    def answer(_server, connection):
        asked.append(connection.recv(65536).decode())
        connection.sendall(OK + b"\r\none")

    with RudeServer(answer) as server:
        assert fetched(server.url) == b"one"
    assert f"Authorization: Basic {base64.b64encode(b'me:mine').decode()}" in asked[0]


def test_an_error_of_writing_keeps_its_meaning():
    def full(_chunk):
        raise OSError(28, "No space left on device")

    with RudeServer(with_body(b"one")) as server, pytest.raises(OSError, match="No space left"):
        fetcher(5)(server.url, full)


def test_nobody_listens():
    with pytest.raises(
        ReleaseError, match="http://127.0.0.1:1/tool cannot be downloaded: .*refused.*; nothing was inst"
    ):
        fetched("http://127.0.0.1:1/tool")
