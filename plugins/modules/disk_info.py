# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: disk_info
short_description: Read the filesystems that farms and caches lie on, and how many sectors fit
version_added: 0.1.0
description:
  - Tells for each path on which filesystem it is or would be created, how much of it a given user may use, and how many sectors a farm there can have.
  - What a farm's C(plot.bin) and C(metadata.bin) already take counts as available to that farm.
options:
  paths:
    description: Absolute paths. One that does not exist is answered with the filesystem on which it would be created.
    type: list
    elements: path
    required: true
  user:
    description:
      - The user that will write. V(root) may use the blocks that a filesystem keeps back for root, anyone else not, nor a user that does not exist yet.
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
      description: Whether the path exists.
      type: bool
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
      description: Whether the mount or its filesystem is read-only.
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
  sample:
    /mnt/nvme0: {exists: true, mountpoint: /mnt/nvme0, is_mountpoint: true, device: /dev/nvme0n1, fstype: ext4, options: [rw, relatime],
                 read_only: false, size: 7936000000000, available: 7535000000000, existing_plot_bytes: 0, max_sectors: 7129}
"""

import os
import pwd
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.autonomys.cluster.plugins.module_utils._mounts import find_mount, parse_mountinfo
from ansible_collections.autonomys.cluster.plugins.module_utils._sectors import SectorsError, max_sectors

ARGUMENT_SPEC = {
    "paths": {"type": "list", "elements": "path", "required": True},
    "user": {"type": "str", "default": "root"},
    "pieces_in_sector": {"type": "int", "default": 1000},
    "margin_bytes": {"type": "int", "default": 0},
}
FARM_FILES = ("plot.bin", "metadata.bin")


def is_root(user):
    """Tell whether a user, by name or number, may use the blocks kept back for root."""
    try:
        return pwd.getpwnam(user).pw_uid == 0
    except KeyError:
        return user == "0"


def existing_ancestor(path):
    """Return the path, symbolic links followed, or its nearest parent that exists."""
    path = Path(path).resolve()
    return next(parent for parent in [path, *path.parents] if parent.exists())


def file_bytes(path):
    """Return (size, bytes taken on the disk) of a file, at most its size; (0, 0) when there is none."""
    try:
        info = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return 0, 0
    return info.st_size, min(info.st_size, info.st_blocks * 512)


def read_disk(path, mounts, root, pieces_in_sector, margin_bytes):
    """Return the answer for one path."""
    real = existing_ancestor(path)
    exists = real == Path(path).resolve()
    mount = find_mount(mounts, str(real)) or {"mountpoint": None, "device": None, "fstype": None, "options": []}
    space = os.statvfs(real)
    available = space.f_frsize * (space.f_bfree if root else space.f_bavail)
    files = [file_bytes(real / name) for name in FARM_FILES] if exists else []
    # The holes of a file that was not allocated yet are still counted as free by the filesystem.
    allocated = sum(taken for _size, taken in files)
    return {
        "exists": exists,
        "mountpoint": mount["mountpoint"],
        "is_mountpoint": exists and mount["mountpoint"] == str(real),
        "device": mount["device"],
        "fstype": mount["fstype"],
        "options": mount["options"],
        "read_only": "ro" in mount["options"] or bool(space.f_flag & os.ST_RDONLY),
        "size": space.f_frsize * space.f_blocks,
        "available": available,
        "existing_plot_bytes": sum(size for size, _taken in files),
        "max_sectors": max_sectors(available, allocated, pieces_in_sector, margin_bytes),
    }


def run_module(params):
    """Return the module's result."""
    mounts = parse_mountinfo(Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape"))
    root = is_root(params["user"])
    disks = {}
    for path in params["paths"]:
        if not path.startswith("/"):
            raise SectorsError(f"the path {path} is not absolute")
        disks[path] = read_disk(path, mounts, root, params["pieces_in_sector"], params["margin_bytes"])
    return {"disks": disks}


def main():
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        result = run_module(module.params)
    except SectorsError as exc:
        module.fail_json(msg=f"Wrong argument: {exc}.")
    except OSError as exc:
        module.fail_json(msg=f"{exc.filename} cannot be read: {exc.strerror}")
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
