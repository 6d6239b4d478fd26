# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What make bench-site reads, counts and prints."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections import Counter
from pathlib import Path

import bench_recorded
import pytest
import site_hosts
import site_measure
import yaml
from site_measure import Cost

ROOT = Path(__file__).parents[3]

RECAP = """\
TASK [Say something] ***
ok: [node-1] => changed=7
PLAY RECAP *********************************************************************
node-1                     : ok=22   changed=0    unreachable=0    failed=0    skipped=3    rescued=0    ignored=0
storage-1                  : ok=9    changed=2    unreachable=0    failed=0    skipped=0    rescued=0    ignored=0
"""

EXECUTIONS = """\
<10.0.0.11> ESTABLISH SSH CONNECTION FOR USER: root
<10.0.0.11> SSH: EXEC ssh -C -o ControlMaster=auto 10.0.0.11 '/bin/sh -c /usr/bin/python3'
<10.0.0.12> SSH: EXEC ssh -C -o ControlMaster=auto 10.0.0.12 '/bin/sh -c /usr/bin/python3'
<10.0.0.11> SSH: EXEC ssh -C -o ControlMaster=auto 10.0.0.11 '/bin/sh -c /usr/bin/python3'
 a line that tells of <10.0.0.12> SSH: EXEC is none
"""

PROGRAMS = """\
; Managed by Ansible

[program:one]
command=/opt/one path=/mnt/a,sectors=42
environment=A="1"

[program:two]
command=/opt/two
"""


# Reading


def test_the_recap_tells_what_changed():
    assert site_measure.changes(RECAP) == {"node-1": 0, "storage-1": 2}


def test_executions_are_counted_by_address():
    assert site_measure.executions(EXECUTIONS) == {"10.0.0.11": 2, "10.0.0.12": 1}


@pytest.mark.parametrize(
    ("counts", "hosts", "shown"),
    [({"a": 1, "b": 1}, 2, "1"), ({"a": 12, "b": 6}, 2, "6-12"), ({"a": 1}, 2, "0-1"), ({}, 2, "0")],
)
def test_the_spread_of_executions_knows_hosts_that_were_not_asked(counts, hosts, shown):
    assert site_measure.spread(Counter(counts), hosts) == shown


@pytest.mark.parametrize(
    ("text", "seconds"), [("2500000000\n", 2.5), ("usage_usec 1500000\nuser_usec 7\nsystem_usec 3\n", 1.5)]
)
def test_both_versions_of_control_groups_tell_the_cpu_time(text, seconds):
    assert site_measure.cpu_seconds(text) == seconds


def test_the_memory_is_that_of_a_process_and_all_below_it():
    parents = {2: 1, 3: 2, 4: 3, 5: 1, 6: 99}
    assert site_measure.descendants(2, parents) == {2, 3, 4}


def test_a_run_is_measured_with_all_that_it_started(tmp_path):
    work = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'sum(range(10**7))'])"
    cost = site_measure.run([sys.executable, "-c", work], {}, tmp_path / "log", [], tmp_path)
    assert cost.wall > 0 and cost.largest_process > 1
    assert cost.cpu > 0.1


def test_a_run_that_fails_ends_the_bench_with_what_it_said(tmp_path):
    with pytest.raises(SystemExit, match=r"status 3.*\n.*no such thing"):
        site_measure.run(["sh", "-c", "echo no such thing; exit 3"], {}, tmp_path / "log", [], tmp_path)


def test_programs_are_read_in_their_order():
    assert site_hosts.sections(PROGRAMS) == [
        {"name": "one", "settings": {"command": "/opt/one path=/mnt/a,sectors=42", "environment": 'A="1"'}},
        {"name": "two", "settings": {"command": "/opt/two"}},
    ]


# Tables


def test_medians_are_of_each_part():
    assert site_measure.medians([Cost(1, 9, 5), Cost(2, 7, 6), Cost(9, 8, 7)]) == Cost(2, 8, 6)


def test_what_hosts_do_anyway_is_taken_off():
    assert site_measure.idle_taken_off(Cost(10, 1, 6), 0.5).hosts_cpu == 1
    assert site_measure.idle_taken_off(Cost(10, 1, 4), 0.5).hosts_cpu == 0


def test_the_table_compares_with_the_base():
    costs = {"ours": [Cost(5, 2, 1)], "stock": [Cost(20, 8, 4)], "pyinfra": [Cost(4, 1, 1)]}
    assert site_measure.comparison(costs, "stock", {"ours": "1", "stock": "9-22"}) == (
        "         wall s  of stock  control CPU s  of stock  hosts' CPU s  executions per host\n"
        "ours        5.0      0.25            2.0      0.25           1.0                    1\n"
        "stock      20.0      1.00            8.0      1.00           4.0                 9-22\n"
        "pyinfra     4.0      0.20            1.0      0.12           1.0                    -"
    )


