# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host is, and what must be prepared on it."""

from __future__ import annotations

import copy
import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._reading import host
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.unit import DROP_IN, unit_settings

SETTINGS = {"cluster_user": "autonomys", "cluster_log_dir": "/var/log", "cluster_open_files": 1048576}
PREPARED = {
    "files": {DROP_IN: {"content": unit_settings(1048576).strip()}, "/var/log": {"content": None}},
    "service": {"active": True, "enabled": True},
    "user": {"name": "autonomys"},
    "packages": {"numactl": "2.0.16", "supervisor": "4.2.5"},
}


def changed(**parts):
    return {**copy.deepcopy(PREPARED), **parts}


@pytest.mark.parametrize(
    ("facts", "phrases"),
    [
        (PREPARED, []),
        (changed(packages={"numactl": None}), ["install numactl and supervisor"]),
        (changed(user=None), ["create the user autonomys"]),
        (changed(service={"active": True, "enabled": False}), ["start supervisord, now and at every boot"]),
        (changed(service={"active": False, "enabled": True}), ["start supervisord, now and at every boot"]),
        (changed(files={"/var/log": {"content": None}}), [f"write {DROP_IN}"]),
        (
            changed(files={DROP_IN: {"content": "[Service]"}}),
            [f"write {DROP_IN}", "create the folder /var/log"],
        ),
        (changed(files={DROP_IN: None, "/var/log": {"content": None}}), [f"write {DROP_IN}"]),
    ],
)
def test_what_must_be_prepared(facts, phrases):
    assert host.preparations(facts, SETTINGS, ["supervisor", "numactl"]) == phrases


def test_another_limit_is_another_file():
    assert host.preparations(PREPARED, {**SETTINGS, "cluster_open_files": 4096}, []) == [f"write {DROP_IN}"]


def test_the_host_is_read_with_its_programs():
    facts = host.host_facts(packages=["dash"], files=["/etc/hostname"], paths=["/tmp"], user="root")
    assert facts["user"]["uid"] == 0 and "/tmp" in facts["disks"] and isinstance(facts["programs"], list)
    assert facts["files"]["/etc/hostname"]["content"] and isinstance(facts["running"], list)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_what_an_account_without_rights_cannot_read_is_named():
    """Without become, files of programs are there and say nothing."""
    folder = Path(tempfile.mkdtemp())
    try:
        (folder / "conf.d").mkdir()
        program = folder / "conf.d" / "autonomys-node.conf"
        program.write_text("[program:autonomys-node]\ncommand=/x/autonomys-node run\n")
        (folder / "supervisord.conf").write_text("[include]\nfiles = conf.d/*.conf\n")
        for path, mode in ((folder, 0o755), (program, 0o640), (folder / "supervisord.conf", 0o644)):
            path.chmod(mode)
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os.setgid(65534)
            os.setuid(65534)
            facts = host.host_facts(str(folder / "supervisord.conf"))
            os.write(writer, json.dumps([facts["running_as"], facts["unreadable"], facts["programs"]]).encode())
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as stream:
            told = json.load(stream)
        os.waitpid(child, 0)
        assert told == ["nobody", {str(program): "Permission denied"}, []]
    finally:
        shutil.rmtree(folder)
