# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection to hosts that do not exist: whatever module is run there, it answers as a real host once did."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from ansible.errors import AnsibleError
from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = r"""
name: recorded
short_description: Let modules answer as they once did on a real host
description:
  - Part of C(make bench-site). Nothing is sent anywhere, and no process is started. The module is built for the host
    as for a real one, and its answer is what ssh.py recorded, with name, address and farms of a host of its own.
author: autonomys.cluster contributors (@autonomys-cluster)
extends_documentation_fragment: [connection_pipelining]
options:
  folder:
    description: Where the records are.
    vars: [{name: recorded_folder}]
    required: true
  name:
    description: The name of the recorded host.
    vars: [{name: recorded_name}]
    required: true
  address:
    description: The address of the recorded host.
    vars: [{name: recorded_address}]
    required: true
  host:
    description: The name of this host.
    vars: [{name: inventory_hostname}]
    required: true
  remote_addr:
    description: The address of this host.
    vars: [{name: ansible_host}]
    required: true
"""

MODULE = re.compile(rb"\b(?:ansible\.modules|ansible_collections\.\w+\.\w+\.plugins\.modules)\.(\w+)")


def renamed(text: str, names: dict) -> str:
    """Return an answer with other names and addresses; a name within another word is another name."""
    for before, after in names.items():
        text = re.sub(rf"(?<![\w.-]){re.escape(before)}(?![\w.])", lambda _found, after=after: after, text)
    return text


def own_farms(text: str, host: str) -> str:
    """Return an answer whose farms are no other host's: each has an id and an identity of its own."""

    def own(found: re.Match) -> str:
        value = hashlib.sha256(f"{host} {found[2]}".encode()).hexdigest()
        return f'"{found[1]}": "{value[: len(found[2])]}"'

    return re.sub(r'"(id|identity)": "([0-9a-f]{16,64})"', own, text)


class Connection(ConnectionBase):
    """Answers modules."""

    transport = "recorded"
    has_pipelining = True

    def _connect(self):
        self._connected = True
        return self

    def exec_command(self, cmd, in_data=None, sudoable=True):
        """Return what the module answered."""
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        found = MODULE.findall(in_data or b"")
        path = Path(self.get_option("folder")) / f"{self.get_option('address')}.json"
        answers = json.loads(path.read_text())
        module = found[-1].decode() if found else None
        if module not in answers:
            raise AnsibleError(f"{path}: nothing was recorded of {module or cmd}")
        names = {
            self.get_option("name"): self.get_option("host"),
            self.get_option("address"): self.get_option("remote_addr"),
        }
        return 0, own_farms(renamed(answers[module], names), self.get_option("host")).encode(), b""

    def put_file(self, in_path, out_path):
        """Refuse: a host that is as it should be gets no files."""
        raise AnsibleError(f"a host that does not exist cannot get {in_path}")

    def fetch_file(self, in_path, out_path):
        """Refuse: a host that does not exist has no files."""
        raise AnsibleError(f"a host that does not exist has no {in_path}")

    def close(self):
        """Forget nothing: there is no connection."""
        self._connected = False
