# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_info
short_description: Read in one execution what preflight and the preparation of a host need to know
version_added: 0.1.0
description:
  - Reads the facts about a host that this collection bases its decisions on, in one fast execution instead of a full setup.
  - What a host cannot tell (no C(dpkg-query), no systemd, no C(ip)) is V(null), V(false) or empty, never a failure.
options:
  packages:
    description: Names of Debian packages whose installed versions are wanted.
    type: list
    elements: str
    default: []
  user:
    description: Name of the account to look up.
    type: str
  files:
    description: Absolute paths of text files to read.
    type: list
    elements: path
    default: []
  service:
    description: Name of the systemd service to look up.
    type: str
    default: supervisor
  paths:
    description: Absolute paths of folders with data. The answer says what filesystem each is on or would be created on, and how much it holds.
    type: list
    elements: path
    default: []
extends_documentation_fragment:
  - autonomys.cluster.reads
author:
  - autonomys.cluster contributors (@autonomys-cluster)
"""

EXAMPLES = r"""
- name: Read what the host is
  autonomys.cluster.host_info:
    packages: [supervisor, numactl]
    user: autonomys
    files: [/etc/systemd/system/supervisor.service.d/autonomys.conf]
  register: result
"""

RETURN = r"""
host:
  description: The host as it is now.
  returned: always
  type: dict
  contains:
    hostname:
      description: The name that the kernel knows.
      type: str
    architecture:
      description: Machine type, as printed by C(uname -m).
      type: str
      sample: x86_64
    distribution:
      description: C(id) and C(version) from C(/etc/os-release), V(null) where it says nothing.
      type: dict
      sample: {id: ubuntu, version: "22.04"}
    addresses:
      description: All addresses of all interfaces except loopback, with the prefix length.
      type: list
      elements: str
      sample: [10.0.0.1/24, "fe80::1/64"]
    interfaces:
      description: The interfaces except loopback, in the kernel's order.
      type: list
      elements: dict
      contains:
        name:
          description: Name of the interface.
          type: str
        addresses:
          description: Its addresses with the prefix length.
          type: list
          elements: str
        speed_mbps:
          description: Speed in Mbit/s, V(null) when the kernel does not know it, or has made it up for a virtual interface.
          type: int
    memory_mib:
      description: Memory in MiB.
      type: int
    cpus:
      description: Number of online logical CPUs.
      type: int
    clock_synchronized:
      description: Whether a time source keeps the clock right, according to C(timedatectl); V(null) when that is not known.
      type: bool
    packages:
      description: Version of each package in O(packages), V(null) when it is not installed.
      type: dict
      sample: {numactl: 2.0.14-3ubuntu2, supervisor: null}
    user:
      description: The account in O(user), V(null) when there is none.
      type: dict
      contains:
        name:
          description: Name of the account.
          type: str
        uid:
          description: Its number.
          type: int
        gid:
          description: Number of its primary group.
          type: int
        group:
          description: Name of its primary group.
          type: str
        home:
          description: Its home folder.
          type: str
    files:
      description:
        - What each path in O(files) is, V(null) when it does not exist.
        - C(content) is V(null) for anything but a regular file of at most 1 MiB; bytes that are not UTF-8 are replaced.
      type: dict
      sample: {/etc/example: {content: "a\n", mode: "0644", owner: root, group: root}}
    service:
      description: Whether the service in O(service) is installed, enabled at boot and active now.
      type: dict
      sample: {installed: true, enabled: true, active: true}
    limits:
      description: >-
        How many files may be open. C(service) is what the running main process of the service in O(service) gives to its programs, V(null) when it does not
        run; C(kernel) what the kernel allows any process.
      type: dict
      sample: {service: 1048576, kernel: 1073741816}
    packet_filter:
      description: Whether any rules of C(nft) or of the older iptables look at incoming packets, V(null) when that is not known.
      type: bool
    disks:
      description: What each path in O(paths) is on, by the path as it was given.
      type: dict
      contains:
        error:
          description: Why the disk cannot be read, V(null) when it can; the fields that are not in the table of mounts are V(null) then.
          type: str
        exists:
          description: Whether the path exists.
          type: bool
        mountpoint:
          description: Where the filesystem is mounted that the path is on or would be created on.
          type: str
        is_mountpoint:
          description: Whether the path itself is that place.
          type: bool
        device:
          description: What is mounted there.
          type: str
        fstype:
          description: The type of the filesystem.
          type: str
        options:
          description: The options of the mount and of the filesystem.
          type: list
          elements: str
        read_only:
          description: Whether it is read-only.
          type: bool
        size:
          description: Bytes of the filesystem.
          type: int
        available:
          description: Bytes that the account in O(user) may still write.
          type: int
        used:
          description: Bytes that the folder's files take, 0 where it does not exist, V(null) where there are too many to count.
          type: int
        empty:
          description: Whether the folder holds nothing, or does not exist.
          type: bool
    running:
      description: Paths of the versioned binaries that processes run now, sorted. Processes in containers on the host do not count.
      type: list
      elements: str
      sample: [/opt/autonomys/nats/2.12.8/nats-server, /opt/autonomys/releases/v1.2.3/autonomys-node]
    programs:
      description: Programs in C(/etc/supervisor/conf.d/*.conf) whose names begin with C(autonomys-) or C(nats-server).
      type: list
      elements: dict
      contains:
        name:
          description: Name of the program.
          type: str
        file:
          description: The file that defines it.
          type: str
        cpus:
          description: CPUs that the definition binds it to with C(numactl -C), V(null) when it binds it to none.
          type: str
        gpu:
          description: C(CUDA_VISIBLE_DEVICES) in the definition, V(null) without.
          type: str
        command:
          description: The words of its command line, without numactl; empty when it cannot be read.
          type: list
          elements: str
        state:
          description: The state according to supervisord, such as V(RUNNING) or V(BACKOFF); V(null) when supervisord cannot be asked or does not know the program.
          type: str
        reason:
          description: For a program that does not stay up (V(BACKOFF), V(FATAL)), what supervisord says and the last line of its log; else V(null).
          type: str
      sample: [{name: nats-server, file: /etc/supervisor/conf.d/nats-server.conf, cpus: null, gpu: null,
                command: [/opt/autonomys/nats/2.12.8/nats-server, --config, /etc/nats-server.conf], state: RUNNING, reason: null}]
"""

import glob
import grp
import os
import platform
import pwd
import stat
import subprocess

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.autonomys.cluster.plugins.module_utils._components.deployed import (
    parse_programs,
    running_binaries,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._host.disks import read_disks, used_bytes
from ansible_collections.autonomys.cluster.plugins.module_utils._host.parse import (
    MAX_FILE,
    clock_synchronized,
    filters_packets,
    parse_addresses,
    parse_memory_mib,
    parse_os_release,
    parse_packages,
    parse_service,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._host.processes import open_file_limit, own_processes
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor import conf, rpc

CONF_GLOB = "/etc/supervisor/conf.d/*.conf"
SUPERVISOR_CONFIG = "/etc/supervisor/supervisord.conf"
PACKAGE_FORMAT = "${Package}\\t${db:Status-Status}\\t${Version}\\n"
SERVICE_FIELDS = "LoadState,UnitFileState,ActiveState,MainPID"
# Seconds for each program that is run, and for supervisord to answer.
PATIENCE_S = 10
FAILING = ("BACKOFF", "FATAL")
LOG_TAIL = 4000


def read_text(path):
    """Return the text of a file, empty when it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as handle:
            return handle.read(MAX_FILE)
    except OSError:
        return ""


def run_command(command):
    """Return status and output of a command; None and nothing when it cannot be run to its end."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None, ""
    return done.returncode, done.stdout.decode("utf-8", "replace")


def ask(module, command):
    """Return status and output of a program of the host; None and nothing when there is no such program."""
    path = module.get_bin_path(command[0], opt_dirs=["/usr/sbin", "/sbin"])
    return run_command([path, *command[1:]]) if path else (None, "")


def output(module, command):
    """Return what a command writes, empty when there is no such program or it fails."""
    return ask(module, command)[1]


def is_real(interface, depth=0):
    """Tell whether an interface is a device, or rests on one; the kernel makes up the speed of others."""
    folder = f"/sys/class/net/{interface}"
    if os.path.exists(folder + "/device"):
        return True
    lower = (
        [name[len("lower_") :] for name in os.listdir(folder) if name.startswith("lower_")]
        if os.path.isdir(folder)
        else []
    )
    return depth < 4 and any(is_real(name, depth + 1) for name in lower)


def read_interfaces(addresses):
    """Return the interfaces of the parsed addresses with their speeds."""
    interfaces = []
    for name, values in addresses.items():
        speed = read_text(f"/sys/class/net/{name}/speed").strip() if is_real(name) else ""
        # A link that is down reads as -1, or not at all.
        mbps = int(speed) if speed.isdigit() and int(speed) > 0 else None
        interfaces.append({"name": name, "addresses": values, "speed_mbps": mbps})
    return interfaces


def read_packet_filter(module):
    """Tell whether anything filters incoming packets, None when it cannot be told."""
    status, rules = ask(module, ["nft", "list", "ruleset"])
    return filters_packets(rules, read_text("/proc/net/ip_tables_names")) if status == 0 else None


def read_states():
    """Return (supervisord's connection, {program: what it says of its process}); None and nothing when it cannot be asked."""
    try:
        settings = conf.settings(
            conf.parse(read_text(SUPERVISOR_CONFIG), SUPERVISOR_CONFIG), SUPERVISOR_CONFIG, os.environ, platform.node()
        )
        supervisor = rpc.Supervisor(settings.socket, settings.username, settings.password, timeout=PATIENCE_S)
        return supervisor, {info["name"]: info for info in supervisor.processes()}
    except (conf.ConfError, rpc.SupervisorError):
        return None, {}


def read_reason(supervisor, info):
    """Return why a program does not stay up."""
    try:
        lines = [
            line.strip()
            for line in supervisor.call("tailProcessStdoutLog", rpc.full_name(info), 0, LOG_TAIL)[0].splitlines()
            if line.strip()
        ]
    except rpc.SupervisorError:
        lines = []
    said = info.get("spawnerr") or info.get("description") or info["statename"]
    return f"{said}; its log ends with: {lines[-1][:300]}" if lines else said


def read_programs():
    """Return the supervised programs of this collection's names, with their states."""
    programs = [entry for path in sorted(glob.glob(CONF_GLOB)) for entry in parse_programs(read_text(path), path)]
    supervisor, states = read_states() if programs else (None, {})
    for program in programs:
        info = states.get(program["name"])
        program["state"] = info["statename"] if info else None
        program["reason"] = read_reason(supervisor, info) if info and info["statename"] in FAILING else None
    return programs


def add_content(folder, disk):
    """Add to the answer about a disk how much the folder holds."""
    return dict(disk, used=used_bytes(folder) if folder else 0, empty=not (folder and any(os.scandir(str(folder)))))


def read_user(name):
    """Return an account, None when there is none of that name."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return {
        "name": entry.pw_name,
        "uid": entry.pw_uid,
        "gid": entry.pw_gid,
        "group": name_of(grp.getgrgid, entry.pw_gid),
        "home": entry.pw_dir,
    }


def name_of(lookup, number):
    """Return the name of a user or group number, the number itself when it has none."""
    try:
        return lookup(number)[0]
    except KeyError:
        return str(number)


def read_file(path):
    """Return content, mode and owner of a path, None when it does not exist."""
    try:
        info = os.stat(path)
    except OSError:
        return None
    return {
        "content": read_text(path) if stat.S_ISREG(info.st_mode) and info.st_size <= MAX_FILE else None,
        "mode": f"{stat.S_IMODE(info.st_mode):04o}",
        "owner": name_of(pwd.getpwuid, info.st_uid),
        "group": name_of(grp.getgrgid, info.st_gid),
    }


def read_host(module):
    """Read everything."""
    params = module.params
    packages = ""
    if params["packages"]:
        packages = output(module, ["dpkg-query", "-W", "-f", PACKAGE_FORMAT, *params["packages"]])
    unit = params["service"] + ".service"
    service = output(module, ["systemctl", "show", "-p", SERVICE_FIELDS, "--", unit])
    interfaces = read_interfaces(parse_addresses(output(module, ["ip", "-j", "address"])))
    uname = os.uname()
    return {
        "hostname": uname.nodename,
        "architecture": uname.machine,
        "distribution": parse_os_release(read_text("/etc/os-release")),
        "addresses": [address for interface in interfaces for address in interface["addresses"]],
        "interfaces": interfaces,
        "memory_mib": parse_memory_mib(read_text("/proc/meminfo")),
        "cpus": os.cpu_count(),
        "clock_synchronized": clock_synchronized(),
        "packages": parse_packages(packages, params["packages"]),
        "user": read_user(params["user"]) if params["user"] else None,
        "files": {path: read_file(path) for path in params["files"]},
        "service": parse_service(service),
        "limits": {"service": service_limit(service), "kernel": kernel_limit()},
        "packet_filter": read_packet_filter(module),
        "disks": {
            path: dict({"used": None, "empty": None}, **disk)
            for path, disk in read_disks(params["paths"], params["user"] or "root", add_content).items()
        },
        "programs": read_programs(),
        "running": running_binaries(own_processes()),
    }


def service_limit(output_of_show):
    """Return how many files the main process of a service may open, None when it does not run."""
    pid = dict(line.split("=", 1) for line in output_of_show.splitlines() if "=" in line).get("MainPID", "0")
    return open_file_limit(int(pid)) if pid.isdigit() and int(pid) else None


def kernel_limit():
    """Return how many files the kernel lets a process open, None when it does not tell."""
    text = read_text("/proc/sys/fs/nr_open").strip()
    return int(text) if text.isdigit() else None


def run_module():
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec={
            "packages": {"type": "list", "elements": "str", "default": []},
            "user": {"type": "str"},
            "files": {"type": "list", "elements": "path", "default": []},
            "service": {"type": "str", "default": "supervisor"},
            "paths": {"type": "list", "elements": "path", "default": []},
        },
        supports_check_mode=True,
    )
    module.exit_json(changed=False, host=read_host(module))


def main():
    """Run the module."""
    run_module()


if __name__ == "__main__":
    main()
