# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each fault on purpose: what the operator reads, what runs afterwards, and how it goes on.

The tests build on each other: settings that one changed stay changed for the next. Each begins when the cluster is at
    rest again.
"""

from __future__ import annotations

import configparser
import contextlib
import json
import os
import random
import re
import shlex
import subprocess
import threading
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]

HOSTS = ("node-1", "node-2", "node-3")
SITE, COMPONENT = "site.yml", "molecule/faults/component.yml"
COMPONENTS = ("nats", "node", "controller", "proof_server", "caches", "plot_server", "plot_client")
KILLS = int(os.environ.get("FAULT_KILLS", "2"))
SEED = int(os.environ.get("FAULT_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
# Takes a port over as soon as the server that has it ends.
THIEF = """
import socket, time
end = time.time() + 120
while time.time() < end:
    thief = socket.socket()
    thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        thief.bind(("0.0.0.0", 4222))
        thief.listen()
        time.sleep(600)
    except OSError:
        thief.close()
        time.sleep(0.005)
"""


@pytest.fixture(scope="module")
def pids(cluster, server):
    """What runs where, now: (host, program) to process."""
    return lambda: {(name, program): pid for name in HOSTS for program, pid in server(name).pids().items()}


@pytest.fixture
def switch(server):
    """Put a fault on a host; it is gone after the test."""
    made = []

    def put(name, component, **values):
        path = f"/run/autonomys-fakes/{component}.json"
        server(name).run(f"mkdir -p /run/autonomys-fakes && echo '{json.dumps(values)}' >{path}")
        made.append((name, path))

    yield put
    for name, path in made:
        server(name).run(f"rm -f {path}")


def version(server, program):
    """Version of the running program, from its path."""
    return re.search(r"/releases/([^/]+)/", server.command(program)[0])[1]


def meta_leader(server):
    return server("node-1").http("http://127.0.0.1:8222/jsz")["meta_cluster"].get("leader")


def wrong(server):
    """Programs that do not run what their files say."""
    found = []
    pids = server.pids()
    for path in server.run("ls /etc/supervisor/conf.d/*.conf").split():
        parser = configparser.RawConfigParser(inline_comment_prefixes=(" ;",), strict=True)
        parser.read_string(server.run(f"cat {path}"))
        for section in parser.sections():
            program = section.partition(":")[2]
            if program not in pids:
                found.append(f"{program} does not run")
                continue
            command = server.command(program)
            wanted = dict(re.findall(r'(\w+)="([^"]*)"', parser[section].get("environment", "")))
            actual = server.environment(program)
            if shlex.split(parser[section]["command"])[-len(command) :] != command:
                found.append(f"{program} runs {command}")
            found += [
                f"{program} runs with {name}={actual.get(name)}"
                for name, value in wanted.items()
                if actual.get(name) != value
            ]
    return found


def answers(server):
    """Whether the node's RPC answers."""
    try:
        return server.rpc("http://127.0.0.1:9944", "system_chain") == "Autonomys Mainnet"
    except AssertionError:
        return False


def unrest(server):
    """What does not work on a host yet, or works and is about to end.

    Its programs may run other definitions than their files hold.
    """
    try:
        pids = server.pids()
        found = [f"{program} does not run" for program in server.programs().keys() - pids.keys()]
        if server.http("http://127.0.0.1:8222/healthz") != {"status": "ok"}:
            found.append("nats-server is not healthy")
        if not answers(server):
            found.append("the node does not answer")
        # A controller whose node does not answer runs and is connected to it, and after some seconds it gives up, ends
        # and comes back.
        last = server.run(
            "grep -E ' is starting, | Subscribed to slots ' /var/log/autonomys-controller.log | tail -n 2"
        ).splitlines()
        if (
            not last
            or not last[0].endswith(f" PID {pids.get('autonomys-controller')}")
            or " Subscribed " not in last[-1]
        ):
            found.append("the controller does not forward the slots of its node")
        return found
    except AssertionError as error:
        # What ended while it was looked at.
        return [str(error)]


