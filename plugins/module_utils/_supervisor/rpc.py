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
import xmlrpc.client
from typing import Any, TypedDict
from xml.parsers.expat import ExpatError

SHUTDOWN_STATE = 6
BAD_NAME = 10
ALREADY_STARTED = 60
SUCCESS = 80
ALREADY_ADDED = 90
STILL_RUNNING = 91
CANT_REREAD = 92


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


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _Transport(xmlrpc.client.Transport):
    def __init__(self, path: str, timeout: float, headers: list[tuple[str, str]]) -> None:
        super().__init__(headers=headers)
        self._path = path
        self._timeout = timeout

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        # One connection per call: supervisord closes an idle one whenever it likes.
        return _Connection(self._path, self._timeout)


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
                    f"supervisord refuses the username and password of its configuration on {self.path}"
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
        except socket.timeout as error:
            raise SupervisorError(
                f"supervisord did not answer {method} on {self.path} within {self.timeout:g} s"
            ) from error
        except (OSError, http.client.HTTPException, xmlrpc.client.Error, ExpatError, ValueError) as error:
            raise SupervisorError(f"supervisord on {self.path} gave no usable answer to {method}: {error}") from error

    def processes(self) -> list[ProcessInfo]:
        """Return the state of every process."""
        found: list[ProcessInfo] = self.call("getAllProcessInfo")
        return found

    def reload(self) -> tuple[set[str], set[str]]:
        """Let supervisord read its files again, without applying anything; return the groups (changed, removed) now."""
        _added, changed, removed = self.call("reloadConfig")[0]
        return set(changed), set(removed)

    def stop(self, group: str) -> None:
        """Ask all running processes of a group to end, without waiting."""
        self._quietly(("stopProcessGroup", group, False), BAD_NAME)

    def start(self, group: str) -> dict[str, str]:
        """Start all processes of a group that do not run, without waiting; return ``{name: fault}`` of failures."""
        answers: list[Any] = self.call("startProcessGroup", group, False)
        return {
            full_name(answer): answer["description"]
            for answer in answers
            if answer["status"] not in (SUCCESS, ALREADY_STARTED)
        }

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
