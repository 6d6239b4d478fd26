# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""supervisord's XML-RPC interface over its unix socket, with typed errors. Standard library only."""

from __future__ import annotations

import base64
import http.client
import socket
import struct
import xmlrpc.client
from typing import Any, TypedDict
from xml.parsers.expat import ExpatError

from .._foreign import reads_foreign
from .._http import Clock, answers

SHUTDOWN_STATE = 6
BAD_NAME = 10
ALREADY_STARTED = 60
SUCCESS = 80
ALREADY_ADDED = 90
STILL_RUNNING = 91
CANT_REREAD = 92

MAX_ANSWER = 16 * 1024 * 1024
"""Bytes of an answer that are read at most: a few thousand times what supervisord says of a program."""


CONNECT_S = 5.0
"""Seconds in which a socket of this machine must take a connection."""

_TEXTS = ("name", "group", "statename", "spawnerr", "stdout_logfile")
_NUMBERS = ("pid", "start", "now", "exitstatus")
_MAX_WORDS = 300


class ProcessInfo(TypedDict):
    """What ``getAllProcessInfo`` says of a process, as far as it is used here."""

    name: str
    group: str
    statename: str
    pid: int
    start: int
    now: int
    exitstatus: int
    spawnerr: str
    stdout_logfile: str


class SupervisorError(Exception):
    """supervisord cannot be asked, or gave no usable answer."""


class SupervisorDown(SupervisorError):
    """No supervisord listens on the socket."""


class SupervisorFault(SupervisorError):
    """supervisord refused a call; ``code`` is one of the constants of this module."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def absent(name: str, group: str) -> ProcessInfo:
    """Return what stands for a process that supervisord does not have."""
    return {
        "name": name,
        "group": group,
        "statename": "ABSENT",
        "pid": 0,
        "start": 0,
        "now": 0,
        "exitstatus": 0,
        "spawnerr": "",
        "stdout_logfile": "",
    }


def full_name(info: ProcessInfo) -> str:
    """Return a process's name as supervisorctl prints it."""
    return info["name"] if info["name"] == info["group"] else f"{info['group']}:{info['name']}"


