# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command lines: exactly the documented ones; any other is refused with usage on stderr and status 2."""

from __future__ import annotations

import argparse
import hashlib
import re
from urllib.parse import urlsplit

from . import VERSION, chain

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_ITEM_TYPES = ["split-parity-piece"]


class _Once(argparse.Action):
    """Store a value; a second occurrence is refused, as by the real parser."""

    def __call__(self, parser, namespace, values, option_string=None):
        seen = namespace.__dict__.setdefault("_seen", set())
        if self.dest in seen:
            parser.error(f"the argument '{option_string}' cannot be used multiple times")
        seen.add(self.dest)
        setattr(namespace, self.dest, True if self.nargs == 0 else values)


def _parser(factory=argparse.ArgumentParser, *args, **kwargs):
    return factory(*args, allow_abbrev=False, **kwargs)


def _value(parser, name: str, **kwargs) -> None:
    parser.add_argument(name, action=_Once, **kwargs)


def _flag(parser, name: str) -> None:
    parser.add_argument(name, action=_Once, nargs=0, default=False)


def _type(name: str):
    """Name a conversion, so that argparse's message is readable."""

    def decorate(function):
        function.__name__ = name
        return function

    return decorate


@_type("NATS URL (nats://address:port)")
def nats_url(text: str) -> str:
    """Check a NATS URL."""
    parts = urlsplit(text)
    if parts.scheme != "nats" or not parts.hostname or parts.path or parts.port == 0:
        raise ValueError(text)
    return text


@_type("WebSocket URL (ws://address:port)")
def ws_url(text: str) -> str:
    """Check a URL of a node's RPC."""
    parts = urlsplit(text)
    if parts.scheme not in ("ws", "wss") or not parts.hostname or parts.port == 0:
        raise ValueError(text)
    return text


@_type("HTTP URL")
def http_url(text: str) -> str:
    """Check a URL of an exporter."""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(text)
    return text


@_type("socket address (address:port)")
def socket_address(text: str) -> tuple:
    """Split address:port."""
    found = re.fullmatch(r"(\d+\.\d+\.\d+\.\d+|\[[0-9a-fA-F:]+\]):(\d+)", text)
    if not found or int(found.group(2)) > 65535:
        raise ValueError(text)
    return found.group(1).strip("[]"), int(found.group(2))


@_type("port")
def port(text: str) -> int:
    """Check a port number."""
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise ValueError(text)
    return int(text)


@_type("number above zero")
def positive(text: str) -> int:
    """Check a number above zero."""
    if not text.isdigit() or int(text) < 1:
        raise ValueError(text)
    return int(text)


@_type("number of seconds")
def seconds(text: str) -> int:
    """Check a number of seconds."""
    if not text.isdigit():
        raise ValueError(text)
    return int(text)


@_type("pruning mode (archive, archive-canonical or a number)")
def pruning(text: str) -> str:
    """Check a pruning mode."""
    if text not in ("archive", "archive-canonical") and not text.isdigit():
        raise ValueError(text)
    return text


@_type("cache (path=PATH)")
def cache_path(text: str) -> str:
    """Return the path of path=PATH."""
    key, _equals, path = text.partition("=")
    if key != "path" or not path or "," in path:
        raise ValueError(text)
    return path


@_type("farm (path=PATH,sectors=N)")
def farm(text: str) -> tuple:
    """Return path and number of sectors of path=PATH,sectors=N."""
    found = re.fullmatch(r"path=([^,]+),sectors=([0-9]+)", text)
    if not found or not 1 <= int(found.group(2)) <= chain.MAX_SECTORS:
        raise ValueError(text)
    return found.group(1), int(found.group(2))


@_type("reward address (ss58)")
def reward_address(text: str) -> str:
    """Check an ss58 address with its checksum."""
    number = 0
    for character in text:
        number = number * 58 + _BASE58.index(character)
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    raw = b"\0" * (len(text) - len(text.lstrip("1"))) + raw
    prefix_length = 2 if raw[:1] >= b"\x40" else 1
    body, checksum = raw[:-2], raw[-2:]
    if len(body) != prefix_length + 32 or hashlib.blake2b(b"SS58PRE" + body).digest()[:2] != checksum:
        raise ValueError(text)
    return text


