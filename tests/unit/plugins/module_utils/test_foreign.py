# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All functions that understand what others wrote: each is marked, and each is given hostile texts.

What a function returns is compared with the type that it is annotated with, and what it raises with the one error that
is documented.
"""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import time
import typing
import xmlrpc.client
from pathlib import Path

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._components.names import is_binary
from ansible_collections.autonomys.cluster.plugins.module_utils._cpuset import CpuSetError
from ansible_collections.autonomys.cluster.plugins.module_utils._foreign import reads_foreign
from ansible_collections.autonomys.cluster.plugins.module_utils._gpu.nvidia_smi import NvidiaError
from ansible_collections.autonomys.cluster.plugins.module_utils._kinds import KindError
from ansible_collections.autonomys.cluster.plugins.module_utils._lock.record import RecordError
from ansible_collections.autonomys.cluster.plugins.module_utils._node_rpc import METHODS, RpcError
from ansible_collections.autonomys.cluster.plugins.module_utils._release.request import ReleaseError
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.errors import ConfError
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.rpc import SupervisorError
from ansible_collections.autonomys.cluster.tests.unit.hostile import LONG, is_of, objects, texts, values
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).parents[4]
UTILS = ROOT / "plugins/module_utils"
MODULES = "ansible_collections.autonomys.cluster.plugins.module_utils"
LENGTH = 20_000
EXAMPLES = int(os.environ.get("AUTONOMYS_EXAMPLES", "200"))

# Names that say that a function reads what others wrote, and first arguments that do.
NAMES = ("parse", "from_")
ARGUMENTS = {"text", "output", "raw", "stdout", "stderr", "meminfo", "ruleset", "body", "line", "log", "shown"}
ARGUMENTS |= {"varz", "routez", "jsz", "healthz", "answer", "answers", "results", "data"}

# Functions that look so and are not marked, with the reason.
OWN_FILES = "a file that this collection wrote, which parse has read before: test_marks, test_masking, test_write"
EXPLAINED = {
    **dict.fromkeys(
        [f"_supervisor.marks.{name}" for name in
         ("set_autostart", "kept_stopped", "leaving", "with_leaving", "stopped_groups", "group_texts")],
        OWN_FILES,
    ),
    "_supervisor.masking.masked_text": OWN_FILES,
    "_secrets.masked_url": "a value of the inventory, where the tests are about what it hides: test_secrets",
    "_secrets.hidden": "the text is not understood, only parts of it are replaced: test_secrets",
    "_secrets.has_secret_url": "a value of the inventory: test_secrets",
    "_printable.printable": "the text is not understood: test_printable gives it any",
    "_nats.deployed.setting": "behind told and essence",
    "_host.read.service_limit": "asks fields_of and natural, and then the host",
}  # fmt: skip

# Marked functions whose own tests make better examples.
ELSEWHERE = {
    "_nats.monitor.reading": ("_nats/test_monitor.py", "test_an_answer_of_another_shape_is_an_error_or_a_reading")
}

MOUNTS = (
    "36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n"
    "25 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
)
CONF = (
    "[unix_http_server]\nfile=/run/s.sock\n[program:autonomys-node]\ncommand=/opt/autonomys/v1/autonomys-node run ; x\n"
    'environment=A="1",B="%%2"\nautostart=true\n[group:g]\nprograms=a, b\n'
)
CSV = (
    "0, GPU-11111111-2222-3333-4444-000000000000, NVIDIA A100, 00000000:01:00.0, 81920, 550.54\n"
    "1, [Unknown Error], x, y, z, 1\n"
)
TOPO = (
    "\tGPU0\tGPU1\tCPU Affinity\tNUMA Affinity\n"
    "GPU0\t X \tNV4\t0-3\t0\nGPU1\tNV4\t X \t4-7\t1\n\nLegend:\n  NIC0: mlx5_0\n"
)
SHOWN = {
    "LoadState": "loaded",
    "ActiveState": "failed",
    "SubState": "exited",
    "Description": "x (job abc)",
    "ExecMainStartTimestamp": "@1700000000",
    "ExecMainStartTimestampMonotonic": "12345678",
    "ExecMainExitTimestampMonotonic": "22345678",
    "ExecMainStatus": "3",
    "ExecMainCode": "1",
    "Result": "exit-code",
}
HOLDER = dict.fromkeys(["run", "operator", "control_node", "playbook", "cluster", "boot", "namespace"], "x")
HOLDER |= {"process": 1, "started": 2}
RECORD = {"generation": 1, "boot": "x", "holder": HOLDER, "since": 1.5, "renewed": 2.5, "ticks": 3.5}
GPU_STATES = "GPU-11111111-2222, 61, 287.41, 10240, 98, 8, 16, [N/A], 0x44\n[GPU is lost], 1, 1, 1, 1, 1, 1, 1, 0x0\n"
KERNEL = "NVRM: Xid (PCI:0000:41:00): 79, pid=1\nNVRM: GPU at PCI:0000:42:00.0: GPU has fallen off the bus.\n"
UNIT = "[Service]\n# x\nEnvironment=A=1 'B=2'\nExecStart=-/x/autonomys-node run \\\n -d /y\nCPUAffinity=0-3 8\n"
SCRIPT = '#!/bin/bash\n# x\nA=1\nexport B=${A:-2}\nif true; then exec taskset -c 0-3 /x/autonomys-node $B "$@"; fi\n'
JOB = "".join(f"{key}={value}\n" for key, value in SHOWN.items())
MANIFEST = (
    '{"installed": 1.5, "files": {"a": {"checksum": "c", "extract": null, "sha256": "s", "size": 1, "mtime_ns": 2}}}'
)
NATS = 'server_name: n1 # x\njetstream { store_dir: "/data/js", max_file: 1G }\ninclude other.conf\n'
LOG = "2025 INFO spawned: 'a' with pid 1\n2025 WARN exited: a (exit status 1; not expected)\n2025 INFO stopped: a (x)\n"
XML = (
    "<?xml version='1.0'?><methodResponse><params><param><value><array><data><value><struct><member><name>a</name>"
    "<value><int>1</int></value></member></struct></value></data></array></value></param></params></methodResponse>"
)
XML_KINDS = XML.replace("<int>1</int>", "<boolean>1</boolean>"), XML.replace("<int>1</int>", "<double>1</double>")
ADDRESSES = '[{"ifname":"eth0","flags":["UP"],"addr_info":[{"local":"10.0.0.1","prefixlen":24}]}]'
PROCESS = (
    "name",
    "group",
    "statename",
    "spawnerr",
    "stdout_logfile",
    "pid",
    "start",
    "now",
    "exitstatus",
    "description",
    "status",
)
JSZ = "meta_cluster", "account_details", "stream_detail", "consumer_detail", "cluster", "replicas", "name", "leader"
NODE = "peers", "isSyncing", "currentBlock", "highestBlock", "protocolInfo", "historySize", "genesisHash", "syncing"
answers = objects(*NODE, *JSZ, "result", "error", "code", "message", "routes")
encoded = texts(XML, *XML_KINDS, ADDRESSES, MANIFEST).map(
    lambda text: text.encode("utf-8", "surrogatepass")
) | st.binary(max_size=60)
well_formed_process = dict.fromkeys(PROCESS[:5], "x") | dict.fromkeys(PROCESS[5:9], 1)
processes = values(*PROCESS) | st.builds(
    lambda key, value: {**well_formed_process, key: value}, st.sampled_from(PROCESS), values(*PROCESS)
)
words = st.lists(
    texts("env", "-S", "A=1", "taskset", "-c", "0-3", "numactl", "--cpunodebind=0", "bash", "-c", "exec x", "--"),
    max_size=5,
)
# Every word may be the path of the same script.
scripts = texts(SCRIPT).map(lambda text: lambda _path: text)
shown = st.builds(
    lambda key, text: {**SHOWN, key: text}, st.sampled_from(sorted(SHOWN)), texts("@9999999999999999999", "12", "x")
)
status = st.sampled_from([None, 0, 1, 14, 15, 255, -9])

# What each marked function is given, and the one error that it may raise.
CASES = {
    "_cpuset.parse_cpu_list": (st.tuples(texts("0-3,8", "0") | st.none()), CpuSetError),
    "_cpuset.parse_cpu_mask": (st.tuples(texts("ff,ffffffff", "0xf") | st.none()), CpuSetError),
    "_http.read_json": (st.tuples(encoded), None),
    "_host.farms.parse_description": (st.tuples(encoded), None),
    "_host.mounts.parse_mountinfo": (st.tuples(texts(MOUNTS)), None),
    "_host.mounts.mount_of_id": (st.tuples(texts(MOUNTS), st.just("36")), None),
    "_host.mounts.bound_from_root": (st.tuples(texts(MOUNTS), st.just("/mnt 2")), None),
    "_host.parse.integer": (st.tuples(texts("-12", "7") | st.none()), None),
    "_host.parse.natural": (st.tuples(texts("12", "+7") | st.none()), None),
    "_host.parse.fields_of": (st.tuples(texts(JOB)), None),
    "_host.parse.parse_os_release": (st.tuples(texts('ID=debian\nVERSION_ID="12"\n#x=y\n')), None),
    "_host.parse.parse_memory_mib": (st.tuples(texts("MemTotal:       16384 kB\n")), None),
    "_host.parse.parse_packages": (st.tuples(texts("supervisor\tinstalled\t4.2\n"), st.just(["supervisor"])), None),
    "_host.parse.parse_service": (
        st.tuples(texts("LoadState=loaded\nUnitFileState=enabled\nActiveState=active\n")),
        None,
    ),
    "_host.parse.parse_addresses": (st.tuples(texts(ADDRESSES)), None),
    "_host.parse.filters_packets": (st.tuples(texts("type filter hook input"), texts("filter\n")), None),
    "_gpu.nvidia_errors.explain_error": (st.tuples(texts("Unable to determine the device handle"), status), None),
    "_gpu.nvidia_errors.clean": (st.tuples(texts(TOPO, CSV)), None),
    "_gpu.nvidia_errors.explain_line": (st.tuples(texts("WARNING: infoROM is corrupted at gpu 0000:01:00.0")), None),
    "_gpu.nvidia_errors.explain_status": (st.tuples(st.integers(-9, 300), texts("Failed to initialize NVML")), None),
    "_gpu.nvidia_smi.parse_topo": (st.tuples(texts(TOPO)), NvidiaError),
    "_gpu.nvidia_smi.parse_nic_legend": (st.tuples(texts(TOPO)), None),
    "_gpu.nvidia_smi.parse_compute_apps": (st.tuples(texts("12, GPU-11111111-2222-3333-4444-000000000000\n")), None),
    "_gpu.nvidia_smi.parse_query": (st.tuples(texts(CSV)), None),
    "_gpu.nvidia_smi.normalize_bus_id": (st.tuples(texts("00000000:01:00.0") | st.none()), None),
    "_job.systemd.properties": (st.tuples(texts(JOB)), None),
    "_job.systemd.state_of": (st.tuples(shown, st.floats(0, 1e9)), None),
    "_job.words.last_lines": (st.tuples(texts("a\r b\nc\n"), st.integers(1, 9)), None),
    "_lock.record.parse": (st.tuples(texts(json.dumps(RECORD))), RecordError),
    "_lock.record.parse_holder": (
        st.tuples(
            st.builds(lambda key, new: {**HOLDER, key: new}, st.sampled_from(sorted(HOLDER)), values()) | values()
        ),
        RecordError,
    ),
    "_nats.configuration.parse_size": (st.tuples(texts("3MB", "1G") | values()), ValueError),
    "_nats.deployed.told": (st.tuples(st.just(["nats-server", "-c", "/x"]), texts(NATS)), None),
    "_nats.deployed.essence": (st.tuples(texts(NATS)), None),
    "_nats.limits.parse_duration": (st.tuples(texts("1m30s", "90s") | values()), ValueError),
    "_nats.monitor.raft_groups": (st.tuples(answers), KindError),
    "_nats.monitor.routed_peers": (st.tuples(answers), KindError),
    "_nats.reload.refusal": (st.tuples(texts("[1] [ERR] Failed to reload server configuration: x\n")), None),
    "_node_rpc.result": (st.tuples(st.just("m"), st.just(200), answers), RpcError),
    "_node_rpc.genesis_hash": (st.tuples(values() | st.lists(st.integers(-1, 300)) | texts("0xab")), None),
    "_node_rpc.reading": (st.tuples(objects(*METHODS, "chain_getBlock", *NODE)), None),
    "_release.request.parse_checksum": (st.tuples(texts("sha256:" + "a" * 64) | values(), st.just("x")), ReleaseError),
    "_release.versions.parse_manifest": (st.tuples(texts(MANIFEST)), None),
    "_components.deployed.parse_programs": (st.tuples(texts(CONF), st.just("/x")), None),
    "_metrics.gpus.parse_states": (st.tuples(texts(GPU_STATES)), None),
    "_metrics.gpus.parse_xids": (st.tuples(texts(KERNEL)), None),
    "_metrics.serials.parse_udev": (st.tuples(texts("S:disk\nE:ID_SERIAL=Model_1\nE:ID_SERIAL_SHORT=1\n")), None),
    "_reading.monitoring.parse_units": (
        st.tuples(texts("Id=a.timer\nActiveState=active\nUnitFileState=enabled\n\nId=b\n")),
        None,
    ),
    "_components.units.parse_unit": (st.tuples(texts(UNIT)), None),
    "_components.units.states": (st.tuples(texts("Id=a.service\nActiveState=active\nUnitFileState=\n\nId=b\n")), None),
    "_gpu.nvidia_smi.parse_mig_modes": (st.tuples(texts("0, Enabled\n1, [N/A]\n")), None),
    "_supervisor.defined.options_of_damaged": (st.tuples(texts(CONF), st.just("autonomys-node")), None),
    "_supervisor.evidence.count_restarts": (st.tuples(texts(LOG), st.just("a")), None),
    "_supervisor.launchers.unwrap": (st.tuples(words, st.just(is_binary), scripts), None),
    "_supervisor.read.parse": (st.tuples(texts(CONF)), ConfError),
    "_supervisor.read.decode": (st.tuples(encoded, st.just("/x")), ConfError),
    "_supervisor.read.parse_environment": (st.tuples(texts('A="1",B=2')), ConfError),
    "_supervisor.read.parse_command": (st.tuples(texts("/x -a 'b c'")), ConfError),
    "_supervisor.rpc.parse_answer": (st.tuples(encoded), xmlrpc.client.Error),
    "_supervisor.rpc.process_info": (st.tuples(processes), SupervisorError),
    "_supervisor.rpc.reread": (st.tuples(values() | st.just([[["a"], [], ["b"]]])), SupervisorError),
    "_supervisor.rpc.failed_starts": (st.tuples(values(*PROCESS) | st.lists(processes, max_size=2)), SupervisorError),
    "_supervisor.rpc.tail": (st.tuples(values()), SupervisorError),
}


def functions():
    """Pairs of name and syntax tree of all functions in module_utils, such as _host.parse.integer."""
    for path in sorted(UTILS.rglob("*.py")):
        module = ".".join(path.relative_to(UTILS).with_suffix("").parts)
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                yield f"{module}.{node.name}", node


def is_marked(node):
    return any(getattr(decorator, "id", None) == "reads_foreign" for decorator in node.decorator_list)


def looks_foreign(node):
    """Whether a function is one that others use and that its name, or its first argument, calls a parser."""
    first = node.args.args[0].arg if node.args.args else ""
    return not node.name.startswith("_") and (node.name.startswith(NAMES) or first in ARGUMENTS)


MARKED = {name for name, node in functions() if is_marked(node)}
FOREIGN = {name for name, node in functions() if looks_foreign(node)}


def test_what_reads_foreign_texts_is_marked_or_explained():
    assert FOREIGN - MARKED - set(EXPLAINED) == set()
    assert set(EXPLAINED) <= FOREIGN - MARKED


def test_what_is_marked_is_given_hostile_texts():
    assert MARKED == set(CASES) | set(ELSEWHERE)
    for file, test in ELSEWHERE.values():
        source = (Path(__file__).parent / file).read_text(encoding="utf-8")
        decorators = source.partition(f"def {test}(")[0].rpartition("\n\n\n")[2]
        assert int(decorators.partition("max_examples=")[2].partition(",")[0]) >= 200


@pytest.mark.parametrize(
    "source",
    ["def parse_it(x): pass", "def from_it(x): pass", "def tell(text): pass", "def tell(output, more=1): pass"],
)
def test_what_looks_foreign_is_seen(source):
    assert looks_foreign(ast.parse(source).body[0])


def test_the_mark_changes_nothing():
    assert reads_foreign(texts) is texts


class NoError(Exception):
    """The error of functions that raise none."""


def called(name, arguments):
    """Call a function, and compare what comes of it with what is documented."""
    module, _dot, function = name.rpartition(".")
    function, error = getattr(importlib.import_module(f"{MODULES}.{module}"), function), CASES[name][1] or NoError
    try:
        value = function(*arguments)
    except error as refusal:
        assert isinstance(refusal, xmlrpc.client.Error) or str(refusal)
        return
    hint = typing.get_type_hints(function)["return"]
    assert is_of(value, hint), (value, hint)


@pytest.mark.parametrize("name", CASES)
def test_hostile_texts_give_what_is_documented(name):
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(CASES[name][0])
    def check(arguments):
        called(name, arguments)

    check()


# What a function that is given a text needs beside that.
MORE = {
    "_host.mounts.mount_of_id": ["36"],
    "_host.mounts.bound_from_root": ["/mnt 2"],
    "_host.parse.parse_packages": [["supervisor"]],
    "_host.parse.filters_packets": ["filter"],
    "_job.words.last_lines": [5],
    "_release.request.parse_checksum": ["x"],
    "_components.deployed.parse_programs": ["/x"],
    "_supervisor.defined.options_of_damaged": ["autonomys-node"],
    "_supervisor.evidence.count_restarts": ["a"],
    "_supervisor.read.decode": ["/x"],
}
TEXTS = ("text", "output", "raw", "meminfo", "ruleset", "line", "log", "data", "value")
TEXT_PARSERS = [name for name, node in functions() if name in CASES and node.args.args[0].arg in TEXTS]
# Those are given values that are no texts.
TEXT_PARSERS = [name for name in TEXT_PARSERS if not re.match(r"_supervisor\.rpc\.(?!parse_)|_node_rpc", name)]


@pytest.mark.parametrize("name", TEXT_PARSERS)
def test_long_texts_are_read_in_time(name):
    """Neither recursion without end, nor an expression that tries everything."""
    raw = name in ("_http.read_json", "_supervisor.read.decode", "_supervisor.rpc.parse_answer")
    for part in LONG:
        text = part * (LENGTH // len(part))
        begun = time.process_time()
        called(name, [text.encode() if raw else text, *MORE.get(name, [])])
        assert time.process_time() - begun < 2, part