def test_growth_is_compared_with_that_of_the_floor():
    small = {"ours": [Cost(5, 2)], "floor": [Cost(4, 1)]}
    large = {"ours": [Cost(8, 4.8)], "floor": [Cost(6.5, 3)]}
    lines = site_measure.growth(small, large, 14).splitlines()
    assert lines[1].split() == ["ours", "5.0", "8.0", "3.0", "1.20", "2.0", "4.8", "0.20"]
    assert lines[2].split() == ["floor", "4.0", "6.5", "2.5", "1.00", "1.0", "3.0", "0.14"]


# Inventories


def test_seven_hosts_are_those_of_the_demo():
    demo = yaml.safe_load((ROOT / "inventories/demo/hosts.yml").read_text())
    assert site_hosts.inventory(7) == demo


@pytest.mark.parametrize("count", [7, 21, 40, 200])
def test_any_number_of_hosts_has_addresses_of_its_own(count):
    kinds = site_hosts.names(count)
    lasts = [last for hosts in kinds.values() for last in hosts.values()]
    assert len(set(lasts)) == len(lasts) == count
    assert min(lasts) > 10 and max(lasts) < 255
    assert len(kinds["node"]) == 3 < len(kinds["plotter"]) + 2


def test_the_first_seven_of_many_hosts_are_the_demo_s():
    seven, many = site_hosts.names(7), site_hosts.names(40)
    assert all(many[kind].items() >= hosts.items() for kind, hosts in seven.items())


@pytest.mark.parametrize("count", [6, 201])
def test_what_is_no_such_cluster_is_refused(count):
    with pytest.raises(SystemExit, match="from 7 to 200"):
        site_hosts.names(count)


def test_the_stock_playbook_gets_what_is_deployed():
    read = {
        "files": {"/etc/supervisor/conf.d/autonomys-x.conf": PROGRAMS},
        "digests": {"/opt/autonomys/releases/v1/autonomys-node": "0", "/opt/autonomys/nats/2.14/nats-server": "1"},
        "folders": {},
    }
    found = site_hosts.stock_variables(read)
    assert found["stock_release"] == "/opt/autonomys/releases/v1"
    assert found["stock_nats"] == "/opt/autonomys/nats/2.14"
    assert [program["name"] for program in found["stock_programs"]["autonomys-x"]] == ["one", "two"]
    assert found["stock_folders"] == {"autonomys-x": []}
    _name, host = site_hosts.pyinfra_host("x", "10.0.0.1", read)
    assert (host["programs"], host["questions"]) == (["one", "two"], [])


# Recorded hosts


@pytest.fixture(scope="module")
def recorded():
    spec = importlib.util.spec_from_file_location("recorded", ROOT / "tests/bench/recorded/connection/recorded.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_recorded_hosts_stand_for_hosts_of_their_kind():
    children = bench_recorded.inventory(200, "10.0.0")["all"]["children"]
    storage = children["storage_hosts"]["hosts"]
    assert len(storage) == 147
    assert (storage["storage-3"]["recorded_name"], storage["storage-3"]["recorded_address"]) == (
        "storage-1",
        "10.0.0.31",
    )
    assert storage["storage-4"]["recorded_name"] == "storage-2"
    assert children["node_hosts"]["hosts"]["node-3"]["recorded_name"] == "node-3"


def test_the_cost_of_tasks_is_summed_by_what_they_are_for():
    costs = [
        ["start", 1.0, 0.5],
        ["autonomys.cluster.common : Read the host", 5.0, 2.0],
        ["Read the host", 5.0, 1.0],
        ["Keep the model", 0.1, 0.25],
        ["Note something", 0.1, 0.125],
    ]
    found = bench_recorded.parts(costs)
    assert found == {
        "model": 0.25,
        "readings": 3.0,
        "verdicts": 0.0,
        "table of the state": 0.0,
        "start": 0.5,
        "everything else": 0.125,
    }


def test_a_recorded_answer_gets_the_name_of_its_host(recorded):
    names = {"plotter-1": "plotter-37", "10.0.0.21": "10.0.0.57"}
    text = json.dumps({"host": "plotter-1", "log": "/var/log/autonomys-plotter-1.log", "at": "10.0.0.21:9966"})
    answer = json.loads(recorded.renamed(text, names))
    assert answer == {"host": "plotter-37", "log": "/var/log/autonomys-plotter-1.log", "at": "10.0.0.57:9966"}
    assert recorded.renamed("plotter-12 10.0.0.211", names) == "plotter-12 10.0.0.211"


def test_no_two_recorded_hosts_have_the_same_farm(recorded):
    text = json.dumps({"farm": {"id": "0" * 32, "identity": "1" * 16}, "distribution": {"id": "debian"}})
    one, other = (json.loads(recorded.own_farms(text, host)) for host in ("storage-1", "storage-3"))
    assert one["distribution"] == other["distribution"] == {"id": "debian"}
    assert all(one["farm"][name] != other["farm"][name] for name in ("id", "identity"))
    assert (len(one["farm"]["id"]), len(one["farm"]["identity"])) == (32, 16)


@pytest.mark.parametrize(
    "source",
    [b"module_fqn='ansible_collections.a.b.plugins.modules.host_info'", b'module_fqn = "ansible.modules.host_info"'],
)
def test_the_module_that_runs_is_known(recorded, source):
    assert recorded.MODULE.findall(source) == [b"host_info"]
