# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command lines as people write them; those whose launchers are installed here are run too, and must agree."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._components.names import is_binary
from ansible_collections.autonomys.cluster.plugins.module_utils._cpuset import parse_cpu_list
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.launchers import Launched, unwrap

PROGRAM = "/root/autonomys/autonomys-farmer"
GPU = "CUDA_VISIBLE_DEVICES"


def launched(line: str) -> Launched:
    return unwrap(shlex.split(line), is_binary)


@pytest.mark.parametrize(
    ("line", "cpus"),
    [
        ("{program}", None),
        ("numactl -C 0-31 -l {program}", "0-31"),
        ("/usr/bin/numactl -C 0-31 -l {program}", "0-31"),
        ("numactl -C0-31 -l {program}", "0-31"),
        ("numactl -lC 0-31 {program}", "0-31"),
        ("numactl --physcpubind=0-31 --localalloc {program}", "0-31"),
        ("numactl --physcpubind 0-31 --localalloc {program}", "0-31"),
        ("numactl --phys=0-31 --local {program}", "0-31"),
        ("numactl -l -C 0,2,4 -- {program}", "0,2,4"),
        ("numactl -C all {program}", None),
        ("numactl -m 0 -N 0 {program}", None),
        ("numactl --cpunodebind=0 --membind=0 {program}", None),
        ("numactl --interleave=all {program}", None),
        ("taskset -c 0-7,16-23 {program}", "0-7,16-23"),
        ("taskset --cpu-list 0-7 {program}", "0-7"),
        ("taskset -ac 0-7 {program}", "0-7"),
        ("taskset -c 0-7:2 {program}", "0,2,4,6"),
        ("taskset 0xff {program}", "0-7"),
        ("taskset ff0f {program}", "0-3,8-15"),
        ("schedtool -a 0x3 -e {program}", "0-1"),
        ("nice -n 10 {program}", None),
        ("nice -n-10 {program}", None),
        ("nice -10 {program}", None),
        ("nice --adjustment=5 ionice -c2 -n 7 {program}", None),
        ("ionice -c 2 -n 0 {program}", None),
        ("chrt -b 0 {program}", None),
        ("chrt --rr 50 {program}", None),
        ("stdbuf -oL -eL {program}", None),
        ("stdbuf --output=0 {program}", None),
        ("nohup {program}", None),
        ("setsid -w {program}", None),
        ("timeout -k 5 -s TERM 1h {program}", None),
        ("timeout --signal=TERM 1h {program}", None),
        ("time -v -o /tmp/log {program}", None),
        ("prlimit --nofile=1048576:1048576 {program}", None),
        ("sudo -E -u autonomys {program}", None),
        ("sudo -Eiu autonomys -- {program}", None),
        ("sudo --user=autonomys --preserve-env {program}", None),
        ("runuser -u autonomys -- {program}", None),
        ("runuser --user autonomys {program}", None),
        ("setpriv --reuid=1000 --regid=1000 --clear-groups {program}", None),
        ("setpriv --reuid autonomys --init-groups {program}", None),
        ("chpst -u autonomys -o 100000 {program}", None),
        ("gosu autonomys {program}", None),
        ("setuidgid autonomys {program}", None),
        ("flock -n /run/autonomys-farmer.lock {program}", None),
        ("cgexec -g cpuset:plotters {program}", None),
        ("chroot --userspec=autonomys:autonomys /srv/root {program}", None),
        ("unshare -m {program}", None),
        ("systemd-run --scope -p AllowedCPUs=0-3 --unit farmer {program}", "0-3"),
        ("systemd-run --scope --property='CPUAffinity=0 1 2' {program}", "0,1,2"),
        ("tini -s -- {program}", None),
        ("dumb-init -- {program}", None),
        ("env -u FOO -C /tmp {program}", None),
        ("env -S 'A=1 numactl -C 3' {program}", "3"),
        ("strace -f -o /tmp/trace {program}", None),
        ("busybox taskset 1 {program}", "0"),
        ("nice -n 5 ionice -c 3 numactl -C 4-5 -l taskset -c 4 {program}", "4"),
        ("bash -c 'exec numactl -C 0-3 -l {program} {arguments}'", "0-3"),
        ("/bin/bash -lc 'cd /root; ulimit -n 1048576 && exec taskset -c 1 {program} {arguments} 2>&1'", "1"),
        ("sh -c '{program} {arguments} >> /var/log/x.log 2>&1'", None),
        ("sh -c '{program} {arguments} | tee /var/log/x.log'", None),
        ("sh -c 'sleep 5; while true; do {program} {arguments}; sleep 5; done'", None),
        ("bash -o pipefail -c 'source /etc/profile; . /root/env; {program} {arguments}'", None),
        ("su autonomys -c 'numactl -C 2 {program} {arguments}'", "2"),
        ("su - autonomys -s /bin/bash -c 'exec {program} {arguments}'", None),
        ("runuser -l autonomys -c '{program} {arguments}'", None),
        ("flock /run/lock -c '{program} {arguments}'", None),
        ("python3 -u {program}", None),
        ("/opt/some-wrapper --quiet {program}", None),
    ],
)
def test_program_and_cpus_are_found_behind_launchers(line: str, cpus: str | None) -> None:
    line = line.format(program=PROGRAM, arguments="cluster plot-server")
    line += "" if "cluster" in line else " cluster plot-server"
    found = launched(line)
    assert (found.command, found.cpus) == ([PROGRAM, "cluster", "plot-server"], cpus)


