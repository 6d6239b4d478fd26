# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is a secret, and how things are shown without it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._secrets import (
    MASK,
    has_secret_url,
    hidden,
    is_harmless,
    is_secret_name,
    masked,
    masked_arguments,
    masked_environment,
    masked_url,
    secret_values,
    secrets_in,
)


@pytest.mark.parametrize(
    "name",
    "DB_PWD AUTHORIZATION BASIC_AUTH SEED MNEMONIC SURI NKEY COOKIE BEARER "
    "PUSH_TOKEN API_KEY apiKey apiToken DBPASSWORD "
    "GPU_LICENSE NODE_KEY --node-key --suri --api-token --password --push-password "
    "secrets db_password_prod TOKEN_2 key "
    "ansible_ssh_pass grafana_admin_password x-secret DB_PASSPHRASE RECOVERY_PHRASE "
    "AWS_SECRET_ACCESS_KEY oauthtoken".split(),
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name) and not is_harmless(name)


@pytest.mark.parametrize(
    "name",
    "ansible_ssh_private_key_file password_file bypass tokenizer cluster_version "
    "passed --node-key-type --node-key-file "
    "token_ttl seed_nodes public_key sort_key --nats-server "
    "plot_client_reward_address state_directories author 1".split(),
)
def test_names_of_something_else(name: str) -> None:
    assert not is_secret_name(name)


def test_only_what_is_known_to_be_harmless_of_an_environment_is_shown() -> None:
    shown = {
        "RUST_LOG": "info",
        "CUDA_VISIBLE_DEVICES": "GPU-1",
        "GPU_CONCURRENCY": "12",
        "NATS_SETTINGS_DIGEST": "0123",
        "GOMAXPROCS": "8",
        "TZ": "UTC",
    }
    hidden = {
        "ANYTHING": "x",
        "CUDA_API_KEY": "x",
        "GPU_LICENSE": "x",
        "MY_RUST_LOG": "x",
        "RUST_LOG_TOKEN": "x",
        "A": "1",
    }
    assert masked_environment({**shown, **hidden}) == {**shown, **dict.fromkeys(hidden, MASK)}
    assert masked_environment({"HTTPS_PROXY": "http://me:pw@proxy:3128"}) == {
        "HTTPS_PROXY": f"http://{MASK}@proxy:3128"
    }


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("nats://10.0.0.1:4222", "nats://10.0.0.1:4222"),
        ("nats://h1:4222,nats://u:p@h2:4222", f"nats://h1:4222,nats://{MASK}@h2:4222"),
        ("nats://token@h:4222", f"nats://{MASK}@h:4222"),
        ("nats://u:p@ss@h:4222", f"nats://{MASK}@h:4222"),
        ("nats://u:p/a?s#s@h:4222/x", f"nats://{MASK}@h:4222/x"),
        ("wss://h/rpc?token=abc&x=1#y", f"wss://h/rpc?{MASK}"),
        ("https://u:p@[::1]:80/a?b", f"https://{MASK}@[::1]:80/a?{MASK}"),
        ("https://h/package@2.0/x", "https://h/package@2.0/x"),
        ("http://[::1]:80/x@y", "http://[::1]:80/x@y"),
        ('see "http://u:p@h/" and http://h/ for more', f'see "http://{MASK}@h/" and http://h/ for more'),
        ("sha256:abc", "sha256:abc"),
        ("path=/mnt/x,sectors=5", "path=/mnt/x,sectors=5"),
    ],
)
def test_urls_are_shown_without_who_comes_in_and_what_is_asked(url: str, shown: str) -> None:
    assert masked_url(url) == shown
    assert masked_arguments(["--url", url, f"--url={url}"]) == ["--url", shown, f"--url={shown}"]


@pytest.mark.parametrize(
    "text", ["a" * 300000, "a://" * 50000, ",a" * 100000, "://" + "@" * 100000, "a://b:c" + "@" * 99999]
)
def test_long_texts_cost_no_more_than_their_length(text: str) -> None:
    begin = time.monotonic()
    masked_url(text)
    assert time.monotonic() - begin < 20