@pytest.fixture(autouse=True)
def at_rest(cluster, server, until):
    """What the test before broke has come back by itself and nothing is about to end, or that would be taken for
    what this test does.
    """
    for host in map(server, HOSTS):
        assert until(lambda host=host: not unrest(host), 120), (host.name, unrest(host))


def test_a_change_of_nothing_touches_nothing(cluster, pids):
    before = pids()
    assert cluster.passes(SITE).changes == dict.fromkeys(HOSTS, 0)
    assert pids() == before


def test_one_gpus_setting_restarts_one_plot_server_and_a_write_deadline_none(cluster, pids, server):
    before = pids()
    loaded = {name: server(name).http("http://127.0.0.1:8222/varz")["config_load_time"] for name in HOSTS}
    gpu = re.search(
        r"CUDA_VISIBLE_DEVICES=\"(GPU-[^\"]+)\"", server("node-1").definition("autonomys-plot-server-1")["environment"]
    )[1]
    cluster.settings.update(plot_server_gpu_concurrency={gpu: 14}, nats_write_deadline="11s")
    cluster.passes(SITE)
    after = pids()
    assert {key for key in before if after.get(key) != before[key]} == {("node-1", "autonomys-plot-server-1")}
    assert server("node-1").environment("autonomys-plot-server-1")["GPU_CONCURRENCY"] == "14"
    for name in HOSTS:
        page = server(name).http("http://127.0.0.1:8222/varz")
        assert (page["write_deadline"], page["config_load_time"] > loaded[name]) == (11 * 10**9, True)


def test_a_nats_server_that_does_not_come_back_is_put_back_and_no_other_is_touched(cluster, pids, server, until):
    """Another program takes the port while the server is away.

    After the former definition failed too, the thief is found and ended.
    """
    leader = meta_leader(server)
    victim = min(set(HOSTS) - {leader})
    before = pids()
    thief = server(victim).run(f"nohup python3 -c {shlex.quote(THIEF)} >/dev/null 2>&1 & echo $!").strip()
    done = cluster.fails(COMPONENT, component="nats", nats_jetstream_max_memory="300MB")
    assert f"nats on {victim} was restarted and is not healthy: " in done.text, done
    assert "nats-server" in done.text and "exit status 1" in done.text and "address already in use" in done.text, done
    assert f"Not restarted, and running as before: {', '.join(sorted(set(HOSTS) - {victim, leader}))}" in done.text, (
        done
    )
    after = pids()
    assert {key for key in before if after.get(key) != before[key]} == {(victim, "nats-server")}
    # Mended, it comes back by itself, as it was; nothing of the change is left.
    server(victim).run(f"kill {thief}")
    assert until(lambda: server(victim).pid("nats-server") and not wrong(server(victim)), 60), wrong(server(victim))
    assert until(lambda: cluster.passes(COMPONENT, component="nats").changes == dict.fromkeys(HOSTS, 0), 60)


def test_while_a_nats_server_is_down_no_other_one_is_restarted_unless_that_is_accepted(cluster, pids, server):
    before = pids()
    down = {"nats_state": "{{ 'stopped' if inventory_hostname == 'node-3' else 'started' }}"}
    cluster.settings.update(nats_jetstream_max_memory="300MB")
    done = cluster.fails(COMPONENT, component="nats", **down)
    assert re.search(
        r"nats on node-[12] was not restarted, because the others cannot do without it now: .*node-3", done.text
    ), done
    after = pids()
    assert {key for key in before if after.get(key) != before[key]} == {("node-3", "nats-server")}
    # JetStream has an outage then, and the operator said so.
    cluster.passes(COMPONENT, component="nats", cluster_accept=["HOST005", "NUMA001", "ROLL001"], **down)
    after = pids()
    assert {key for key in before if after.get(key) != before[key]} == {(name, "nats-server") for name in HOSTS}
    assert ("node-3", "nats-server") not in after
    cluster.passes(COMPONENT, component="nats")
    assert {name: wrong(server(name)) for name in HOSTS} == dict.fromkeys(HOSTS, [])


