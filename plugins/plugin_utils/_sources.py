# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Files on the control node that the inventory names: where they lie and what their checksums are."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from typing import Any

from ansible import constants as C
from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.autonomys.cluster.plugins.module_utils._release.read import file_checksum

_CHECKSUM_LENGTH = len("sha256:") + 64


def find_source(action: ActionBase, src: str, task_vars: Mapping[str, Any]) -> tuple[str | None, list[str]]:
    """Return the path of a source, None when it is nowhere, and the places where it was looked for.

    ``action`` is the action plugin that needs it; a relative path is searched beside the inventory, then as Ansible
    searches files.
    """
    path = os.path.expanduser(src)
    if os.path.isabs(path):
        return (path if os.path.isfile(path) else None), [path]
    # An inventory that is no file has no folder, and a variable that says "None".
    inventory = str(task_vars.get("inventory_dir"))
    tried = [os.path.join(inventory, path)] if os.path.isabs(inventory) else []
    try:
        tried.append(action._find_needle("files", path))
    except AnsibleError:
        tried.append(os.path.join(action._loader.get_basedir(), path))
    tried.append(os.path.abspath(path))
    return next((place for place in tried if os.path.isfile(place)), None), sorted(set(tried), key=tried.index)


def cached_checksum(path: str) -> str:
    """Return a file's checksum, computed once in a run of Ansible and not once for every host and task."""
    info = os.stat(path)
    key = f"{os.path.abspath(path)} {info.st_ino} {info.st_size} {info.st_mtime_ns}"
    cache = os.path.join(C.DEFAULT_LOCAL_TMP, "autonomys-sha256-" + hashlib.sha256(key.encode()).hexdigest())
    try:
        with open(cache, encoding="ascii") as handle:
            return handle.read(_CHECKSUM_LENGTH)
    except FileNotFoundError:
        pass
    checksum = file_checksum(path)
    descriptor, partial = tempfile.mkstemp(dir=C.DEFAULT_LOCAL_TMP)
    with open(descriptor, "w", encoding="ascii") as handle:
        handle.write(checksum)
    os.rename(partial, cache)
    return checksum