def test_arguments() -> None:
    words = [
        "/x",
        "--node-key",
        "abc",
        "--password=a=a",
        "--token-file",
        "/y",
        "--api-token",
        "--verbose",
        "v",
        "PUSH_TOKEN=q",
    ]
    assert masked_arguments(words) == [
        *("/x", "--node-key", MASK, f"--password={MASK}", "--token-file", "/y", "--api-token", "--verbose", "v"),
        f"PUSH_TOKEN={MASK}",
    ]
    assert masked_arguments(["path=/mnt/token,sectors=1", "--listen-port", "1"]) == [
        *("path=/mnt/token,sectors=1", "--listen-port", "1")
    ]


def test_what_must_be_hidden_in_other_texts() -> None:
    found = secret_values(
        {"API_TOKEN": "abcd1", "OTHER": "a-long-text", "SHORT": "yes", "DB_PWD": "abc", "RUST_LOG": "a-long-level"},
        ["/x", "--node-key", "abcd2", "nats://u:abcd3%20x@h:1", "wss://h?token=abcd4", "nats://abcd5@h"],
    )
    assert found == {"abcd1", "a-long-text", "abcd2", "abcd3%20x", "abcd3 x", "abcd4", "abcd5"}


def test_what_is_shown_anyhow_is_hidden_only_where_it_is_named_like_a_secret() -> None:
    environment = {"BASE": "/opt/autonomys", "API_TOKEN": "sesame-1", "OTHER": "autonomys-node"}
    arguments = ["/opt/autonomys/x", "echo sesame-1"]
    assert secret_values(environment, arguments, ["program:autonomys-node"]) == {"sesame-1"}
    assert [hidden(argument, {"sesame", "sesame-1"}) for argument in arguments] == ["/opt/autonomys/x", f"echo {MASK}"]


ARGUMENTS: dict[str, Any] = {
    "name": "app",
    "programs": [
        {
            "name": "a",
            "command": ["/x", "--node-key", "s3cr3t-1"],
            "environment": {"RUST_LOG": "info", "DB_PWD": "s3cr3t-2", "FLAG": True},
            "log": None,
        }
    ],
    "files": [{"src": "https://u:s3cr3t-3@h/f?sig=s3cr3t-4", "checksum": "sha256:00"}],
    "token": "s3cr3t-5",
    "keys": {"a": ["s3cr3t-6"]},
    "timeout": 5,
    "force": False,
}


def test_arguments_of_modules() -> None:
    assert masked(ARGUMENTS) == {
        "name": "app",
        "programs": [
            {
                "name": "a",
                "command": ["/x", "--node-key", MASK],
                "environment": {"RUST_LOG": "info", "DB_PWD": MASK, "FLAG": MASK},
                "log": None,
            }
        ],
        "files": [{"src": f"https://{MASK}@h/f?{MASK}", "checksum": "sha256:00"}],
        "token": MASK,
        "keys": MASK,
        "timeout": 5,
        "force": False,
    }
    assert secrets_in(ARGUMENTS) == {f"s3cr3t-{number}" for number in range(1, 7)}


def test_what_is_part_of_another_argument_is_not_hidden() -> None:
    environment = {"BASE": "/opt/autonomys", "DB_PWD": "s3cr3t"}
    assert secrets_in({"programs": [{"command": ["/opt/autonomys/x"], "environment": environment}]}) == {"s3cr3t"}


@pytest.mark.parametrize(
    "arguments",
    [
        {"programs": '[{"environment": {"X": "s3cr3t"}}]'},
        {"programs": [{"environment": "DB_PWD=s3cr3t"}]},
        {"programs": [{"command": "x --token s3cr3t"}]},
        {"programs": {"environment": {"DB_PWD": ["s3cr3t"]}}},
        {"programs": [{"command": ["x", {"y": "s3cr3t"}]}]},
    ],
)
def test_arguments_of_another_shape_are_hidden_whole(arguments: dict[str, Any]) -> None:
    assert "s3cr3t" not in str(masked(arguments))
    secrets_in(arguments)


@pytest.mark.parametrize(
    "text", ["http://me:pw@proxy:3128", "nats://token@h", "wss://h/?token=x", "https://h/?a=1&api_key=x", "tls://x@h"]
)
def test_urls_that_let_somebody_in(text: str) -> None:
    assert has_secret_url(f"x {text}")


@pytest.mark.parametrize(
    "text", ["http://proxy:3128", "ssh://git@h/x", "https://h/?raw=true", "https://h/x@y", "x", ""]
)
def test_urls_that_let_nobody_in(text: str) -> None:
    assert not has_secret_url(text)