@pytest.mark.parametrize(
    "program", ["autonomys-farmer", "./autonomys-farmer", "bin/autonomys-farmer-skylake-v1.2", "/x y/subspace-farmer"]
)
def test_every_name_of_a_program(program: str) -> None:
    for line in ("numactl -C 1 {}", "sudo -E {} run", "bash -c 'exec numactl -C 1 {} run'"):
        command = launched(
            line.format(program if "bash" in line and " " not in program else shlex.quote(program))
        ).command
        if " " not in program or "bash" not in line:
            assert command[0] == program


@pytest.mark.parametrize(
    ("line", "gpu"),
    [
        ("{program}", "outer"),
        ("env {gpu}=1 {program}", "1"),
        ("env -i {program}", None),
        ("env - A=1 {gpu}=2 {program}", "2"),
        ("env -u {gpu} {program}", None),
        ("env --unset={gpu} {program}", None),
        ("numactl -C 0-31 -l env {gpu}=1 {program}", "1"),
        ("env {gpu}=1 numactl -C 0-31 -l {program}", "1"),
        ("env -S '{gpu}=3 A=b' {program}", "3"),
        ("sudo {program}", None),
        ("sudo -E {program}", "outer"),
        ("sudo {gpu}=4 {program}", "4"),
        ("setpriv --reset-env --reuid 1 {program}", None),
        ("su - x -c '{program}'", None),
        ("su x -c '{gpu}=5 exec {program}'", "5"),
        ("bash -c 'export {gpu}=6; exec {program}'", "6"),
        ("bash -c '{gpu}=7; export {gpu}; {program}'", "7"),
        ("bash -c '{gpu}=8 echo; exec {program}'", "outer"),
        ("bash -c 'unset {gpu}; exec {program}'", None),
        ("systemd-run --scope -E {gpu}=9 {program}", "9"),
    ],
)
def test_the_environment_that_arrives(line: str, gpu: str | None) -> None:
    found = launched(line.format(program=PROGRAM, gpu=GPU))
    assert found.variable(GPU, {GPU: "outer"}) == gpu
    assert found.command == [PROGRAM]


@pytest.mark.parametrize(
    "line",
    ["", "numactl -C", "numactl", "taskset", "taskset -c 0-3", "env A=1", "su root", "bash", "bash -c ''", "sudo -u"],
)
def test_without_a_program_there_is_no_command(line: str) -> None:
    assert launched(line).command == []


def test_what_is_no_launcher_is_the_program() -> None:
    assert launched("/root/start.sh --gpu 0").command == ["/root/start.sh", "--gpu", "0"]
    assert launched("bash /root/start.sh 0").command == ["/root/start.sh", "0"]
    assert launched("cat").command == ["cat"]


# What the launchers themselves make of it

