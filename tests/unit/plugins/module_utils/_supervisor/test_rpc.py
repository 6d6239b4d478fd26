# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The RPC client against sockets that misbehave."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
import threading

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
                    connection.sendall(answer)
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
