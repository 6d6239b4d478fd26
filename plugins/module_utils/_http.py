# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""One plain HTTP exchange of JSON with a server of the cluster, without proxies.

The questions that health checks ask stay inside the cluster, so the proxy of the environment, which is
there for downloads, must never see them.
"""

from __future__ import annotations

import http.client
import json
import ssl
from urllib.parse import urlsplit

MAX_ANSWER = 64 * 1024 * 1024
"""Bytes of an answer that are read at most: far more than the largest /jsz of a real cluster."""

_SCHEMES = {"http": "http", "ws": "http", "https": "https", "wss": "https"}


class HttpError(Exception):
    """No usable answer came; the text says why in one sentence."""


def split_url(url):
    """Return ``(scheme, host, port, path)`` of an http, https, ws or wss URL; ws becomes http, wss https."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise HttpError(f"{url!r} is no URL: {exc}") from exc
    scheme = _SCHEMES.get(parts.scheme)
    if scheme is None or not parts.hostname:
        raise HttpError(f"{url!r} is no URL of the form http://HOST:PORT or ws://HOST:PORT")
    return scheme, parts.hostname, port or (443 if scheme == "https" else 80), parts.path.rstrip("/")


class JsonClient:
    """A connection to one server that is kept open between questions."""

    def __init__(self, url, timeout):
        scheme, host, port, self._base = split_url(url)
        self.url = url
        if scheme == "https":
            context = ssl.create_default_context()
            self._connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
        else:
            self._connection = http.client.HTTPConnection(host, port, timeout=timeout)

    def close(self):
        """Close the connection."""
        self._connection.close()

    def ask(self, path, payload=None):
        """GET ``path``, or POST ``payload`` to it as JSON, and return ``(status, decoded JSON object)``."""
        body = None if payload is None else json.dumps(payload).encode()
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        where = self.url.rstrip("/") + path
        try:
            self._connection.request("GET" if body is None else "POST", (self._base + path) or "/", body, headers)
            response = self._connection.getresponse()
            raw = response.read(MAX_ANSWER + 1)
        except (OSError, http.client.HTTPException) as exc:
            self._connection.close()
            raise HttpError(f"{where} did not answer: {exc or type(exc).__name__}") from exc
        if len(raw) > MAX_ANSWER:
            self._connection.close()
            raise HttpError(f"{where} answered more than {MAX_ANSWER} bytes")
        try:
            answer = json.loads(raw.decode("utf-8"))
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise HttpError(f"{where} answered with status {response.status} and no JSON object")
        return response.status, answer
