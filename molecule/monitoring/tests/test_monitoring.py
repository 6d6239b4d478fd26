# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator hears when something breaks: alerts in the API of a real Prometheus, and in Alertmanager."""

from __future__ import annotations

import json
import shlex

import pytest

HOSTS = ("node-1", "node-2", "node-3")
INVENTORIES = ("molecule/inventory", "-i", "molecule/monitoring/inventory")
GPUS = "/etc/autonomys-fakes/gpus.json"
FARM, OTHER = "/mnt/nvme0n1", "/mnt/nvme0n2"

#: Host to faults: what puts one, what takes it away, and the alerts with labels that it brings.
FAULTS = [
    (
        "node-1",
        "taskset -apc 0,1 $(pidof_program autonomys-plot-server-0)",
        "supervisorctl restart autonomys-plot-server-0",
        [("MaskEscaped", {"program": "autonomys-plot-server-0"})],
    ),
    (
        "node-1",
        f"cp {GPUS} /run/gpus.json; python3 -c \"import json; g = json.load(open('{GPUS}')); "
        f"json.dump(g[:-1], open('{GPUS}', 'w'))\"",
        f"cp /run/gpus.json {GPUS}",
        [("GpuMissing", {})],
    ),
    (
        "node-1",
        "echo '# by hand' >>/etc/nats-server.conf",
        "sed -i '/^# by hand$/d' /etc/nats-server.conf",
        [("Drift", {"part": "nats"})],
    ),
    (
        "node-2",
        "supervisorctl stop autonomys-controller",
        "supervisorctl start autonomys-controller",
        [("ProgramDown", {"program": "autonomys-controller"})],
    ),
    (
        "node-2",
        f"mkdir -p /run/kept && mount --bind {FARM} /run/kept && umount -l {FARM}",
        f"mount --bind /run/kept {FARM} && umount /run/kept && supervisorctl restart autonomys-plot-client",
        [("DiskUnmounted", {"path": FARM})],
    ),
    (
        "node-2",
        "kill -STOP $(pidof_program autonomys-node)",
        "kill -CONT $(pidof_program autonomys-node)",
        [("NodeDown", {})],
    ),
    (
        "node-3",
        "supervisorctl stop nats-server",
        "supervisorctl start nats-server",
        [("NatsDown", {}), ("ProgramDown", {"program": "nats-server"})],
    ),
    (
        "node-3",
        "supervisorctl stop autonomys-plot-client && mount -o remount,bind,ro " + OTHER,
        f"mount -o remount,bind,rw {OTHER} && supervisorctl start autonomys-plot-client",
        [("DiskReadOnly", {"path": OTHER}), ("FarmMissing", {"path": OTHER})],
    ),
    (
        "node-3",
        "fallocate -l $(df --output=avail -B1 /var/lib/full | tail -n 1) /var/lib/full/much || true",
        "rm /var/lib/full/much",
        [("DiskFull", {"mountpoint": "/var/lib/full"})],
    ),
]
PIDOF = "pidof_program() { supervisorctl pid $1; }; "


@pytest.fixture(scope="module", autouse=True)
def cluster(operator):
    made = operator(INVENTORIES[0])
    made.passes("site.yml", *INVENTORIES[1:])
    return made


@pytest.fixture(scope="module")
def prometheus(server):
    """Ask the API of Prometheus, where it answers: on its own host only."""

    def ask(path, port=9090):
        return server("node-1").http(f"http://127.0.0.1:{port}{path}")

    return ask


@pytest.fixture(scope="module")
def firing(prometheus):
    """The alerts that fire, apart from the one that always does."""

    def ask():
        alerts = prometheus("/api/v1/alerts")["data"]["alerts"]
        return [
            alert["labels"]
            for alert in alerts
            if alert["state"] == "firing" and alert["labels"]["alertname"] != "Watchdog"
        ]

    return ask