def _program(name: str):
    parser = _parser(prog=name)
    parser.add_argument("--version", action="version", version=f"{name} {VERSION}")
    return parser


def node_parser():
    """Return the parser of autonomys-node."""
    parser = _program("autonomys-node")
    run = _parser(parser.add_subparsers(dest="command", required=True).add_parser, "run")
    _value(run, "--base-path", required=True)
    _flag(run, "--farmer")
    _value(run, "--rpc-listen-on", type=socket_address, default=("127.0.0.1", 9944))
    _value(run, "--chain", choices=sorted(chain.CHAINS), required=True)
    _value(run, "--sync", choices=["full", "snap"], default="snap")
    _value(run, "--rpc-methods", choices=["auto", "safe", "unsafe"], default="auto")
    _value(run, "--rpc-cors")
    _value(run, "--rpc-max-connections", type=positive, default=100)
    _value(run, "--blocks-pruning", type=pruning)
    _value(run, "--state-pruning", type=pruning)
    return parser


def export_piece_parser():
    """Return the parser of autonomys-export-piece."""
    return _program("autonomys-export-piece")


def farmer_parser():
    """Return the parser of autonomys-farmer."""
    parser = _program("autonomys-farmer")
    commands = parser.add_subparsers(dest="command", required=True)
    cluster = _parser(commands.add_parser, "cluster")
    cluster.add_argument("--nats-server", dest="nats_servers", action="append", type=nats_url, required=True)
    _add_components(cluster.add_subparsers(dest="component", required=True).add_parser)
    util = _parser(commands.add_parser, "util")
    _add_utilities(util.add_subparsers(dest="component", required=True).add_parser)
    return parser


def _add_components(add) -> None:
    controller = _parser(add, "controller")
    _flag(controller, "--tmp")
    _flag(controller, "--retain-metadata")
    _value(controller, "--node-rpc-url", type=ws_url, default="ws://127.0.0.1:9944")

    proof_server = _parser(add, "proof-server")
    _value(proof_server, "--exporter-endpoint", type=http_url)
    _value(proof_server, "--exporter-internal", type=positive, default=10)
    _value(proof_server, "--proof-label", default="proof-server")

    sharded = _parser(add, "sharded-cache")
    _flag(sharded, "--mem-cache")
    sharded.add_argument("paths", nargs="+", type=cache_path, metavar="path=PATH")

    full = _parser(add, "full-piece-sharded-cache")
    _flag(full, "--tmp")
    _flag(full, "--visible")
    full.add_argument("paths", nargs="+", type=cache_path, metavar="path=PATH")

    plot_server = _parser(add, "plot-server")
    _flag(plot_server, "--priority-cache")
    _value(plot_server, "--listen-port", type=port, required=True)
    _value(plot_server, "--record-encoding-concurrency", type=positive)
    plot_server.add_argument("base_path", metavar="BASE_PATH")

    plot_client = _parser(add, "plot-client")
    _value(plot_client, "--reward-address", type=reward_address, required=True)
    _value(plot_client, "--endpoint", type=http_url)
    _value(plot_client, "--internal", type=positive, default=10)
    _value(plot_client, "--farmer-label", default="plot-client")
    plot_client.add_argument("farms", nargs="+", type=farm, metavar="path=PATH,sectors=N")


def _add_utilities(add) -> None:
    # The utilities spell the option in three ways; so do the real ones.
    def servers(parser, name):
        parser.add_argument(name, dest="nats_servers", action="append", type=nats_url, required=True)

    reinitialize = _parser(add, "reinitialization-cache")
    servers(reinitialize, "--nats-servers")
    _value(reinitialize, "--delay", type=seconds, required=True)

    benchmark = _parser(add, "sharded-cache-benchmark")
    servers(benchmark, "--nats-servers")
    _value(benchmark, "--sectors", type=positive, required=True)
    _value(benchmark, "--epoch", type=positive, required=True)
    _value(benchmark, "--cache-item-type", choices=_ITEM_TYPES, required=True)

    servers(_parser(add, "verify-piece"), "--nats-server")
