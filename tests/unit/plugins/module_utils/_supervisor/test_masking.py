# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts of a diff, without secrets."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._secrets import (
    MASK,
    masked_arguments,
    masked_environment,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.masking import masked_text, masked_texts
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.read import (
    options_of,
    parse,
    parse_command,
    parse_environment,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.write import render
from hypothesis import given, settings
from hypothesis import strategies as st

from .samples import arguments, program


def test_a_text_without_secrets_is_shown_as_it_is():
    text = render(
        [program("a", command=["/x", "a b", "100%"], environment={"RUST_LOG": "info", "CUDA_VISIBLE_DEVICES": "0"})]
    )
    assert masked_texts(text, text) == (text, text)
    assert masked_texts(None, text) == ("", text)
    tutorial = (
        "# by hand\n[group:g]\nprograms=a, b\n[program:a]\ncommand = numactl -C 0-31 -l "
        "/x \n  --more\n\nautostart: true"
    )
    assert masked_text(tutorial) == tutorial


def test_secrets_are_hidden_and_those_that_change_have_a_mark():
    def text(key, token, url):
        command = ["/x", "--node-key", key, "--rpc", f"wss://h/?token={url}", "visible"]
        return render([program("a", command=command, environment={"DB_PWD": token, "RUST_LOG": "info"}), program("b")])

    before, after = masked_texts(text("s3cr3t-1", "s3cr3t-2", "s3cr3t-3"), text("s3cr3t-1", "s3cr3t-4", "s3cr3t-5"))
    assert "s3cr3t" not in before + after
    assert f"command=/x --node-key '{MASK}' --rpc 'wss://h/?{MASK}' visible\n" in before
    assert f"command=/x --node-key '{MASK}' --rpc 'wss://h/?{MASK} (changed)' visible\n" in after
    assert f'environment=DB_PWD="{MASK}",RUST_LOG="info"\n' in before
    assert f'environment=DB_PWD="{MASK} (changed)",RUST_LOG="info"\n' in after
    assert [line for line in before.split("\n") if "=" not in line] == [
        line for line in after.split("\n") if "=" not in line
    ]
    assert masked_texts(before, before) == (before, before)


@pytest.mark.parametrize(
    "text",
    [
        "[program:a]\nenvironment=A=1,\n    DB_PWD=s3cr3t,\n  B=2\ncommand=/x\n",
        "[program:a]\ncommand=/x\n  --api-token\n  s3cr3t\n",
        "[program:a]\nENVIRONMENT : DB_PWD=s3cr3t\n",
        "[program:a]\nenvironment=DB_PWD='s3cr3t\n",
        "[program:a]\ncommand=/x 's3cr3t\n",
        "; environment=DB_PWD=s3cr3t\n;command=/x --password s3cr3t\n",
        "[inet_http_server]\npassword = s3cr3t\n",
        "[program:a]\nserverurl=http://u:s3cr3t@h/\n",
        "[program:a]\nenvironment=DB_PWD=s3cr3t ; and a comment\n",
        "environment=DB_PWD=s3cr3t",
    ],
)
def test_no_way_of_writing_shows_a_secret(text):
    assert "s3cr3t" not in masked_text(text) and "s3cr3t" not in masked_text(text, "no section\n")


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.one_of(arguments, st.sampled_from(["--password", "--token=x", "wss://h?a=b", "x"])), max_size=4),
    st.dictionaries(st.sampled_from(["RUST_LOG", "DB_PWD", "A", "CUDA_X"]), arguments, max_size=3),
)
def test_what_is_shown_is_what_may_be_shown(extra, environment):
    try:
        text = render([program("a", command=["/x", *extra], environment=environment)])
    except ValueError:
        return
    shown = options_of(parse(masked_text(text)), "a")
    assert parse_command(shown["command"]) == masked_arguments(["/x", *extra])
    if environment:
        assert parse_environment(shown["environment"]) == masked_environment(environment)
