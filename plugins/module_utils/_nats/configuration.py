# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""nats-server's configuration: how the server reads values, and the file that is written for it. Pure functions."""

from __future__ import annotations

import json
import re
from typing import Any, Mapping

_SIZE = re.compile(r"(-?[0-9]{1,18})([a-zA-Z]*)\Z")
_POWERS = {"k": 1, "m": 2, "g": 3, "t": 4, "p": 5, "e": 6}


def parse_size(value: object) -> int:
    """Return the bytes that nats-server reads in a size: 3MB is 3 * 1024², but 3M is 3 * 1000².

    Raises ValueError for what the server refuses too, such as ``"3 MB"``, ``"3.5MB"`` or ``"10B"``.
    """
    match = _SIZE.match(str(value))
    if match:
        suffix = match.group(2).lower()
        if not suffix:
            return int(match.group(1))
        power = _POWERS.get(suffix[0])
        if power and suffix[1:] in ("", "b", "i", "ib"):
            factor: int = (1024 if suffix[1:] else 1000) ** power
            return int(match.group(1)) * factor
    raise ValueError(f"{value!r} is not a size: use a whole number with or without K, KB, M, MB, G, GB, T or TB")


class ConfigurationError(ValueError):
    """A setting that would not be what it looks like in the file; the text names it."""


def file_text(settings: Mapping[str, Any]) -> str:
    """Return the whole file of a server; ``settings`` are the role's inputs by their names."""
    return f"# Ansible managed\n{render(settings)}\n"


def render(settings: Mapping[str, Any]) -> str:
    """Return the configuration of a server; ``settings`` are the role's inputs by their names.

    Every text is quoted and every number is one, so that no value can begin a setting of its own.
    """
    client, monitor = _port(settings, "nats_client_port"), _port(settings, "nats_monitor_port")
    address = settings["cluster_address"]
    lines = [
        f"server_name: {_quoted(settings['nats_server_name'])}",
        f"listen: {_quoted(f'0.0.0.0:{client}')}",
        "# Without it a server tells clients every address it has, those of container bridges too.",
        f"client_advertise: {_quoted(f'{address}:{client}')}",
        f"http: {_quoted(f'0.0.0.0:{monitor}')}",
        f"pid_file: {_quoted(settings['nats_store_dir'] + '/nats-server.pid')}",
        "",
        f"max_payload: {_size(settings, 'nats_max_payload')}",
        f"max_pending: {_size(settings, 'nats_max_pending')}",
        f"write_deadline: {_quoted(settings['nats_write_deadline'])}",
        f"lame_duck_duration: {_quoted(settings['nats_lame_duck_duration'])}",
        "",
        "jetstream {",
        f"  store_dir: {_quoted(settings['nats_store_dir'])}",
        f"  max_memory_store: {_size(settings, 'nats_jetstream_max_memory')}",
        f"  max_file_store: {_size(settings, 'nats_jetstream_max_file')}",
        "}",
    ]
    return "\n".join(lines + _cluster(settings))


def _cluster(settings: Mapping[str, Any]) -> list[str]:
    """Return the lines about the other servers, none for a single one."""
    peers: Mapping[str, Any] = settings["nats_peers"]
    if len(peers) < 2:
        return []
    port = _port(settings, "nats_cluster_port")
    advertised = f"{settings['cluster_address']}:{port}"
    others = [address for name, address in sorted(peers.items(), key=_by_name) if name != settings["nats_server_name"]]
    return [
        "",
        "cluster {",
        f"  name: {_quoted(settings['nats_cluster_name'])}",
        f"  listen: {_quoted(f'0.0.0.0:{port}')}",
        f"  cluster_advertise: {_quoted(advertised)}",
        "  routes: [",
        *(f"    {_quoted(f'nats://{address}:{port}')}" for address in others),
        "  ]",
        "}",
    ]


def _by_name(peer: tuple[str, Any]) -> str:
    # As Jinja's dictsort, which sorted them first: another order would be another file.
    return peer[0].lower()


def _quoted(value: object) -> str:
    return json.dumps(str(value), ensure_ascii=False)


def _size(settings: Mapping[str, Any], name: str) -> str:
    try:
        parse_size(settings[name])
    except ValueError as error:
        raise ConfigurationError(f"{name}: {error}") from error
    return str(settings[name])


def _port(settings: Mapping[str, Any], name: str) -> int:
    text = str(settings[name])
    if not (text.isascii() and text.isdecimal() and len(text) < 6 and 0 < int(text) < 65536):
        raise ConfigurationError(f"{name}: {settings[name]!r} is not the number of a port")
    return int(text)
