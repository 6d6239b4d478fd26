# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which variables hold a secret in clear text."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.plugin_utils._secrets import clear_secrets


class Text(str):
    """A value as ansible-core before 2.19 marks it with its place."""

    ansible_pos = None


class EncryptedString(str):
    """A value of !vault."""


@pytest.fixture
def read(tmp_path):
    """A function that makes a value as if a file of the inventory had it."""

    def make(value, file="all.yml", head=""):
        (tmp_path / file).write_text(head + "…", encoding="utf-8")
        text = Text(value)
        text.ansible_pos = (str(tmp_path / file), 1, 1)
        return text

    return make


@pytest.mark.parametrize(
    "name",
    [
        "ansible_password",
        "ansible_ssh_pass",
        "my_token",
        "api_key",
        "grafana_admin_password",
        "x-secret",
        "DB_PASSPHRASE",
        "DB_PWD",
        "NODE_KEY",
        "mnemonic",
    ],
)
def test_named_like_a_secret(read, name):
    assert clear_secrets({name: read("x")}) == [name]


@pytest.mark.parametrize(
    "name", ["ansible_ssh_private_key_file", "password_file", "bypass", "tokenizer", "cluster_version", "passed"]
)
def test_named_like_something_else(read, name):
    assert clear_secrets({name: read("x")}) == []


def test_what_is_not_in_clear(read):
    values = [
        read("{{ vaulted }}"),
        read(""),
        EncryptedString("x"),
        read("x", "vault.yml", "$ANSIBLE_VAULT;1.1;AES256\n"),
        "from nowhere",
        None,
        True,
        ["from nowhere"],
    ]
    assert [clear_secrets({"a_password": value}) for value in values] == [[]] * len(values)


def test_inside_of_values(read):
    secret = read("x")
    assert clear_secrets({"node_environment": {"PUSH_TOKEN": secret, "RUST_LOG": read("info")}}) == ["node_environment"]
    assert clear_secrets({"node_environment": {"RUST_LOG": read("info")}}) == []
    assert clear_secrets({"plot_client_extra_args": [read("--push-password"), secret]}) == ["plot_client_extra_args"]
    assert clear_secrets({"plot_client_extra_args": [read("--push-password=x")]}) == ["plot_client_extra_args"]
    assert clear_secrets({"plot_client_extra_args": [read("--visible"), secret]}) == []
    assert clear_secrets({"node_extra_args": [read("--node-key"), secret]}) == ["node_extra_args"]
    assert clear_secrets({"x": [{"y": {"db_pwd": secret}}]}) == ["x"]
    assert clear_secrets({"my_secrets": {"a": [secret]}}) == ["my_secrets"]
    assert clear_secrets({"__cluster_model": {"node_environment": {"PUSH_TOKEN": secret}}}) == []


def test_in_urls(read):
    assert clear_secrets({"cluster_proxy": read("http://me:pw@proxy:3128")}) == ["cluster_proxy"]
    assert clear_secrets({"cluster_proxy": read("http://proxy:3128")}) == []
    assert clear_secrets({"cluster_proxy": read("http://me:{{ pw }}@proxy:3128")}) == []
    binaries = {"autonomys-node": {"src": read("https://me:pw@h/node"), "checksum": read("sha256:00")}}
    assert clear_secrets({"cluster_binaries": binaries}) == ["cluster_binaries"]
    assert clear_secrets({"controller_node_rpc_url": read("wss://h/?token=x")}) == ["controller_node_rpc_url"]
    assert clear_secrets({"cluster_nats_servers": [read("nats://token@h:4222")]}) == ["cluster_nats_servers"]
    assert clear_secrets({"src": read("https://h/f?raw=true")}) == []