def fetch(host, url):
    """Ask for a page from a host: what it says, or the error."""
    code = f"import urllib.request; print(urllib.request.urlopen({url!r}, timeout=3).read().decode())"
    done = host.host.run(f'python3 -c "{code}"')
    return done.stdout if done.rc == 0 else done.stderr


def has(alerts, name, host, labels):
    wanted = {"alertname": name, "host": host, **labels}
    return any(wanted.items() <= alert.items() for alert in alerts)


def test_a_second_run_changes_nothing(cluster):
    assert cluster.passes("site.yml", *INVENTORIES[1:]).changes == dict.fromkeys(HOSTS, 0)


def test_every_host_is_asked_and_nothing_is_wrong(prometheus, firing, until):
    def up():
        targets = prometheus("/api/v1/targets")["data"]["activeTargets"]
        return {target["labels"].get("host") for target in targets if target["health"] == "up"} >= set(HOSTS)

    assert until(up)
    assert until(lambda: not firing(), 90), firing()

    def told():
        return [alert["labels"]["alertname"] for alert in prometheus("/api/v2/alerts", 9093)]

    assert until(lambda: told() == ["Watchdog"]), told()


def test_nobody_else_is_answered(server):
    """Prometheus and Alertmanager ask for no password."""
    for port in (9090, 9093):
        assert "Connection refused" in fetch(server("node-2"), f"http://{server('node-1').address}:{port}/")


@pytest.mark.parametrize("name", HOSTS)
def test_metrics_are_few_and_the_collector_costs_little(server, prometheus, name):
    page = fetch(server(name), f"http://{server(name).address}:9100/metrics")
    ours = [line for line in page.splitlines() if line.startswith("autonomys_")]
    assert 50 < len(ours) < 500
    spent = [float(line.split()[1]) for line in ours if line.startswith("autonomys_collector_cpu_seconds")]
    print(name, len(ours), "series,", spent, "s of CPU")
    assert max(spent) < 5


def test_what_the_host_should_be_is_read_by_root_only(server):
    for name in HOSTS:
        assert server(name).host.file("/etc/autonomys/expected.json").mode == 0o600
        denied = server(name).host.run("setpriv --reuid=65534 --clear-groups cat /etc/autonomys/expected.json")
        assert denied.rc != 0


@pytest.fixture(scope="module")
def broken(server):
    """All faults at once, on hosts where they do not hide each other."""
    for name, fault, _mended, _alerts in FAULTS:
        server(name).run(f"bash -c {shlex.quote(PIDOF + fault)}")


@pytest.mark.parametrize(
    ("host", "name", "labels"),
    [(host, name, labels) for host, _fault, _mended, alerts in FAULTS for name, labels in alerts],
)
def test_each_fault_has_its_alert_that_names_it(broken, firing, until, host, name, labels):
    assert until(lambda: has(firing(), name, host, labels), 90), json.dumps(firing(), indent=1)


def test_the_cluster_says_that_it_lacks_a_nats_server(broken, firing, until):
    assert until(lambda: has(firing(), "NatsMemberMissing", "node-2", {}), 60), firing()


def test_a_driver_that_hangs_hides_nothing_else(broken, server, firing, until):
    """nvidia-smi never ends; programs, NATS and the node are still told of."""
    host = server("node-1")
    program = host.run("command -v nvidia-smi").strip()
    host.run(f"mv {program} {program}.kept && printf '#!/bin/sh\nexec sleep 600\n' >{program} && chmod +x {program}")
    try:
        assert until(lambda: has(firing(), "GpuDriverSilent", "node-1", {}), 120), firing()
        age = host.run("echo $(($(date +%s) - $(stat -c %Y /var/lib/prometheus/node-exporter/autonomys_state.prom)))")
        assert int(age) < 30
    finally:
        host.run(f"mv {program}.kept {program}")


def test_what_is_mended_is_silent_again(broken, server, firing, until):
    for name, _fault, mended, _alerts in FAULTS:
        server(name).run(f"bash -c {shlex.quote(PIDOF + mended)}")
    assert until(lambda: not firing(), 120), json.dumps(firing(), indent=1)
