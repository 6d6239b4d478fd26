# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every input of the NATS configuration, changed on a running server of each supported minor version.

What a server refuses to reload must be a restart for the collection, and what the collection reloads must leave the
server as if it had been started with it. The table is in docs/changes.md.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._components.registry import programs
from ansible_collections.autonomys.cluster.plugins.module_utils._http import HttpError, JsonClient
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.configuration import render
from ansible_collections.autonomys.cluster.plugins.plugin_utils._cluster import role_files
from ansible_collections.autonomys.cluster.tests import other_versions
from ansible_collections.autonomys.cluster.tests.integration.ports import free_ports

PAGE = Path(__file__).parents[3] / "docs/changes.md"
ONE = {"node-1": "127.0.0.1"}
THREE = {**ONE, "node-2": "127.0.0.2", "node-3": "127.0.0.3"}
REFUSED, TAKEN, NO_EFFECT = "refused", "taken", "taken without effect"

# What is changed, from which value to which; the names are unique because of their words behind the variable.
CHANGES = {
    "cluster_address": ("127.0.0.1", "127.0.0.9"),
    "nats_server_name": ("node-1", "node-9"),
    "nats_cluster_name": ("autonomys", "other"),
    "nats_peers, one server more": (THREE, {**THREE, "node-4": "127.0.0.4"}),
    "nats_peers, one server less": (THREE, {name: THREE[name] for name in ("node-1", "node-2")}),
    "nats_peers, from one to several": (ONE, THREE),
    "nats_peers, from several to one": (THREE, ONE),
    "nats_client_port": (None, None),
    "nats_cluster_port": (None, None),
    "nats_monitor_port": (None, None),
    "nats_max_payload": ("3MB", "4MB"),
    "nats_max_pending": ("256MB", "512MB"),
    "nats_write_deadline": ("10s", "20s"),
    "nats_store_dir": ("store", "other"),
    "nats_jetstream_max_memory, more": ("64MB", "128MB"),
    "nats_jetstream_max_memory, less": ("64MB", "32MB"),
    "nats_jetstream_max_file, more": ("256MB", "512MB"),
    "nats_jetstream_max_file, less": ("256MB", "128MB"),
    "nats_lame_duck_duration": ("30s", "40s"),
}
# What a server says of itself that does not come from its file, or only from the moment.
OWN = ("server_id", "now", "start", "uptime", "mem", "cpu", "config_load_time", "config_digest", "xkey")
OWN += ("subscriptions", "http_req_stats")


def binaries() -> dict[str, Path]:
    """Return the servers by their versions."""
    own = Path(sys.executable).with_name("nats-server")
    version = subprocess.run([own, "--version"], capture_output=True, text=True, check=True, timeout=60).stdout
    found = {version: other_versions.nats_server(version) for version in other_versions.NATS}
    return {**found, version.split("v")[-1].strip(): own}


def settings_of(folder, what):
    """The settings before and after a change, by the role's defaults."""
    variable, _comma, _words = what.partition(",")
    ports = free_ports(4)
    before = {
        **role_files.defaults("common"),
        **role_files.defaults("nats"),
        "cluster_address": "127.0.0.1",
        "nats_server_name": "node-1",
        "nats_peers": THREE,
        **dict(zip(("nats_client_port", "nats_cluster_port", "nats_monitor_port"), ports)),
    }
    old, new = CHANGES[what]
    if variable == "nats_store_dir":
        old, new = str(folder / old), str(folder / new)
    else:
        before["nats_store_dir"] = str(folder / "store")
    if variable.endswith("_port"):
        old, new = before[variable], ports[3]
    return {**before, variable: old}, {**before, variable: new}


def varz(settings):
    """What a server says of itself once it is whole: the page is there before JetStream is."""
    client = JsonClient(f"http://127.0.0.1:{settings['nats_monitor_port']}", 5)
    try:
        answer = client.ask("/varz")[1]
        return answer if answer["jetstream"].get("config") else None
    except HttpError:
        return None
    finally:
        client.close()


def until(question, process, seconds=60):
    end = time.monotonic() + seconds
    while not (answer := question()):
        assert process.poll() is None, "the server ended"
        assert time.monotonic() < end, f"not true within {seconds} s"
        time.sleep(0.02)
    return answer


@contextlib.contextmanager
def server(binary, folder, settings):
    (folder / "nats.conf").write_text(render(settings))
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([binary, "-c", folder / "nats.conf"], stderr=log)
    try:
        # A signal that comes before is lost.
        until(lambda: "Server is ready" in (folder / "log").read_text(), process)
        yield process
    finally:
        process.kill()
        process.wait()


def shown(answer):
    """What a server's answer shows of its settings, flat."""
    answer = {name: value for name, value in answer.items() if name not in OWN}
    jetstream = answer.pop("jetstream")["config"]
    cluster = dict(answer.pop("cluster", {}))
    return {name: value for name, value in {**answer, **jetstream, **cluster}.items() if "connections" not in name}


def reload(binary, folder, before, after):
    """Change the file of a running server; return what it makes of it."""
    with server(binary, folder, before) as process:
        loaded = until(lambda: varz(before), process)["config_load_time"]
        (folder / "nats.conf").write_text(render(after))
        process.send_signal(signal.SIGHUP)

        def outcome():
            if "Failed to reload" in (folder / "log").read_text():
                return REFUSED
            now = varz(before)
            return TAKEN if now and now["config_load_time"] != loaded else None

        found = until(outcome, process)
        now = shown(until(lambda: varz(before), process))
    if found == REFUSED:
        return found
    with server(binary, folder, after) as process:
        return TAKEN if shown(until(lambda: varz(after), process)) == now else NO_EFFECT


def restarts(before, after):
    """Whether the collection restarts the server for a change."""
    return programs("nats", before) != programs("nats", after)


class Noted(dict):
    """Settings that note what was asked of them."""

    def __init__(self, *args):
        super().__init__(*args)
        self.asked = set()

    def __getitem__(self, name):
        self.asked.add(name)
        return super().__getitem__(name)


def test_every_input_of_the_file_is_changed(tmp_path):
    noted = Noted(settings_of(tmp_path, "nats_max_payload")[0])
    render(noted)
    assert noted.asked == {what.partition(",")[0] for what in CHANGES}


def seen_in_docs():
    """What the page says that each version was seen to do."""
    lines = [line.strip("| \n").split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines()]
    [head] = [line for line in lines if line[0] == "change" and line[1] == "does"]
    return {
        (line[0].replace("`", ""), version): (line[1], seen)
        for line in lines
        if line[0].replace("`", "") in CHANGES
        for version, seen in zip(head[2:], line[2:])
        if len(line) == len(head)
    }


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("version", binaries())
def test_what_a_server_does_with_a_change_is_what_the_collection_and_the_page_say(tmp_path, version, what):
    before, after = settings_of(tmp_path, what)
    for folder in (before["nats_store_dir"], after["nats_store_dir"]):
        Path(folder).mkdir(exist_ok=True)
    found = reload(binaries()[version], tmp_path, before, after)
    assert found == TAKEN or restarts(before, after), "a server that must be restarted for it is not"
    print(f"{what} {version}: {found}")
    assert seen_in_docs().get((what, version)) == ("restarts" if restarts(before, after) else "reloads", found)