def test_while_a_nats_server_hangs_no_other_one_is_restarted(cluster, pids, server):
    """Its process and its connections are there, but it does nothing."""
    victim = max(set(HOSTS) - {meta_leader(server)})
    before = pids()
    cluster.settings.update(nats_jetstream_max_memory="320MB")
    process = before[(victim, "nats-server")]
    server(victim).run(f"kill -STOP {process}")
    try:
        done = cluster.fails(COMPONENT, component="nats")
    finally:
        server(victim).run(f"kill -CONT {process}")
    assert re.search(
        rf"nats on node-\d was not restarted, because the others cannot do without it now: .*{victim}", done.text
    ), done
    assert {key: pid for key, pid in pids().items() if key[1] == "nats-server"} == {
        key: pid for key, pid in before.items() if key[1] == "nats-server"
    }
    cluster.passes(COMPONENT, component="nats")
    assert {name: wrong(server(name)) for name in HOSTS} == dict.fromkeys(HOSTS, [])


def test_a_reload_that_was_cut_off_is_done_by_the_next_run(cluster, pids, server):
    """What a run leaves that ended between the writing of the configuration and the reload."""
    before = pids()
    server("node-2").run("sed -i 's/write_deadline: .*/write_deadline: \"12s\"/' /etc/nats-server.conf")
    assert server("node-2").http("http://127.0.0.1:8222/varz")["write_deadline"] == 11 * 10**9
    cluster.settings.update(nats_write_deadline="12s")
    cluster.passes(COMPONENT, component="nats")
    assert {name: server(name).http("http://127.0.0.1:8222/varz")["write_deadline"] for name in HOSTS} == dict.fromkeys(
        HOSTS, 12 * 10**9
    )
    assert cluster.passes(COMPONENT, component="nats").changes == dict.fromkeys(HOSTS, 0)
    assert pids() == before


def test_a_new_version_that_crashes_is_put_back_and_no_other_host_gets_it(cluster, releases, pids, server, switch):
    before = pids()
    switch("node-1", "node", crash_at_start=True, only_version=releases[1]["version"])
    done = cluster.fails(COMPONENT, component="node", demo_release=releases[1])
    assert "node on node-1 was restarted and is not healthy: " in done.text, done
    assert "exit status 1" in done.text and "panicked: fault switch crash_at_start" in done.text, done
    assert "Its former definition was put back, and it is at work again." in done.text, done
    assert "Not restarted, and running as before: node-2, node-3." in done.text, done
    after = pids()
    # The controller ends with its node and comes back.
    assert {key for key in before if after.get(key) != before[key]} <= {
        ("node-1", "autonomys-node"),
        ("node-1", "autonomys-controller"),
    }
    assert {version(server(name), "autonomys-node") for name in HOSTS} == {releases[0]["version"]}
    assert server("node-1").rpc("http://127.0.0.1:9944", "system_chain") == "Autonomys Mainnet"


def test_a_new_version_that_never_connects_is_put_back_and_no_other_host_gets_it(
    cluster, releases, pids, server, switch, until
):
    before = pids()
    switch("node-1", "controller", never_connect=True, only_version=releases[1]["version"])
    done = cluster.fails(COMPONENT, component="controller", demo_release=releases[1])
    assert "controller on node-1 was restarted and is not healthy: " in done.text, done
    assert "autonomys-controller has no connection to NATS" in done.text, done
    assert "Its former definition was put back, and it is at work again." in done.text, done
    assert "Not restarted, and running as before: node-2, node-3." in done.text, done
    after = pids()
    assert {key for key in before if after.get(key) != before[key]} == {("node-1", "autonomys-controller")}
    assert {version(server(name), "autonomys-controller") for name in HOSTS} == {releases[0]["version"]}
    assert until(lambda: any(":4222" in end for end in server("node-1").connections("autonomys-controller")))


def test_a_node_without_rpc_ends_the_run_before_anything_restarts(cluster, pids, server, switch, until):
    switch("node-2", "node", rpc="silent")
    assert until(lambda: not answers(server("node-2")))
    before = pids()
    done = cluster.fails(COMPONENT, component="node", node_health_timeout=4)
    assert "node-2" in done.text and "the node's RPC does not answer" in done.text, done
    assert {key: pid for key, pid in pids().items() if key[1] == "autonomys-node"} == {
        key: pid for key, pid in before.items() if key[1] == "autonomys-node"
    }


