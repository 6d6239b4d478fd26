# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_info
short_description: Read in one execution what preflight and the preparation of a host need to know
version_added: 0.1.0
description:
  - Reads the facts of a host that this collection decides by, in one fast execution instead of a full setup.
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
      description: Machine type as C(uname -m) says it.
      type: str
      sample: x86_64
    distribution:
      description: C(id) and C(version) from C(/etc/os-release), V(null) where it says nothing.
      type: dict
      sample: {id: ubuntu, version: "22.04"}
    addresses:
      description: All addresses of all interfaces but loopback, with the length of the prefix.
      type: list
      elements: str
      sample: [10.0.0.1/24, "fe80::1/64"]
    interfaces:
      description: The interfaces but loopback, in the kernel's order.
      type: list
      elements: dict
      contains:
        name:
          description: Name of the interface.
          type: str
        addresses:
          description: Its addresses with the length of the prefix.
          type: list
          elements: str
        speed_mbps:
          description: Speed in Mbit/s, V(null) when the kernel does not know it.
          type: int
    memory_mib:
      description: Memory in MiB.
      type: int
    cpus:
      description: Number of online logical CPUs.
      type: int
    clock_synchronized:
      description: Whether a time source keeps the clock, as C(timedatectl) says it; V(null) when it cannot be told.
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
        - C(content) is V(null) for what is no regular file of at most 1 MiB; bytes that are not UTF-8 are replaced.
      type: dict
      sample: {/etc/example: {content: "a\n", mode: "0644", owner: root, group: root}}
    service:
      description: Whether the service in O(service) is installed, enabled at boot and active now.
      type: dict
      sample: {installed: true, enabled: true, active: true}
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
          description: CPUs that the definition binds it to with C(numactl -C), V(null) when to none.
          type: str
        gpu:
          description: C(CUDA_VISIBLE_DEVICES) of the definition, V(null) without.
          type: str
      sample: [{name: nats-server, file: /etc/supervisor/conf.d/nats-server.conf, cpus: null, gpu: null}]
"""

import glob
import grp
import os
import pwd
import stat

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.autonomys.cluster.plugins.module_utils._host import (
    MAX_FILE,
    clock_synchronized,
    parse_addresses,
    parse_memory_mib,
    parse_os_release,
    parse_packages,
    parse_programs,
    parse_service,
)

CONF_GLOB = "/etc/supervisor/conf.d/*.conf"
PACKAGE_FORMAT = "${Package}\\t${db:Status-Status}\\t${Version}\\n"


def read_text(path):
    """Return the text of a file, empty when it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as handle:
            return handle.read(MAX_FILE)
    except OSError:
        return ""


def output(module, command):
    """Return what a command writes, empty when there is no such program or it fails."""
    path = module.get_bin_path(command[0])
    return module.run_command([path, *command[1:]])[1] if path else ""


def read_interfaces(addresses):
    """Return the interfaces of the parsed addresses with their speeds."""
    interfaces = []
    for name, values in addresses.items():
        speed = read_text(f"/sys/class/net/{name}/speed").strip()
        # A link that is down or virtual reads as -1, or not at all.
        mbps = int(speed) if speed.isdigit() and int(speed) > 0 else None
        interfaces.append({"name": name, "addresses": values, "speed_mbps": mbps})
    return interfaces


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
    service = output(module, ["systemctl", "show", "-p", "LoadState,UnitFileState,ActiveState", "--", unit])
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
        "programs": [entry for path in sorted(glob.glob(CONF_GLOB)) for entry in parse_programs(read_text(path), path)],
    }


def run_module():
    """Entry point of the module."""
    module = AnsibleModule(
        argument_spec={
            "packages": {"type": "list", "elements": "str", "default": []},
            "user": {"type": "str"},
            "files": {"type": "list", "elements": "path", "default": []},
            "service": {"type": "str", "default": "supervisor"},
        },
        supports_check_mode=True,
    )
    module.exit_json(changed=False, host=read_host(module))


def main():
    """Run the module."""
    run_module()


if __name__ == "__main__":
    main()