WITNESS = """#!{python}
import json, os, sys
print(json.dumps([sys.argv[1:], sorted(os.sched_getaffinity(0)), os.environ.get("CUDA_VISIBLE_DEVICES")]))
"""


@pytest.fixture
def witness(tmp_path: Path) -> str:
    path = tmp_path / "autonomys-farmer"
    path.write_text(WITNESS.format(python=sys.executable), encoding="utf-8")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    "line",
    [
        "numactl --physcpubind={cpu} --localalloc {program} a b",
        "numactl --phys {cpu} --local {program} a b",
        "numactl -lC {cpu} {program} a b",
        "taskset -c {cpu} {program} a -c b",
        "taskset --cpu-list {cpu} nice -n 5 ionice -c 3 {program} a",
        "nice -5 {program} a",
        "chrt --batch 0 {program} a",
        "stdbuf -o L -eL {program} a",
        "env -u X -C / {gpu}=1 {program} a",
        "env -i PATH=/usr/bin:/bin {program} a",
        "env - {gpu}=2 {program} -i",
        "env -S '{gpu}=3 nice' {program} a",
        "timeout -k 5 --signal=TERM 60 {program} a",
        "prlimit --nofile=1024:1024 {program} a",
        "setpriv --no-new-privs --bounding-set -sys_admin {program} a",
        "setsid -w {program} a",
        "flock -n {program}.lock {program} a",
        "flock {program}.lock -c '{program} a'",
        "runuser -u root -- {program} a",
        "runuser root -c '{gpu}=4 {program} a'",
        "su root -c 'exec {program} a'",
        "bash -c 'cd /; export {gpu}=5; exec taskset -c {cpu} {program} a 2>&1'",
        "sh -c '{gpu}=6 {program} a | cat'",
        "bash -ec '{program} a' name",
    ],
)
def test_the_launchers_agree(line: str, witness: str, monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = os.sched_getaffinity(0)
    monkeypatch.setenv(GPU, "outer")
    words = shlex.split(line.format(program=witness, gpu=GPU, cpu=max(allowed)))
    if not shutil.which(words[0]) or (words[0] in ("su", "runuser", "setpriv", "chrt") and os.geteuid() != 0):
        pytest.skip(f"{words[0]} cannot be run here")
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    arguments, cpus, gpu = json.loads(done.stdout)
    found = unwrap(words, is_binary)
    assert found.command == [witness, *arguments]
    assert parse_cpu_list(found.cpus) == (set(cpus) if set(cpus) != allowed or found.cpus else set())
    assert found.variable(GPU, {GPU: "outer"}) == gpu


SCRIPTS = {
    "/opt/start": (
        "#!/usr/bin/env bash\nset -e  # stop at errors\n# exec /x/autonomys-node old\nDATA=/var/node\n"
        'export RUST_LOG=info\nulimit -n 65536\nexec numactl -C 0-3 /x/autonomys-node run --base-path "${DATA}" '
        '--name "${NAME:-me}" \\\n  --chain $CHAIN "$@"\n'
    ),
    "/opt/outer": "#!/bin/sh\n/opt/start --farmer\n",
    "/opt/circle": "#!/bin/sh\nexec /opt/circle\n",
    "/opt/other": "#!/bin/sh\nexec /usr/bin/top\n",
    "/opt/odd": "#!/bin/sh\necho 'it\n",
}
RUN = ["/x/autonomys-node", "run", "--base-path", "/var/node", "--name", "me", "--chain", "$CHAIN"]


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("/opt/start", RUN),
        ("/opt/start --farmer", [*RUN, "--farmer"]),
        ("env A=1 bash /opt/start -x y", [*RUN, "-x", "y"]),
        ("/opt/outer", [*RUN, "--farmer"]),
        # What cannot be told is not taken for the program.
        ("/opt/circle", []),
        ("/opt/other", []),
        ("/opt/odd", []),
        ("/opt/no-script run", ["/opt/no-script", "run"]),
    ],
)
def test_start_scripts(line: str, command: list[str]) -> None:
    found = unwrap(shlex.split(line), is_binary, SCRIPTS.get)
    assert found.command == command
    if command[:1] == RUN[:1]:
        assert (found.cpus, found.variable("RUST_LOG", {})) == ("0-3", "info")