def test_a_hanging_stop_is_ended_and_a_lost_connection_stops_the_run_before_the_next_host(
    cluster, pids, server, switch, until
):
    """node-1 hangs at stop and is killed.

    Meanwhile the connection to node-2 breaks, so that neither it nor node-3 nor a later component changes.
    """
    switch("node-1", "node", hang_at_stop=True)
    before = pids()
    cluster.settings.update(node_environment={"FAULT": "cut"}, controller_environment={"FAULT": "cut"})

    def cut():
        until(lambda: server("node-1").pid("autonomys-node") != before[("node-1", "autonomys-node")], 120)
        server("node-2").run("systemctl stop ssh; pkill -9 sshd || true")

    thread = threading.Thread(target=cut)
    thread.start()
    try:
        done = cluster.fails(SITE)
        thread.join()
        assert re.search(r"UNREACHABLE.*node-2|node-2.*UNREACHABLE", done.output), done
        assert "autonomys-node did not end within its stopwaitsecs and was killed" in done.text, done
        after = pids()
        changed = {key for key in before if after.get(key) != before[key]}
        # The controller of node-1 ended with its node and came back, with what supervisord has of it: the former
        # definition.
        assert changed <= {("node-1", "autonomys-node"), ("node-1", "autonomys-controller")}, done
        assert server("node-1").environment("autonomys-node")["FAULT"] == "cut"
        assert "FAULT" not in server("node-1").environment("autonomys-controller")
    finally:
        thread.join()
        server("node-2").run("systemctl start ssh")


@pytest.mark.timeout(600 + 300 * KILLS)
def test_a_run_that_is_killed_at_any_moment_is_continued_by_the_next(cluster, releases, server):
    dice = random.Random(SEED)
    print(f"FAULT_SEED={SEED}")
    longest = 60.0
    for number in range(KILLS):
        if number == 0:
            # The new version, and what the test before left undone.
            cluster.settings.update(demo_release=releases[1])
        else:
            chosen = dice.sample(COMPONENTS, 2)
            cluster.settings.update({f"{component}_environment": {"FAULT": str(number)} for component in chosen})
        cluster.settings["nats_write_deadline"] = f"{13 + number}s"
        process = cluster.start(SITE)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=dice.uniform(1, longest))
        cluster.kill(process)
        for name in HOSTS:
            halves(server(name))
        started = time.monotonic()
        cluster.passes(SITE)
        longest = max(30.0, time.monotonic() - started)
        for name in HOSTS:
            halves(server(name))
            assert wrong(server(name)) == [], (SEED, number, name)
            page = server(name).http("http://127.0.0.1:8222/varz")
            assert page["write_deadline"] == int(cluster.settings["nats_write_deadline"][:-1]) * 10**9, (
                SEED,
                number,
                name,
            )
    assert cluster.passes(SITE).changes == dict.fromkeys(HOSTS, 0), SEED


def halves(server):
    """Fail when a file is there in part.

    Definitions that do not parse, a configuration that nats-server refuses, an incomplete version.
    """
    for path in server.run("ls -A /etc/supervisor/conf.d").split():
        # A definition, or the former one beside it.
        assert path.endswith((".conf", ".previous")), path
        parser = configparser.RawConfigParser(inline_comment_prefixes=(" ;",), strict=True)
        parser.read_string(server.run(f"cat /etc/supervisor/conf.d/{path}"))
        assert parser.sections() and all("stdout_logfile" in parser[section] for section in parser.sections()), path
    binary = server.run("ls -d /opt/autonomys/nats/*/nats-server").split()[-1]
    server.run(f"{binary} -t -c /etc/nats-server.conf")
    for folder in server.run("ls -d /opt/autonomys/releases/v*").split():
        assert {"autonomys-farmer", "autonomys-node"} <= set(server.run(f"ls {folder}").split()), folder
