# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fakes take the documented command lines and no other."""

from __future__ import annotations

import hashlib

import pytest
from autonomys_fakes import cli

NATS = ["--nats-server", "nats://192.168.1.1:4222", "--nats-server", "nats://192.168.1.2:4222"]
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def ss58(key: bytes, prefix: bytes) -> str:
    """Encode a public key."""
    body = prefix + key
    number = int.from_bytes(body + hashlib.blake2b(b"SS58PRE" + body).digest()[:2], "big")
    text = ""
    while number:
        number, digit = divmod(number, 58)
        text = ALPHABET[digit] + text
    return text


AUTONOMYS = ss58(bytes(range(32)), b"\x73\x97")  # the two-byte prefix 6094, whose addresses begin with st
SUBSTRATE = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"

FARMER_ACCEPTED = [
    ["cluster", *NATS, "controller", "--tmp", "--node-rpc-url", "ws://10.30.1.2:9944"],
    ["cluster", *NATS, "controller", "--retain-metadata", "--node-rpc-url=ws://10.30.1.2:9944"],
    ["cluster", *NATS, "proof-server"],
    [
        *("cluster", *NATS, "proof-server", "--exporter-endpoint", "http://10.0.0.9:9091"),
        *("--exporter-internal", "10", "--proof-label", "node-1"),
    ],
    ["cluster", *NATS, "sharded-cache", "path=/var/autonomys-sharded-cache"],
    ["cluster", *NATS, "sharded-cache", "--mem-cache", "path=/var/autonomys-sharded-cache"],
    ["cluster", *NATS, "full-piece-sharded-cache", "--tmp", "path=/var/autonomys-full-piece"],
    ["cluster", *NATS, "full-piece-sharded-cache", "--visible", "path=/var/autonomys-full-piece"],
    ["cluster", *NATS, "plot-server", "--priority-cache", "--listen-port", "9966", "/var/plot-server/base-path-0"],
    ["cluster", *NATS, "plot-server", "--record-encoding-concurrency", "32", "--listen-port", "9966", "/var/x"],
    ["cluster", *NATS, "plot-client", "--reward-address", AUTONOMYS, "path=/mnt/nvme0n1/,sectors=8000"],
    [
        *("cluster", *NATS, "plot-client", "--reward-address", SUBSTRATE, "path=/a,sectors=1", "path=/b,sectors=2"),
        *("--endpoint", "http://10.0.0.9:9091", "--internal", "15", "--farmer-label", "storage-1"),
    ],
    ["util", "reinitialization-cache", "--nats-servers", "nats://192.168.200.6:4222", "--delay", "0"],
    [
        *("util", "sharded-cache-benchmark", "--nats-servers", "nats://192.168.0.2:4222", "--sectors", "256"),
        *("--epoch", "1", "--cache-item-type", "split-parity-piece"),
    ],
    ["util", "verify-piece", "--nats-server", "nats://192.168.0.2:4222"],
]

