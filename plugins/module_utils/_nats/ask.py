# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Asking a NATS server for its state, and the leaders of its raft groups for theirs."""

from __future__ import annotations

from typing import Any, Mapping, Sequence
from urllib.parse import urlsplit

from .._http import Clock, HttpError, JsonClient, shown_url
from .._kinds import KindError, text
from .monitor import JSZ, PATHS, Nats, raft_groups, reading, routed_peers, unreachable
from .quorum import Groups, Thresholds, Views, leaders_to_ask

MAX_QUESTIONS = 10
"""Time-outs of one question after which no other leader is asked."""


def ask_server(
    url: str,
    peers: Sequence[str] | None,
    peer_urls: Mapping[str, str],
    timeout: float,
    thresholds: Thresholds | None = None,
) -> Nats:
    """Return the state of a server; ``timeout`` is for each question, and ten times as long for all together.

    ``peers`` are the names of all configured servers, ``peer_urls`` where they are asked.
    """
    end = Clock(timeout * MAX_QUESTIONS)
    answers: dict[str, dict[str, Any]] = {}
    try:
        client = JsonClient(url, timeout)
    except HttpError as error:
        return unreachable(str(error))
    failed = None
    try:
        for key, path in PATHS.items():
            answers[key] = client.ask(path)[1]
            if not isinstance(answers["varz"].get("server_name"), str):
                return unreachable(f"{shown_url(url)} is not the monitoring port of a NATS server")
    except HttpError as error:
        failed = str(error)
    finally:
        client.close()
    try:
        views = {} if failed else _leaders_views(answers, url, peers, peer_urls, timeout, end)
        return reading(answers, peers, views, thresholds, error=failed)
    except KindError as error:
        return unreachable(f"{shown_url(url)} is not the monitoring port of a NATS server: {error}")


def _leaders_views(
    answers: Mapping[str, dict[str, Any]],
    url: str,
    peers: Sequence[str] | None,
    peer_urls: Mapping[str, str],
    timeout: float,
    end: Clock,
) -> Views:
    """Return what the leaders of a server's raft groups say of these."""
    name = answers["varz"]["server_name"]
    addresses = routed_peers(answers["routez"])
    views: dict[str, Groups | str] = {}
    for leader in leaders_to_ask(raft_groups(answers["jsz"]), name):
        if peers and leader not in peers:
            views[leader] = "it is not one of the configured servers"
            continue
        try:
            end.left()
        except TimeoutError:
            views[leader] = "there was no time left to ask it"
            continue
        views[leader] = ask_leader(_peer_url(leader, url, peer_urls, addresses), timeout)
    return views


def _peer_url(name: str, url: str, peer_urls: Mapping[str, str], addresses: Mapping[str, str | None]) -> str | None:
    """Return the URL of a peer's monitoring port, or None when neither the inventory nor a route tells it."""
    if name in peer_urls:
        return peer_urls[name]
    address = addresses.get(name)
    return url_at(url, address) if address else None


def url_at(url: str, address: str) -> str:
    """Return the URL of the same port at another address."""
    parts = urlsplit(url)
    host = f"[{address}]" if ":" in address else address
    return f"{parts.scheme}://{host}:{parts.port}" if parts.port else f"{parts.scheme}://{host}"


def ask_leader(url: str | None, timeout: float) -> Groups | str:
    """Return the raft groups of another server, or the reason why it could not be asked."""
    if url is None:
        return "there is no route to it"
    try:
        client = JsonClient(url, timeout)
        try:
            return raft_groups(client.ask(JSZ)[1])
        finally:
            client.close()
    except (HttpError, KindError) as error:
        return str(error)


def config_load_time(url: str, timeout: float = 5.0) -> str | None:
    """Return when a server read its configuration, in its own notation; None when it does not answer."""
    try:
        client = JsonClient(url, timeout)
        try:
            return text(client.ask(PATHS["varz"])[1], "config_load_time")
        finally:
            client.close()
    except (HttpError, KindError):
        return None
