# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that answers as no server should: slowly, without end, or with nonsense."""

from __future__ import annotations

import socket
import threading


class RudeServer:
    """Answers each connection on the loopback interface with a function of the open socket."""

    def __init__(self, answer):
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stopped = threading.Event()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_error):
        self._stopped.set()
        # Wakes accept(), which a close() alone does not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _accept(self):
        while not self._stopped.is_set():
            try:
                connection = self._listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            try:
                self._answer(self, connection)
            except OSError:
                # The client had enough.
                return

    def drip(self, connection, data, pause=0.05):
        """Send data byte by byte, again and again until the server stops."""
        while not self._stopped.is_set():
            for start in range(len(data)):
                connection.sendall(data[start : start + 1])
                if self._stopped.wait(pause):
                    return

    def repeat(self, connection, data):
        """Send data again and again, as fast as it goes."""
        while not self._stopped.is_set():
            connection.sendall(data)

    def hang(self):
        """Do nothing until the server stops."""
        self._stopped.wait()


def with_body(body, **headers):
    """The function that answers with a body and then closes the connection."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())

    def answer(_server, connection):
        connection.recv(65536)
        connection.sendall(f"HTTP/1.1 200 OK\r\n{lines}\r\n".encode() + body)

    return answer