FARMER_REFUSED = {
    "nothing": [],
    "no component": ["cluster", *NATS],
    "no NATS": ["cluster", "proof-server"],
    "NATS after the component": ["cluster", "proof-server", *NATS],
    "address without scheme": ["cluster", "--nats-server", "192.168.1.1:4222", "proof-server"],
    "abbreviation": ["cluster", "--nats-serv", "nats://1.1.1.1:4222", "proof-server"],
    "unknown flag": ["cluster", *NATS, "controller", "--base-path", "/x"],
    "flag given twice": ["cluster", *NATS, "controller", "--tmp", "--tmp"],
    "value given twice": ["cluster", *NATS, "plot-server", "--listen-port", "1", "--listen-port", "2", "/x"],
    "node by http": ["cluster", *NATS, "controller", "--node-rpc-url", "http://10.30.1.2:9944"],
    "cache with size": ["cluster", *NATS, "sharded-cache", "path=/x,size=1GB"],
    "cache without path": ["cluster", *NATS, "sharded-cache", "/x"],
    "full piece with memory": ["cluster", *NATS, "full-piece-sharded-cache", "--mem-cache", "path=/x"],
    "no listen port": ["cluster", *NATS, "plot-server", "/x"],
    "port 0": ["cluster", *NATS, "plot-server", "--listen-port", "0", "/x"],
    "no base path": ["cluster", *NATS, "plot-server", "--listen-port", "9966"],
    "no farm": ["cluster", *NATS, "plot-client", "--reward-address", SUBSTRATE],
    "no reward address": ["cluster", *NATS, "plot-client", "path=/a,sectors=1"],
    "reward address shortened": ["cluster", *NATS, "plot-client", "--reward-address", "stBR..S8V", "path=/a,sectors=1"],
    "reward address mistyped": [
        "cluster",
        *NATS,
        "plot-client",
        "--reward-address",
        "5H" + SUBSTRATE[2:],
        "path=/a,sectors=1",
    ],
    "farm by size": ["cluster", *NATS, "plot-client", "--reward-address", SUBSTRATE, "path=/a,size=1TB"],
    "no sectors": ["cluster", *NATS, "plot-client", "--reward-address", SUBSTRATE, "path=/a,sectors=0"],
    "too many sectors": ["cluster", *NATS, "plot-client", "--reward-address", SUBSTRATE, "path=/a,sectors=65535"],
    "singular for a plural": ["util", "reinitialization-cache", "--nats-server", "nats://1.1.1.1:4222", "--delay", "0"],
    "plural for a singular": ["util", "verify-piece", "--nats-servers", "nats://1.1.1.1:4222"],
    "item type": [
        *("util", "sharded-cache-benchmark", "--nats-servers", "nats://1.1.1.1:4222", "--sectors", "1"),
        *("--epoch", "1", "--cache-item-type", "piece"),
    ],
}

NODE = ["run", "--base-path", "/var/autonomys-node", "--chain", "taurus"]
NODE_ACCEPTED = [
    [
        *(*NODE, "--farmer", "--rpc-listen-on", "0.0.0.0:9944", "--sync", "full"),
        *("--rpc-methods", "unsafe", "--rpc-cors", "all"),
    ],
    [*NODE, "--blocks-pruning", "archive", "--state-pruning", "archive", "--rpc-max-connections", "200"],
    [*NODE, "--blocks-pruning=archive-canonical", "--state-pruning=256"],
]
NODE_REFUSED = {
    "no chain": ["run", "--base-path", "/x"],
    "no run": ["--base-path", "/x", "--chain", "mainnet"],
    "unknown chain": ["run", "--base-path", "/x", "--chain", "gemini-3h"],
    "unknown sync": [*NODE, "--sync", "fast"],
    "listen without port": [*NODE, "--rpc-listen-on", "0.0.0.0"],
    "old flag": [*NODE, "--rpc-port", "9944"],
    "pruning": [*NODE, "--state-pruning", "all"],
}


@pytest.mark.parametrize("line", FARMER_ACCEPTED, ids=lambda line: " ".join(line[-4:]))
def test_farmer_takes_documented_lines(line):
    assert cli.farmer_parser().parse_args(line).component in line


@pytest.mark.parametrize("line", FARMER_REFUSED.values(), ids=FARMER_REFUSED)
def test_farmer_refuses_any_other(line, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.farmer_parser().parse_args(line)
    assert ended.value.code == 2
    assert "usage: autonomys-farmer" in capsys.readouterr().err


@pytest.mark.parametrize("line", NODE_ACCEPTED, ids=lambda line: " ".join(line[-4:]))
def test_node_takes_documented_lines(line):
    assert cli.node_parser().parse_args(line).chain == "taurus"


@pytest.mark.parametrize("line", NODE_REFUSED.values(), ids=NODE_REFUSED)
def test_node_refuses_any_other(line, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.node_parser().parse_args(line)
    assert ended.value.code == 2
    assert "usage: autonomys-node" in capsys.readouterr().err


@pytest.mark.parametrize("parser", [cli.node_parser, cli.farmer_parser, cli.export_piece_parser])
def test_version(parser, capsys):
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.split()[1].startswith("v")


def test_values_arrive():
    arguments = cli.farmer_parser().parse_args(FARMER_ACCEPTED[-4])
    assert arguments.nats_servers == [NATS[1], NATS[3]]
    assert arguments.farms == [("/a", 1), ("/b", 2)]
    assert arguments.internal == 15
