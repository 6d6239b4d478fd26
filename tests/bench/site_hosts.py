# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventories of any size like the demo's, and what is deployed on their hosts: used by bench_site.py."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build"
DEMO = ROOT / "inventories/demo"
#: Where the last part of a group's addresses begins.
FIRST = {"node": 11, "plotter": 21, "storage": 31}
SMALLEST = 7
LARGEST = 200
CONFIGURATIONS = "/etc/supervisor/conf.d"
PACKAGES = ["supervisor", "numactl"]
#: Runs on a host: the definitions of programs, the digests of all that was installed, and who owns the folders.
READER = """
import glob, hashlib, json, os, pwd, grp, re, stat
files = {path: open(path).read() for path in glob.glob("/etc/supervisor/conf.d/*.conf")}
installed = [path for path in glob.glob("/opt/autonomys/*/*/*") if os.path.isfile(path)]
written = [*files, *glob.glob("/etc/nats-server.conf"), *glob.glob("/etc/systemd/system/supervisor.service.d/*.conf")]
digests = {path: hashlib.sha256(open(path, "rb").read()).hexdigest() for path in installed + written}
folders = {}
for file, text in files.items():
    if file.endswith("/nats-server.conf"):
        text += " /var/lib/nats"
    for path in sorted(set(re.findall(r"(?<=[= ])(/(?:var|mnt)/[^ ,\\n]+)", text))):
        if os.path.isdir(path):
            has = os.stat(path)
            folders.setdefault(file, []).append({
                "path": path, "owner": pwd.getpwuid(has.st_uid).pw_name, "group": grp.getgrgid(has.st_gid).gr_name,
                "mode": "%04o" % stat.S_IMODE(has.st_mode)})
print(json.dumps({"files": files, "digests": digests, "folders": folders}))
"""


# Inventories


def names(count: int) -> dict:
    """Return the hosts of each kind by name with the last part of their addresses, as many as wanted in all."""
    if not SMALLEST <= count <= LARGEST:
        raise SystemExit(f"{count} hosts: from {SMALLEST} to {LARGEST} are possible")
    plotters = (count - 3) // 4 + 1
    sizes = {"node": 3, "plotter": plotters, "storage": count - 3 - plotters}
    # Many plotters need the addresses of storage hosts.
    first = {**FIRST, "storage": max(FIRST["storage"], FIRST["plotter"] + plotters)}
    return {
        kind: {f"{kind}-{number + 1}": first[kind] + number for number in range(size)} for kind, size in sizes.items()
    }


def inventory(count: int) -> dict:
    """Return an inventory with the groups of the demo's."""
    children: dict = {
        f"{kind}_hosts": {
            "hosts": {host: {"ansible_host": f"{{{{ test_hosts_network }}}}.{last}"} for host, last in hosts.items()}
        }
        for kind, hosts in names(count).items()
    }
    for kind, components in {
        "node": ("nats", "node", "controller", "proof_server"),
        "plotter": ("caches", "plot_server"),
        "storage": ("plot_client",),
    }.items():
        children.update({component: {"children": {f"{kind}_hosts": {}}} for component in components})
    return {"all": {"children": children}}


def write_inventory(folder: Path, content: dict, variables: dict | None = None) -> Path:
    """Write an inventory (JSON is YAML) with the demo's group variables, and variables of its hosts; return it."""
    # The demo's variables find build/ two folders above the inventory's.
    assert folder.parent == BUILD
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "host_vars").mkdir(parents=True)
    (folder / "group_vars").symlink_to(DEMO / "group_vars")
    (folder / "hosts.yml").write_text(json.dumps(content, indent=1) + "\n")
    for host, values in (variables or {}).items():
        (folder / "host_vars" / f"{host}.yml").write_text(json.dumps(values, indent=1) + "\n")
    return folder


# What is deployed


def sections(text: str) -> list:
    """Return the programs of a file of supervisord, each with its settings in their order."""
    found: list = []
    for line in text.splitlines():
        head = re.fullmatch(r"\[program:(.+)\]", line)
        if head:
            found.append({"name": head[1], "settings": {}})
        elif found and "=" in line:
            key, _equal, value = line.partition("=")
            found[-1]["settings"][key] = value
    return found


def read_host(container: str) -> dict:
    """Return what READER sees on a test host."""
    done = subprocess.run(
        ["docker", "exec", "--interactive", container, "python3", "-"],
        input=READER,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{container} cannot be read: {done.stderr.strip()}")
    return json.loads(done.stdout)


def stock_variables(read: dict) -> dict:
    """Return what the stock playbook wants to know of a host, from what is deployed on it."""
    release = next(path for path in read["digests"] if path.startswith("/opt/autonomys/releases/"))
    nats = next((path for path in read["digests"] if path.startswith("/opt/autonomys/nats/")), "")
    return {
        "stock_user": "autonomys",
        "stock_folder": "/opt/autonomys",
        "stock_release": str(Path(release).parent),
        "stock_nats": str(Path(nats).parent),
        "stock_programs": {Path(file).stem: sections(text) for file, text in read["files"].items()},
        "stock_folders": {Path(file).stem: [*read["folders"].get(file, [])] for file in read["files"]},
    }


def known_hosts(addresses: list) -> str:
    """Return a file of known hosts for pyinfra, which knows no patterns of addresses."""
    key = (BUILD / "hosts/ssh_host_ed25519_key.pub").read_text().strip()
    return "".join(f"{address} {key}\n" for address in addresses)


def pyinfra_host(host: str, address: str, read: dict) -> list:
    """Return a host as pyinfra's inventory has it: its name, how it is reached, and what has to be true of it."""
    questions = {
        "nats-server": ["http://127.0.0.1:8222/healthz", ""],
        "autonomys-node": ["http://127.0.0.1:9944", '{"jsonrpc":"2.0","id":1,"method":"system_health","params":[]}'],
    }
    programs = {Path(file).stem: sections(text) for file, text in read["files"].items()}
    return [
        host,
        {
            "ssh_hostname": address,
            "ssh_user": "root",
            "ssh_key": str(BUILD / "hosts/id_ed25519"),
            "ssh_known_hosts_file": str(BUILD / "bench/known_hosts"),
            "ssh_strict_host_key_checking": "yes",
            "packages": PACKAGES,
            "service": "supervisor",
            "folders": [folder for found in read["folders"].values() for folder in found],
            "digests": read["digests"],
            "programs": sorted(program["name"] for found in programs.values() for program in found),
            "questions": [question for file, question in questions.items() if file in programs],
        },
    ]
