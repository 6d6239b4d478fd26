# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What would change on a host, by the code that would change it."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._components.nats import CONFIG, RUNNING_CONFIG
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.configuration import file_text
from ansible_collections.autonomys.cluster.plugins.module_utils._reading import compare
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.programs import DEFAULTS, with_defaults
from ansible_collections.autonomys.cluster.plugins.modules import supervisor_program
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster import role_files

SETTINGS = {
    **role_files.defaults("common"),
    **role_files.defaults("nats"),
    "cluster_address": "10.0.0.1",
    "nats_server_name": "a",
    "nats_peers": {"a": "10.0.0.1"},
    "nats_version": "2.14.5",
    "cluster_components": ["nats"],
}


def files(before, running):
    return {path: text and {"content": text} for path, text in ((CONFIG, before), (RUNNING_CONFIG, running))}


@pytest.mark.parametrize(
    ("before", "running", "changed", "differs"),
    [
        ("wanted", "wanted", False, False),
        ("other", "other", True, True),
        (None, None, True, True),
        # Written, but a run was cut off before the server read it.
        ("wanted", "other", True, False),
        ("wanted", None, True, False),
    ],
)
def test_the_file_of_nats(before, running, changed, differs):
    texts = {"wanted": file_text(SETTINGS), "other": "listen: 1", None: None}
    found = compare.configuration_changes(SETTINGS, files(texts[before], texts[running]))
    assert (found["changed"], bool(found["diff"])) == (changed, differs)
    if differs:
        assert found["diff"][0]["after"] == file_text(SETTINGS)


def test_a_host_without_anything_would_get_all_of_it():
    hidden = []
    settings = {**SETTINGS, "nats_environment": {"TOKEN": "dcba-4321"}, "cluster_install_dir": "/nonexistent/autonomys"}
    answer = compare.program_changes("nats", settings, {}, hidden.extend)
    assert answer["changed"] and not answer["restart_required"]
    assert "dcba-4321" in hidden and "dcba-4321" not in str(answer)
    release = compare.release_changes(settings, "x86_64", {"2.14.5": {"amd64": "0" * 64}})
    assert release["installed"] == ["/nonexistent/autonomys/nats/2.14.5/nats-server"] and release["changed"]


def test_nothing_is_moved():
    with pytest.raises(AssertionError, match="would move"):
        compare._never("/a", "/b")


def test_defaults_are_those_of_the_module():
    options = supervisor_program.ARGUMENTS["programs"]["options"]
    assert {name: spec["default"] for name, spec in options.items() if "default" in spec} == DEFAULTS
    assert with_defaults({"name": "a", "startsecs": 3}) == {**DEFAULTS, "name": "a", "startsecs": 3}