def listening_user(path: str) -> int | None:
    """Return the user that listens on a socket, None where that cannot be told."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(CONNECT_S)
        try:
            client.connect(path)
            answer = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        except OSError:
            return None
    user: int = struct.unpack("3i", answer)[1]
    return user


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str, clock: Clock) -> None:
        super().__init__("localhost", timeout=clock.left())
        self._path = path
        self.response_class = answers(clock)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _Transport(xmlrpc.client.Transport):
    # What is packed can be any length once it is unpacked.
    accept_gzip_encoding = False

    def __init__(self, path: str, timeout: float, headers: list[tuple[str, str]]) -> None:
        super().__init__(headers=headers)
        self._path = path
        self._timeout = timeout
        self._clock = Clock(timeout, MAX_ANSWER)

    def request(self, host: Any, handler: str, request_body: Any, verbose: Any = False) -> Any:
        # One clock for the call, with the second attempt that the library makes where the first one is hung up on.
        self._clock = Clock(self._timeout, MAX_ANSWER)
        return super().request(host, handler, request_body, verbose)

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        # One connection per call: supervisord closes an idle one whenever it likes.
        return _Connection(self._path, self._clock)

    def parse_response(self, response: Any) -> Any:
        return parse_answer(response.read(MAX_ANSWER))


@reads_foreign
def parse_answer(raw: bytes) -> Any:
    """Return what an answer holds; raise an error of the XML-RPC library where it holds a fault, or is no answer."""
    parser, unmarshaller = xmlrpc.client.getparser()
    try:
        parser.feed(raw)
        parser.close()
        return unmarshaller.close()
    except (ArithmeticError, AttributeError, ExpatError, LookupError, TypeError, ValueError) as error:
        words = str(error) or type(error).__name__
        raise xmlrpc.client.ResponseError(f"it is no answer: {words[:_MAX_WORDS]}") from error


@reads_foreign
def process_info(value: Any) -> ProcessInfo:
    """Return what supervisord says of a process; raise SupervisorError where it is of another kind."""
    if not _is_process(value):
        raise SupervisorError("supervisord says nothing of a process that could be understood")
    info: ProcessInfo = value
    return info


@reads_foreign
def reread(value: object) -> tuple[set[str], set[str]]:
    """Return the groups that an answer to ``reloadConfig`` calls changed and removed."""
    groups = value[0] if isinstance(value, list) and len(value) == 1 else None
    if not isinstance(groups, list) or len(groups) != 3 or not all(map(_are_texts, groups)):
        raise SupervisorError("supervisord does not say what changed in its files")
    return set(groups[1]), set(groups[2])


@reads_foreign
def failed_starts(value: object) -> dict[str, str]:
    """Return ``{name: fault}`` of the failures in an answer to ``startProcessGroup``."""
    if not isinstance(value, list) or not all(_is_start(answer) for answer in value):
        raise SupervisorError("supervisord does not say what it started")
    return {
        full_name(answer): answer["description"]
        for answer in value
        if answer["status"] not in (SUCCESS, ALREADY_STARTED)
    }


@reads_foreign
def tail(value: object) -> str:
    """Return the text in an answer to ``tailProcessStdoutLog``."""
    text = value[0] if isinstance(value, list) and value else None
    if not isinstance(text, str):
        raise SupervisorError("supervisord does not show the end of a log")
    return text


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_number(value: object) -> bool:
    # Python counts true and false as numbers.
    return isinstance(value, int) and not isinstance(value, bool)


def _is_process(value: object) -> bool:
    return (
        isinstance(value, dict)
        and all(isinstance(value.get(key), str) for key in _TEXTS)
        and all(_is_number(value.get(key)) for key in _NUMBERS)
    )


def _is_start(value: object) -> bool:
    return (
        isinstance(value, dict)
        and all(isinstance(value.get(key), str) for key in ("name", "group", "description"))
        and _is_number(value.get("status"))
    )


class Supervisor:
    """The calls that the modules need."""

    def __init__(
        self, path: str, username: str | None = None, password: str | None = None, timeout: float = 30.0
    ) -> None:
        headers = []
        if username:
            credentials = f"{username}:{password or ''}"
            headers.append(("Authorization", "Basic " + base64.b64encode(credentials.encode("utf-8")).decode("ascii")))
        self.path = path
        self.timeout = timeout
        self._proxy = xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=_Transport(path, timeout, headers))

    def call(self, method: str, *arguments: Any) -> Any:
        """Call ``supervisor.<method>`` and map every failure to a :class:`SupervisorError`."""
        try:
            return getattr(self._proxy.supervisor, method)(*arguments)
        except xmlrpc.client.Fault as error:
            raise SupervisorFault(error.faultCode, error.faultString) from error
        except xmlrpc.client.ProtocolError as error:
            if error.errcode == 401:
                raise SupervisorError(
                    f"supervisord refuses the username and password of its configuration on {self.path}: it keeps "
                    "those that it was started with, so restart its service if they were changed since"
                ) from error
            raise SupervisorError(
                f"supervisord answered {method} with HTTP status {error.errcode} {error.errmsg}"
            ) from error
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise SupervisorDown(f"supervisord is not running: nothing listens on its socket {self.path}") from error
        except PermissionError as error:
            raise SupervisorError(
                f"no permission to use supervisord's socket {self.path}: run this task with become"
            ) from error
        except (socket.timeout, TimeoutError) as error:
            raise SupervisorError(
                f"supervisord did not answer {method} on {self.path} within {self.timeout:g} s"
            ) from error
        except (OSError, http.client.HTTPException, xmlrpc.client.Error, ExpatError, ValueError) as error:
            raise SupervisorError(f"supervisord on {self.path} gave no usable answer to {method}: {error}") from error

    def processes(self) -> list[ProcessInfo]:
        """Return the state of every process."""
        found = self.call("getAllProcessInfo")
        if not isinstance(found, list):
            raise SupervisorError("supervisord does not say what processes it has")
        return [process_info(value) for value in found]

    def process(self, name: str) -> ProcessInfo:
        """Return the state of a process."""
        return process_info(self.call("getProcessInfo", name))

    def log_tail(self, name: str, size: int) -> str:
        """Return the end of what a process has written."""
        return tail(self.call("tailProcessStdoutLog", name, 0, size))

    def reload(self) -> tuple[set[str], set[str]]:
        """Let supervisord read its files again, without applying anything; return the groups (changed, removed) now."""
        return reread(self.call("reloadConfig"))

    def stop(self, group: str) -> None:
        """Ask all running processes of a group to end, without waiting."""
        self._quietly(("stopProcessGroup", group, False), BAD_NAME)

    def start(self, group: str) -> dict[str, str]:
        """Start all processes of a group that do not run, without waiting; return ``{name: fault}`` of failures."""
        return failed_starts(self.call("startProcessGroup", group, False))

    def add(self, group: str) -> None:
        """Take a group over from the configuration as it was last read."""
        self._quietly(("addProcessGroup", group), ALREADY_ADDED)

    def remove(self, group: str) -> bool:
        """Drop a stopped group. Return False when one of its processes still runs."""
        try:
            self._quietly(("removeProcessGroup", group), BAD_NAME)
        except SupervisorFault as error:
            if error.code == STILL_RUNNING:
                return False
            raise
        return True

    def _quietly(self, call: tuple[Any, ...], *expected: int) -> None:
        try:
            self.call(*call)
        except SupervisorFault as error:
            if error.code not in expected:
                raise
