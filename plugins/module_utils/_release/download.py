# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Downloads by http and https, through a proxy where there is one."""

from __future__ import annotations

import base64
import http.client
import netrc
import urllib.error
import urllib.request
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from .install import Fetch, Write
from .request import ReleaseError

_CHUNK = 1024 * 1024


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, 308 too, which Python knows since 3.11 only."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """Return the next request; what is not http or https is refused."""
        if urlsplit(newurl).scheme not in ("http", "https"):
            raise urllib.error.URLError(f"it redirects to {newurl}")
        return super().redirect_request(req, fp, 301 if code == 308 else code, msg, headers, newurl)

    http_error_308 = urllib.request.HTTPRedirectHandler.http_error_302


def fetcher(timeout: float, proxy: str | None = None) -> Fetch:
    """Return ``fetch(url, write)``, which streams a source; without ``proxy`` the environment says which one is used."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler({"http": proxy, "https": proxy} if proxy else None),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        _Redirects(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)

    def fetch(url: str, write: Write) -> None:
        _stream(opener, url, timeout, write)

    return fetch


def _stream(opener: urllib.request.OpenerDirector, url: str, timeout: float, write: Write) -> None:
    size, promised = 0, None
    try:
        with opener.open(_request(url), timeout=timeout) as response:
            promised = response.headers.get("Content-Length")
            for chunk in iter(lambda: response.read(_CHUNK), b""):
                size += len(chunk)
                write(chunk)
    except ReleaseError:
        raise
    except (OSError, ValueError, http.client.HTTPException) as error:
        if isinstance(error, OSError) and error.errno is not None and not hasattr(error, "reason"):
            # Written to disk in the same loop: the disk's own errors keep their meaning.
            raise
        raise ReleaseError(f"{url} cannot be downloaded: {error}; nothing was installed") from error
    if promised is not None and size != int(promised):
        raise ReleaseError(
            f"{url} cannot be downloaded: the connection ended after {size} of {promised} bytes; nothing was installed"
        )


def _request(url: str) -> urllib.request.Request:
    """Return the request for a URL. Name and password, of the URL or of ~/.netrc, are for its server, not for redirects."""
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
