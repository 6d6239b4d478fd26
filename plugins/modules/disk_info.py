# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: disk_info
short_description: Read the filesystems of farms and caches, and how many sectors fit
version_added: 0.1.0
description:
  - Returns for each path what filesystem it is on or would be created on, how much of that a given user may use, and
    how many sectors a farm there can have.
  - The space that a farm's C(plot.bin) and C(metadata.bin) already take counts as available to that farm.
options:
  paths:
    description: Absolute paths. One that does not exist is answered with the filesystem on which it would be created.
    type: list
    elements: path
    required: true
  user:
    description:
      - The user that will write. V(root) may use the blocks that a filesystem reserves for root. Other users may not,
        and neither may a user that does not exist yet.
    type: str
    default: root
  pieces_in_sector:
    description: Pieces in a sector of the chain.
    type: int
    default: 1000
  margin_bytes:
    description: Bytes of each filesystem to leave free.
    type: int
    default: 0
  timeout:
    description: Seconds that all disks together get to answer. RV(disks.error) reports one that does not.
    type: int
    default: 20
extends_documentation_fragment:
  - autonomys.cluster.reads
author:
  - autonomys.cluster contributors (@autonomys-cluster)
"""

EXAMPLES = r"""
- name: Read the disks of the farms
  autonomys.cluster.disk_info:
    paths:
      - /mnt/nvme0
      - /mnt/nvme1
    user: autonomys
  register: disks
"""

RETURN = r"""
disks:
  description: The answer for each path, by the path as it was given.
  returned: success
  type: dict
  contains:
    exists:
      description: Whether the path exists. V(null) where RV(disks.error) says why that is not known.
      type: bool
    error:
      description:
        - Why the disk cannot be read, V(null) when it can. RV(disks.mountpoint), RV(disks.device), RV(disks.fstype) and
          RV(disks.options) then come from the table of mounts; sizes and numbers are V(null).
      type: str
    mountpoint:
      description: Where the filesystem is mounted that the path is on or would be created on.
      type: str
    is_mountpoint:
      description: Whether the path itself is that place, symbolic links followed.
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
      description: Whether the mount or its filesystem is read-only, as an attempt to write tells, which leaves
        nothing behind.
      type: bool
    size:
      description: Bytes of the filesystem.
      type: int
    available:
      description: Bytes that the user may still write.
      type: int
    existing_plot_bytes:
      description: Size in bytes of the farm's C(plot.bin) and C(metadata.bin) together, 0 where there is no farm yet.
      type: int
    max_sectors:
      description: How many sectors a farm at this path can have; all farms of one filesystem share this number.
      type: int
    bound_from_root:
      description:
        - The folder of the root filesystem that is mounted at RV(disks.mountpoint) with C(mount --bind), V(null) where
          a disk of its own is.
      type: str
    closed:
      description: The first folder above the path that O(user) may not enter, V(null) where there is none.
      type: str
    farm:
      description:
        - The farm at this path, V(null) where there is none. C(id) and C(genesis_hash) come from its
          C(single_disk_farm.json), C(identity) is a digest of its C(identity.bin), which never leaves the host; each
          is V(null) when the file does not have it.
      type: dict
      sample: {id: 01JBXYZ, genesis_hash: 66455a580aabff303720aa83adbe6c44502922251c03ba73686d5245da9e21bd, identity:
        9f86d081884c7d65}
    direct_io:
      description: Whether the farm's files can be read with direct access (C(O_DIRECT)), V(null) where there are none
        yet.
      type: bool
  sample:
    /mnt/nvme0: {exists: true, mountpoint: /mnt/nvme0, is_mountpoint: true, device: /dev/nvme0n1, fstype: ext4,
    options: [rw, relatime],
                 read_only: false, size: 7936000000000, available: 7535000000000, existing_plot_bytes: 0, max_sectors:
                   7129,
                 error: null, farm: null, direct_io: null}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.autonomys.cluster.plugins.module_utils._host.disks import PATIENCE_S
from ansible_collections.autonomys.cluster.plugins.module_utils._host.farms import read_farms
from ansible_collections.autonomys.cluster.plugins.module_utils._sectors import SectorsError

ARGUMENT_SPEC: dict[str, Any] = {
    "paths": {"type": "list", "elements": "path", "required": True},
    "user": {"type": "str", "default": "root"},
    "pieces_in_sector": {"type": "int", "default": 1000},
    "margin_bytes": {"type": "int", "default": 0},
    "timeout": {"type": "int", "default": PATIENCE_S},
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    options = dict(module.params)
    seconds = options.pop("timeout") or PATIENCE_S
    try:
        disks = read_farms(**options, seconds=seconds)
    except SectorsError as error:
        module.fail_json(msg=f"Wrong argument: {error}.")
    except OSError as error:
        module.fail_json(msg=f"{error.filename} cannot be read: {error.strerror}")
    module.exit_json(changed=False, disks=disks)


if __name__ == "__main__":
    main()
