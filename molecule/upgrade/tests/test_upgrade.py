# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an upgrade of a whole cluster costs: `make bench-upgrade` on fewer hosts, without the naive way."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import bench_upgrade
import pytest

REPOSITORY = Path(__file__).parents[3]

HOSTS = ("node-1", "node-2", "node-3")


PREFIX, NETWORK = os.environ.get("TEST_HOSTS_PREFIX", "molecule-"), os.environ.get("TEST_HOSTS_NETWORK", "10.213.8")


@pytest.fixture(scope="module")
def cluster():
    bench_upgrade.BUILD.mkdir(parents=True, exist_ok=True)
    return bench_upgrade.Cluster(REPOSITORY / "molecule/inventory", PREFIX, NETWORK)


@pytest.fixture(scope="module")
def releases():
    return bench_upgrade.releases()


def look(server):
    """Processes, definitions and configuration of every host."""
    return {
        name: (server(name).pids(), server(name).run("cat /etc/supervisor/conf.d/* /etc/nats-server.conf"))
        for name in HOSTS
    }


@pytest.fixture(scope="module")
def staged(cluster, releases, server):
    """What runs before and after stage.yml, with the version before."""
    before, after = releases
    cluster.play("site.yml", log="molecule-before", demo_release=before)
    seen = look(server)
    cluster.play("playbooks/stage.yml", log="molecule-stage", demo_release=after)
    return seen, look(server)


@pytest.fixture(scope="module")
def result(cluster, releases, staged):
    """What the watcher saw while site.yml brought the new version."""
    after = releases[1]
    found = bench_upgrade.measure(cluster, lambda: cluster.play("site.yml", log="molecule-upgrade", demo_release=after))
    print(json.dumps(found, indent=1))
    return found


def test_a_staged_version_is_installed_and_nothing_runs_it(server, staged, releases):
    assert staged[0] == staged[1]
    for name in HOSTS:
        server(name).run(
            f"/opt/autonomys/releases/{releases[1]['version']}/autonomys-farmer --version && "
            "/opt/autonomys/nats/2.14.5/nats-server --version"
        )


def test_the_upgrade_costs_no_message_no_quorum_no_slot_and_no_more_silence_than_a_restart(result):
    assert bench_upgrade.faults(result) == [], json.dumps(result, indent=1)


def test_the_load_was_real(result):
    seen = result["seen"]
    assert seen["messages_published"] > 10 * seen["watched_s"]
    assert seen["messages_read"] == seen["messages_published"]
    assert seen["slots"] > seen["watched_s"] - 10
    assert seen["one_down_s"] > 0, "no NATS server was ever away"
    assert all(result["restart_s"].values()), "a plot client did not restart"


@pytest.mark.parametrize("name", HOSTS)
def test_every_program_runs_the_new_version(server, result, releases, name):
    before, after = releases
    host = server(name)
    assert set(host.programs().values()) == {"RUNNING"}
    for program in host.programs():
        old, new = (
            f"nats/{release['nats']['version']}" if program == "nats-server" else f"releases/{release['version']}"
            for release in (before, after)
        )
        assert host.command(program)[0].startswith(f"/opt/autonomys/{new}/"), program
        assert old not in host.definition(program)["command"]
    assert host.http("http://127.0.0.1:8222/varz")["version"] == "2.14.5"


def test_the_stream_of_the_old_server_is_whole_on_all_new_ones(server, result, until):
    def replicas():
        pages = [server(name).http("http://127.0.0.1:8222/jsz?accounts=1&streams=1") for name in HOSTS]
        streams = [
            stream
            for page in pages
            for account in page.get("account_details", [])
            for stream in account.get("stream_detail", [])
        ]
        led = [
            stream["cluster"]
            for stream in streams
            if stream["cluster"].get("replicas") and all(item["current"] for item in stream["cluster"]["replicas"])
        ]
        messages = [stream["state"]["messages"] for stream in streams]
        return messages == [result["seen"]["messages_published"]] * 3 and led

    assert until(replicas)


def test_the_former_version_stays_installed_for_the_way_back(server, result, releases):
    before = releases[0]["version"]
    for name in HOSTS:
        assert server(name).host.file(f"/opt/autonomys/releases/{before}/autonomys-farmer").exists


def test_running_again_changes_nothing(cluster, result, releases):
    cluster.play("site.yml", log="molecule-again", demo_release=releases[1])
    output = (bench_upgrade.BUILD / "molecule-again.log").read_text()
    assert {
        host: int(count) for host, count in re.findall(r"^(\S+) +: ok=\d+ +changed=(\d+)", output, re.MULTILINE)
    } == dict.fromkeys(HOSTS, 0)


def test_going_back_is_refused_where_an_older_version_may_not_read_the_data(cluster, server, result, releases):
    before = {name: server(name).pids() for name in HOSTS}
    path = bench_upgrade.BUILD / "molecule-refused.json"
    with pytest.raises(SystemExit, match="Nothing was changed"):
        cluster.play("site.yml", log="molecule-refused", demo_release=releases[0], cluster_findings_file=str(path))
    errors = {item["rule"]: item for item in json.loads(path.read_text()) if item["severity"] == "error"}
    assert {rule: item["hosts"] for rule, item in errors.items()} == {"VERS001": list(HOSTS), "VERS002": list(HOSTS)}
    assert errors["VERS001"]["message"].startswith(
        "nats-server 2.14.5 runs and has written JetStream's data; nats_version is 2.10.26"
    )
    assert errors["VERS002"]["message"].startswith(
        f"autonomys-node {releases[1]['version']} runs and has opened its database"
    )
    assert {name: server(name).pids() for name in HOSTS} == before


def test_going_back_needs_no_network(cluster, server, result, releases):
    """The former version is still installed: nothing is fetched, and nothing of NATS changes."""
    before = dict(releases[0], nats=releases[1]["nats"])
    servers = {name: server(name).pid("nats-server") for name in HOSTS}
    mirror = PREFIX + "mirror"
    subprocess.run(["docker", "stop", "--time", "1", mirror], check=True, capture_output=True)
    try:
        cluster.play(
            "site.yml", log="molecule-back", demo_release=before, cluster_accept=["HOST005", "NUMA001", "VERS002"]
        )
    finally:
        subprocess.run(["docker", "start", mirror], check=True, capture_output=True)
    for name in HOSTS:
        assert set(server(name).programs().values()) == {"RUNNING"}
        running = {server(name).command(program)[0] for program in server(name).programs() if program != "nats-server"}
        assert all(path.startswith(f"/opt/autonomys/releases/{before['version']}/") for path in running), running
    assert {name: server(name).pid("nats-server") for name in HOSTS} == servers
