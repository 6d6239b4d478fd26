# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: host_info
short_description: Read in one execution what preflight and the preparation of a host need to know
version_added: 0.1.0
description:
  - Reads the facts about a host that this collection bases its decisions on, in one fast execution instead of a full
    setup.
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
    description: Absolute paths of folders with data. The answer says what filesystem each is on or would be created
      on, and how much it holds.
    type: list
    elements: path
    default: []
  config:
    description: Path of supervisord's configuration file, whose C([include]) section says where programs are defined.
    type: path
    default: /etc/supervisor/supervisord.conf
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
          description: Speed in Mbit/s, V(null) when the kernel does not know it, or has made it up for a virtual
            interface.
          type: int
    memory_mib:
      description: Memory in MiB.
      type: int
    cpus:
      description: Number of online logical CPUs.
      type: int
    clock_synchronized:
      description: Whether a time source keeps the clock right, according to C(timedatectl); V(null) when that is not
        known.
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
        - Configurations that servers of NATS among RV(host.programs) are started with are added, of their contents
          only names, folders and includes.
      type: dict
      sample: {/etc/example: {content: "a\n", mode: "0644", owner: root, group: root}}
    service:
      description: Whether the service in O(service) is installed, enabled at boot and active now.
      type: dict
      sample: {installed: true, enabled: true, active: true}
    limits:
      description: >-
        How many files may be open. C(service) is what the running main process of the service in O(service) gives to
        its programs, V(null) when it does not
        run; C(kernel) what the kernel allows any process.
      type: dict
      sample: {service: 1048576, kernel: 1073741816}
    packet_filter:
      description: Whether any rules of C(nft) or of the older iptables look at incoming packets, V(null) when that is
        not known.
      type: bool
    disks:
      description: What each path in O(paths) is on, by the path as it was given.
      type: dict
      contains:
        error:
          description: Why the disk cannot be read, V(null) when it can; the fields that are not in the table of
            mounts are V(null) then.
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
        bound_from_root:
          description:
            - The folder of the root filesystem that is mounted there with C(mount --bind), V(null) where a disk of its
              own is.
          type: str
        closed:
          description: The first folder above the path that the account in O(user) may not enter, V(null) where there
            is none.
          type: str
        used:
          description: Bytes that the folder's files take, 0 where it does not exist, V(null) where there are too many
            to count.
          type: int
        empty:
          description: Whether the folder holds nothing, or does not exist.
          type: bool
    running_as:
      description: Name of the account that reads; one other than V(root) does not see everything.
      type: str
    unreadable:
      description:
        - Why files and folders cannot be read that are there, by their paths.
          Those are O(files), and the files and folders in which programs are defined.
      type: dict
      sample: {/etc/supervisor/conf.d: Permission denied}
    control:
      description: Who can tell supervisord what to do, as O(config) says, V(null) where that cannot be read.
      type: dict
      contains:
        socket:
          description: The path of its socket in the configuration, V(null) without one.
          type: str
        mode:
          description: Mode of the socket, V(null) where there is none.
          type: str
        owner:
          description: Owner of the socket, V(null) where there is none.
          type: str
        group:
          description: Group of the socket, V(null) where there is none.
          type: str
        socket_password:
          description: Whether it wants a password there.
          type: bool
        address:
          description: The address and port on which it listens too, V(null) without.
          type: str
        address_password:
          description: Whether it wants a password there.
          type: bool
      sample: {socket: /var/run/supervisor.sock, mode: "0700", owner: root, group: root, socket_password: false,
               address: null, address_password: false}
    running:
      description: Paths of the versioned binaries that processes run now, sorted. Processes in containers on the host
        do not count.
      type: list
      elements: str
      sample: [/opt/autonomys/nats/2.12.8/nats-server, /opt/autonomys/releases/v1.2.3/autonomys-node]
    programs:
      description:
        - Programs whose names begin with C(autonomys-) or C(nats-server), or that run a binary of that name, in the
          files that supervisord reads as O(config) says; where that does not tell, in
          C(/etc/supervisor/conf.d/*.conf).
        - Programs that run such a binary and that systemd has started, or starts at boot, too.
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
          description: The words of its command line, without numactl and without secrets; empty when it cannot be read.
          type: list
          elements: str
        state:
          description: The state that supervisord tells, such as V(RUNNING) or V(BACKOFF); V(null) when it cannot be
            asked or does not know the program.
          type: str
        reason:
          description: For a program that does not stay up (V(BACKOFF), V(FATAL)), what supervisord says and the last
            line of its log; else V(null).
          type: str
      sample: [{name: nats-server, file: /etc/supervisor/conf.d/nats-server.conf, cpus: null, gpu: null,
                command: [/opt/autonomys/nats/2.12.8/nats-server, --config, /etc/nats-server.conf], state: RUNNING,
                  reason: null}]
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.autonomys.cluster.plugins.module_utils._reading.host import host_facts
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.defined import CONFIG

ARGUMENT_SPEC: dict[str, Any] = {
    "packages": {"type": "list", "elements": "str", "default": []},
    "user": {"type": "str"},
    "files": {"type": "list", "elements": "path", "default": []},
    "service": {"type": "str", "default": "supervisor"},
    "paths": {"type": "list", "elements": "path", "default": []},
    "config": {"type": "path", "default": CONFIG},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.exit_json(changed=False, host=host_facts(**module.params))


if __name__ == "__main__":
    main()
