# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The RPC client against sockets that misbehave."""

from __future__ import annotations

import contextlib
import gzip
import os
import shutil
import socket
import tempfile
import threading
import time

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor import rpc


@pytest.fixture
def path():
    # not pytest's tmp_path: the name of a unix socket must stay short
    folder = tempfile.mkdtemp()
    yield os.path.join(folder, "s.sock")
    shutil.rmtree(folder)


@pytest.fixture
def serve(path):
    """Answer requests with given bytes; None keeps silent, b"" hangs up."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(1)
    requests = []
    open_connections = []

    def start(answer):
        def work():
            while True:
                connection, _address = server.accept()
                open_connections.append(connection)
                request = b""
                while b"</methodCall>" not in request:
                    request += connection.recv(65536)
                requests.append(request)
                if answer is not None:
                    for part in [answer] if isinstance(answer, bytes) else answer:
                        connection.sendall(part)
                    connection.close()

        def until_closed():
            with contextlib.suppress(OSError):
                work()

        threading.Thread(target=until_closed, daemon=True).start()
        return requests

    yield start
    server.close()
    for connection in open_connections:
        connection.close()


def answer(body, status="200 OK"):
    return f"HTTP/1.1 {status}\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def test_no_socket_means_not_running(path):
    with pytest.raises(rpc.SupervisorDown, match="nothing listens on its socket"):
        rpc.Supervisor(path).processes()


def test_a_socket_that_was_left_behind_means_not_running(path):
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.close()
    with pytest.raises(rpc.SupervisorDown):
        rpc.Supervisor(path).processes()


def test_a_silent_supervisord_is_an_error_not_a_wait_for_ever(path, serve):
    serve(None)
    with pytest.raises(rpc.SupervisorError, match=r"did not answer getAllProcessInfo .* within 0\.2 s"):
        rpc.Supervisor(path, timeout=0.2).processes()


@pytest.mark.parametrize(
    "data", [b"", b"garbage\r\n\r\n", answer("<x/>"), answer("<methodResponse>"), answer("not xml")]
)
def test_an_unusable_answer_is_an_error(path, serve, data):
    serve(data)
    with pytest.raises(rpc.SupervisorError, match="no usable answer"):
        rpc.Supervisor(path, timeout=60).processes()


def drip(data, pause=0.05):
    """The parts of an answer that comes byte by byte and never ends."""
    while True:
        for byte in data:
            yield bytes([byte])
            time.sleep(pause)


def repeat(head, data):
    """The parts of an answer that never ends, as fast as they go."""
    yield head
    while True:
        yield data


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "parts",
    [
        drip(OK + b"X-Filler: a\r\n"),
        repeat(OK + b"Content-Length: 1000\r\n\r\n", b""),
        drip(OK + b"\r\n" + b" " * 10**6),
        repeat(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["header", "no body", "body", "continue"],
)
def test_a_supervisord_that_never_ends_is_left_after_the_timeout(path, serve, parts, monkeypatch):
    monkeypatch.setattr(rpc, "MAX_ANSWER", 10**12)
    serve(parts)
    begun = time.monotonic()
    with pytest.raises(rpc.SupervisorError, match=r"did not answer getAllProcessInfo .* within 0\.4 s"):
        rpc.Supervisor(path, timeout=0.4).processes()
    assert 0.3 < time.monotonic() - begun < 5


@pytest.mark.parametrize("status", [b"200 OK", b"500 Internal Server Error"])
def test_an_answer_without_end_is_cut_off(path, serve, monkeypatch, status):
    """Also the body of an error, which the library reads to throw it away."""
    monkeypatch.setattr(rpc, "MAX_ANSWER", 10**6)
    serve(repeat(b"HTTP/1.1 " + status + b"\r\nContent-Length: 900000000\r\n\r\n", b" " * 65536))
    with pytest.raises(rpc.SupervisorError, match="no usable answer .* more than 1000000 bytes came"):
        rpc.Supervisor(path, timeout=60).processes()


def test_a_packed_answer_is_not_unpacked(path, serve):
    """A few bytes could become any number."""
    body = gzip.compress(b"<methodResponse>" + b" " * 10**6)
    requests = serve(OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    with pytest.raises(rpc.SupervisorError, match="no usable answer"):
        rpc.Supervisor(path, timeout=60).processes()
    assert b"gzip" not in requests[0]


@pytest.mark.parametrize("value", ["<int>1</int>", "<array><data><value><int>1</int></value></data></array>"])
@pytest.mark.parametrize(
    "ask",
    [
        lambda supervisor: supervisor.processes(),
        lambda supervisor: supervisor.process("a"),
        lambda supervisor: supervisor.reload(),
        lambda supervisor: supervisor.start("a"),
        lambda supervisor: supervisor.log_tail("a", 10),
    ],
    ids=["processes", "process", "reload", "start", "log_tail"],
)
def test_an_answer_of_another_kind_is_an_error(path, serve, value, ask):
    serve(answer(f"<methodResponse><params><param><value>{value}</value></param></params></methodResponse>"))
    with pytest.raises(rpc.SupervisorError, match="^supervisord "):
        ask(rpc.Supervisor(path, timeout=60))


def test_a_refused_password_is_told(path, serve):
    requests = serve(answer("", "401 Unauthorized"))
    with pytest.raises(rpc.SupervisorError, match="refuses the username and password"):
        rpc.Supervisor(path, "user", "pass", timeout=60).processes()
    assert b"Authorization: Basic dXNlcjpwYXNz" in requests[0]


def test_another_http_status_is_told(path, serve):
    serve(answer("", "500 Internal Server Error"))
    with pytest.raises(rpc.SupervisorError, match="HTTP status 500"):
        rpc.Supervisor(path, timeout=60).processes()


def fault(code, text):
    return answer(
        "<?xml version='1.0'?><methodResponse><fault><value><struct>"
        f"<member><name>faultCode</name><value><int>{code}</int></value></member>"
        f"<member><name>faultString</name><value><string>{text}</string></value></member>"
        "</struct></value></fault></methodResponse>"
    )


def test_a_fault_keeps_its_number(path, serve):
    serve(fault(92, "CANT_REREAD: x"))
    with pytest.raises(rpc.SupervisorFault, match="CANT_REREAD: x") as error:
        rpc.Supervisor(path, timeout=60).reload()
    assert error.value.code == rpc.CANT_REREAD


def test_a_group_that_still_runs_is_no_error(path, serve):
    serve(fault(91, "STILL_RUNNING: x"))
    assert rpc.Supervisor(path, timeout=60).remove("x") is False


def test_a_group_that_is_gone_or_there_already_is_no_error(path, serve):
    serve(fault(10, "BAD_NAME: x"))
    assert rpc.Supervisor(path, timeout=60).remove("x") is True


def test_other_faults_are_errors(path, serve):
    serve(fault(6, "SHUTDOWN_STATE"))
    with pytest.raises(rpc.SupervisorFault) as error:
        rpc.Supervisor(path, timeout=60).add("x")
    assert error.value.code == rpc.SHUTDOWN_STATE


def test_names_are_those_of_supervisorctl():
    assert rpc.full_name({"name": "a", "group": "a"}) == "a"
    assert rpc.full_name({"name": "a", "group": "g"}) == "g:a"
