# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Downloads by http and https, through a proxy where there is one, and never without end."""

from __future__ import annotations

import base64
import http.client
import netrc
import ssl
import urllib.error
import urllib.request
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from .._http import Pace, answers, shown_url
from .install import Fetch, Write
from .request import ReleaseError

LEAST = 64 * 1024
"""Bytes that must come in each time-out: less is a server that holds the run, not one that serves."""

_CHUNK = 1024 * 1024
_MAX_WORDS = 300


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, 308 too, which Python knows since 3.11 only."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """Return the next request; what is not http or https is refused."""
        if urlsplit(newurl).scheme not in ("http", "https"):
            raise urllib.error.URLError(f"it redirects to {shown_url(newurl)}")
        return super().redirect_request(req, fp, 301 if code == 308 else code, msg, headers, newurl)

    http_error_308 = urllib.request.HTTPRedirectHandler.http_error_302


class _Http(urllib.request.HTTPHandler):
    """Opens plain connections, with a clock around what is read."""

    def __init__(self, pace: Pace) -> None:
        super().__init__()
        self._pace = pace

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Return the answer to a request."""

        def connection(host: str, **options: Any) -> http.client.HTTPConnection:
            options["timeout"] = self._pace.left()
            made = http.client.HTTPConnection(host, **options)
            made.response_class = answers(self._pace)
            return made

        return self.do_open(connection, req)


class _Https(urllib.request.HTTPSHandler):
    """Opens TLS connections, with a clock around what is read."""

    def __init__(self, pace: Pace) -> None:
        super().__init__()
        self._pace = pace

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Return the answer to a request."""

        def connection(host: str, **options: Any) -> http.client.HTTPConnection:
            options["timeout"] = self._pace.left()
            made = http.client.HTTPSConnection(host, context=ssl.create_default_context(), **options)
            made.response_class = answers(self._pace)
            return made

        return self.do_open(connection, req)


def fetcher(timeout: float, proxy: str | None = None) -> Fetch:
    """Return ``fetch(url, write)``, which streams a source; without ``proxy`` the environment says which one is used.

    An answer must begin within ``timeout`` seconds, redirects included, and then `LEAST` bytes must come in each.
    """

    def fetch(url: str, write: Write) -> None:
        pace = Pace(timeout, LEAST)
        opener = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.ProxyHandler({"http": proxy, "https": proxy} if proxy else None),
            _Http(pace),
            _Https(pace),
            _Redirects(),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
            urllib.request.UnknownHandler(),
        ):
            opener.add_handler(handler)
        _stream(opener, url, timeout, pace, write)

    return fetch


def _stream(opener: urllib.request.OpenerDirector, url: str, timeout: float, pace: Pace, write: Write) -> None:
    """Write what an URL answers; errors of writing keep their meaning."""
    size = 0
    try:
        response = opener.open(_request(url), timeout=timeout)
        promised = _length(response.headers.get("Content-Length"))
        pace.begin()
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise _failed(url, error) from error
    with response:
        while True:
            try:
                chunk = response.read(_CHUNK)
            except (OSError, ValueError, http.client.HTTPException) as error:
                raise _failed(url, error) from error
            if not chunk:
                break
            size += len(chunk)
            write(chunk)
    if promised is not None and size != promised:
        raise _failed(url, f"the connection ended after {size} of {promised} bytes")


def _length(header: str | None) -> int | None:
    """Return the length that a server promises, None when it promises none that is a number."""
    text = (header or "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else None


def _failed(url: str, error: object) -> ReleaseError:
    words = str(error) or type(error).__name__
    return ReleaseError(f"{shown_url(url)} cannot be downloaded: {words[:_MAX_WORDS]}; nothing was installed")


def _request(url: str) -> urllib.request.Request:
    """Return the request for a URL. Name and password, of it or of ~/.netrc, are for its server, not for redirects."""
    parts = urlsplit(url)
    where = parts.netloc.rpartition("@")[2]
    request = urllib.request.Request(parts._replace(netloc=where).geturl(), headers={"User-Agent": "autonomys.cluster"})
    name, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not name and not password:
        name, password = _from_netrc(parts.hostname or "")
    if name or password:
        token = base64.b64encode(f"{name}:{password}".encode()).decode("ascii")
        request.add_unredirected_header("Authorization", f"Basic {token}")
    return request


def _from_netrc(host: str) -> tuple[str, str]:
    try:
        found = netrc.netrc().authenticators(host)
    except (OSError, netrc.NetrcParseError):
        return "", ""
    return (found[0], found[2] or "") if found else ("", "")
