# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading of supervisord's files."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor import read
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.errors import ConfError
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.write import render

from .samples import TUTORIAL, program


def test_groups_are_read_as_supervisord_does():
    sections = read.parse(TUTORIAL)
    assert read.groups(sections) == {
        "autonomys-plot-server": ["autonomys-plot-server-0", "autonomys-plot-server-1"],
        "other": ["other"],
    }
    assert read.program_names(sections) == ["autonomys-plot-server-0", "autonomys-plot-server-1", "other"]


def test_a_text_without_sections_is_an_error_with_its_path():
    with pytest.raises(ConfError, match=r"/etc/x\.conf cannot be read"):
        read.parse("hello\n", "/etc/x.conf")
    with pytest.raises(ConfError, match=r"/etc/x\.conf cannot be read"):
        read.decode(b"\xff", "/etc/x.conf")


def test_secrets_are_found_where_they_are_named_so():
    text = render(
        [
            program(
                command=[
                    "/x",
                    "--api-token",
                    "abcd1",
                    "--password=abcd2",
                    "--token-file",
                    "--verbose",
                    "nats://u:abcd3@h:1",
                    "visible",
                ],
                environment={"DB_PASSWORD": "abcd4", "CUDA_VISIBLE_DEVICES": "0000", "SECRET_FLAG": "yes"},
            )
        ]
    )
    assert read.secrets_of(read.parse(text)) == {"abcd1", "abcd2", "abcd3", "abcd4"}


SECRET = "s3cr3t-mark"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"API_TOKEN={SECRET}\n", "line 1 is before any section"),
        (f"[program:a]\ncommand=/x\n{SECRET}\n{SECRET}\n", "no option in line 3, 4"),
    ],
)
def test_a_line_that_cannot_be_read_is_not_shown(text, reason):
    with pytest.raises(ConfError) as error:
        read.parse(text, "/etc/x.conf")
    assert str(error.value) == f"/etc/x.conf cannot be read: {reason}"


@pytest.mark.parametrize("reader", [read.parse_environment, read.parse_command])
def test_a_value_that_cannot_be_read_is_not_shown(reader):
    with pytest.raises(ConfError) as error:
        reader(f'A="{SECRET}')
    assert SECRET not in str(error.value)
    with pytest.raises(ConfError, match="not a list of NAME=value") as error:
        read.parse_environment(f"A {SECRET}")
    assert SECRET not in str(error.value)
