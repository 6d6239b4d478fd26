# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.deployed import Told, essence, told

FILE = "/etc/nats.conf"


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("", Told(None, None)),
        ("-p 4222", Told(None, None)),
        ("-js", Told(None, "/tmp/nats")),
        ("--jetstream=false", Told(None, None)),
        ("-js --store_dir /data", Told(None, "/data")),
        ("-jetstream -sd=/data -n a", Told("a", "/data")),
        ("--store_dir=/data --server_name b", Told("b", "/data")),
        ("-c /etc/nats.conf", Told(None, None, "its configuration /etc/nats.conf was not read")),
        ("--config=/etc/nats.conf -sd /data", Told(None, "/data")),
    ],
)
def test_options(words, answer):
    assert told(["/usr/bin/nats-server", *words.split()], None) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("port: 4222\n", Told(None, None)),
        ('server_name: "a"\njetstream {\n  store_dir: "/data"\n}\n', Told("a", "/data")),
        ("server_name=a\njetstream: {store_dir=/data, max_mem: 1G}\n", Told("a", "/data")),
        ("jetstream { max_file: 1G, store_dir: '/data' }", Told(None, "/data")),
        ('{"server_name": "a", "jetstream": {"store_dir": "/data"}}', Told("a", "/data")),
        ("jetstream: enabled\n", Told(None, "/tmp/nats")),
        ("jetstream: disabled\n", Told(None, None)),
        ("jetstream {\n # store_dir: /old\n store: /data // here\n}", Told(None, "/data")),
        ('routes: ["nats://10.0.0.1:4248"]\njetstream {storedir "/data"}', Told(None, "/data")),
        ("include ./js.conf\n", Told(None, None, "its configuration /etc/nats.conf includes other files")),
        (
            "jetstream { store_dir: $STORE }",
            Told(None, None, "its configuration /etc/nats.conf takes $STORE from elsewhere"),
        ),
    ],
)
def test_files(text, answer):
    command = ["nats-server", "-c", FILE]
    assert told(command, text) == answer
    assert told(command, essence(text)) == answer


def test_an_option_wins_over_the_file():
    assert told(["nats-server", "-c", FILE, "-sd", "/a"], "jetstream {store_dir: /b}") == Told(None, "/a")


def test_the_essence_has_no_secret():
    text = 'server_name: a\nauthorization {\n  user: u\n  password: "s3cret"\n}\n'
    text += "jetstream {\n  store_dir: /d\n  key: k3y\n}\n"
    for whole in (text, '{"password": "s3cret", "key": "k3y", "jetstream": {"store_dir": "/d"}}'):
        assert "s3cret" not in essence(whole) and "k3y" not in essence(whole)


@pytest.mark.parametrize("text", ["server_name", "store_dir", "jetstream", "", "x "])
def test_long_runs_of_blanks_are_read_in_time(text):
    begun = time.process_time()
    for blank in (" ", "\n"):
        essence(text + blank * 300_000)
    assert time.process_time() - begun < 2
