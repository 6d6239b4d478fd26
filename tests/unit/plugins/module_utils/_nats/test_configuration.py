# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.configuration import (
    ConfigurationError,
    parse_size,
    render,
)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("3MB", 3145728),
        ("3M", 3000000),
        ("3m", 3000000),
        ("3mb", 3145728),
        ("3MiB", 3145728),
        ("3Mi", 3145728),
        ("2K", 2000),
        ("2KB", 2048),
        ("1GB", 1024**3),
        ("1G", 1000**3),
        ("1TB", 1024**4),
        (3145728, 3145728),
        ("3145728", 3145728),
        ("-1", -1),
    ],
)
def test_sizes_are_read_as_nats_server_reads_them(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["3 MB", "3.5MB", "3145728B", "", "MB", "3MB\n", "²", "9" * 30, "3XB", "3MBB", None, "0x10"]
)
def test_sizes_that_nats_server_refuses(text):
    with pytest.raises(ValueError, match="is not a size"):
        parse_size(text)


SETTINGS = {
    "cluster_address": "192.0.2.1",
    "nats_server_name": "node-1",
    "nats_cluster_name": "autonomys",
    "nats_peers": {"node-2": "192.0.2.2", "node-1": "192.0.2.1", "Node-0": "192.0.2.9"},
    "nats_client_port": 4222,
    "nats_cluster_port": 4248,
    "nats_monitor_port": 8222,
    "nats_max_payload": "3MB",
    "nats_max_pending": "256MB",
    "nats_write_deadline": "10s",
    "nats_lame_duck_duration": "30s",
    "nats_store_dir": "/var/lib/nats",
    "nats_jetstream_max_memory": "1GB",
    "nats_jetstream_max_file": "20GB",
}

EXPECTED = """\
server_name: "node-1"
listen: "0.0.0.0:4222"
# Without it a server tells clients every address it has, those of container bridges too.
client_advertise: "192.0.2.1:4222"
http: "0.0.0.0:8222"
pid_file: "/var/lib/nats/nats-server.pid"

max_payload: 3MB
max_pending: 256MB
write_deadline: "10s"
lame_duck_duration: "30s"

jetstream {
  store_dir: "/var/lib/nats"
  max_memory_store: 1GB
  max_file_store: 20GB
}"""

CLUSTER = """

cluster {
  name: "autonomys"
  listen: "0.0.0.0:4248"
  cluster_advertise: "192.0.2.1:4248"
  routes: [
    "nats://192.0.2.9:4248"
    "nats://192.0.2.2:4248"
  ]
}"""


def test_the_file_is_the_same_as_ever():
    assert render(SETTINGS) == EXPECTED + CLUSTER
    assert render(dict(SETTINGS, nats_peers={"node-1": "192.0.2.1"})) == EXPECTED
    # Extra variables on the command line are texts.
    assert render(dict(SETTINGS, nats_client_port="4222")) == EXPECTED + CLUSTER


@pytest.mark.parametrize("name", [name for name in SETTINGS if name.startswith(("nats_max_", "nats_jetstream_"))])
@pytest.mark.parametrize("value", ["3MB\nauthorization { user: x }", "3 MB", "3MB # x", "", None, "3MB }", "3MB\n"])
def test_a_size_cannot_begin_a_setting_of_its_own(name, value):
    with pytest.raises(ConfigurationError, match=f"^{name}: .* is no"):
        render(dict(SETTINGS, **{name: value}))


@pytest.mark.parametrize("name", ["nats_client_port", "nats_cluster_port", "nats_monitor_port"])
@pytest.mark.parametrize("value", ["4222\n", '4222"', 0, 65536, -1, "²", "9" * 5000, True])
def test_a_port_is_a_number(name, value):
    with pytest.raises(ConfigurationError, match=f"^{name}: "):
        render(dict(SETTINGS, **{name: value}))


TEXTS = [name for name in SETTINGS if not name.startswith(("nats_max_", "nats_jetstream_")) and "port" not in name]
EVIL = ['x"\nauthorization { user: evil, password: evil }\n#', "x\\", 'x" }', "$HOME", "x\r\nport: 1", "{{ 7 * 7 }}"]


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize("name", TEXTS)
def test_no_text_leaves_its_quotes(name, evil):
    value = {"node-1": "192.0.2.1", "node-2": evil} if name == "nats_peers" else evil
    rendered = render(dict(SETTINGS, **{name: value}))
    expected = render(dict(SETTINGS, nats_peers=value if name == "nats_peers" else SETTINGS["nats_peers"]))
    keys = [line.split('"')[0] for line in rendered.split("\n")]
    assert not any("authorization" in key or "port" in key for key in keys)
    # Each value that holds it is one text of JSON, which is how nats-server reads it.
    for line in rendered.split("\n"):
        if '"' in line:
            assert isinstance(json.loads(line[line.index('"') :]), str)
    assert len(rendered.split("\n")) in (len(expected.split("\n")), len(expected.split("\n")) + 1)


def test_nats_server_reads_it(tmp_path):
    binary = Path(sys.executable).with_name("nats-server")
    path = tmp_path / "nats.conf"
    path.write_text(render(dict(SETTINGS, nats_store_dir=str(tmp_path / 'a "b" \\ c'))))
    done = subprocess.run([binary, "-t", "-c", path], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
