# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: release
short_description: Install versions of programs side by side, verified, completely or not at all
version_added: 0.1.0
description:
  - >-
    Installs each version into a folder of its own, C(<root>/<version>/). What is installed never changes under the
    programs that run from it, and going back to the previous version needs no network.
  - >-
    Every source is verified against the checksum of the inventory, and one archive member is unpacked where wanted,
    before the first file gets its final name. A version is there completely or not at all, and the next run removes
    what an interrupted one left behind.
  - A run that changes nothing is one remote execution that reads a manifest and the attributes of the files.
  - >-
    Versions beyond O(keep) are removed, the oldest first, unless a file in C(/etc/supervisor/conf.d), a definition
    that M(autonomys.cluster.supervisor_program) keeps to go back to, or a running process still names them.
  - >-
    Others than root must not be able to change what is installed: if a folder on the way to O(releases[].root) belongs
    to another account than root or O(owner), or others may write there, nothing is installed. A manifest that others
    could have written proves nothing. A file with another owner or mode is compared with its checksum and replaced by a
    copy of itself.
  - >-
    A source on the control node is verified there before anything happens on a host, and is transferred only to
    hosts that lack it.
options:
  releases:
    description: The versions that must be installed.
    type: list
    elements: dict
    required: true
    suboptions:
      root:
        description: Absolute path of the folder that holds the versions.
        type: path
        required: true
      version:
        description: Name of the version, and so of its folder.
        type: str
        required: true
      files:
        description: Files of the version.
        type: list
        elements: dict
        required: true
        suboptions:
          name:
            description: Name of the installed file.
            type: str
            required: true
          src:
            description:
              - Where the file, or the archive that it is in, comes from.
              - A C(http) or C(https) URL is downloaded by the managed host.
              - A C(file) URL is a file of the managed host.
              - >-
                Everything else is a file on the control node. A relative path is searched in the folder of the
                inventory, where the playbook's C(files) are searched, and in the current folder, in this order.
            type: str
            required: true
          checksum:
            description: Checksum of what O(releases[].files[].src) names, C(sha256:) and 64 hexadecimal digits.
            type: str
            required: true
          extract:
            description:
              - Path of the file inside a tar or zip archive.
              - Without it the source itself is the file.
            type: str
          check_arguments:
            description:
              - >-
                Arguments with which the program is run once, before it gets its final name, to see that this machine
                can run it. O(check_user) runs it, in an empty folder, for at most 30 seconds.
              - It must end with status 0, or with 2, which is what a program answers that does not know the arguments.
              - Without it the program is not run.
            type: list
            elements: str
          check_output:
            description: Text that the program must print then.
            type: str
  keep:
    description: Number of versions to keep in each root besides the wanted ones and those in use.
    type: int
    default: 2
  owner:
    description: Account that owns what is installed. Its primary group becomes the group.
    type: str
    default: root
  check_user:
    description: Account that runs what O(releases[].files[].check_arguments) names, best the one that runs the
      programs.
    type: str
    default: nobody
  proxy:
    description:
      - URL of a proxy for C(http) and C(https) sources.
      - Without it, the variables of the environment apply (C(http_proxy), C(https_proxy), C(no_proxy)).
    type: str
  timeout:
    description: >-
      Seconds within which a server must begin its answer, redirects included, and in each of which at least 64 KiB must
      come from then on.
    type: int
    default: 60
attributes:
  check_mode:
    support: full
    description: Predicts the change and transfers nothing.
  diff_mode:
    support: full
    description: Lists the files of all versions with their checksums before and after.
  idempotent:
    support: full
    description: A second run with the same arguments changes nothing.
author:
  - autonomys.cluster contributors (@autonomys-cluster)
"""

EXAMPLES = r"""
- name: Install the farmer and nats-server
  autonomys.cluster.release:
    releases:
      - root: /opt/autonomys/releases
        version: v1.2.3
        files:
          - name: autonomys-farmer
            src: https://downloads.example.com/v1.2.3/autonomys-farmer
            checksum: sha256:0f3a3a3a1e7a25c2b3a4e0a7b0c1d2e3f405162738495a6b7c8d9e0f1a2b3c4d
      - root: /opt/autonomys/nats
        version: 2.12.8
        files:
          - name: nats-server
            src: files/nats-server-v2.12.8-linux-amd64.tar.gz
            checksum: sha256:4d3c2b1a0f9e8d7c6b5a49382716050f4e3d2c1b0a7e0a4b3c2c5a27e1a3a3f0
            extract: nats-server-v2.12.8-linux-amd64/nats-server
"""

RETURN = r"""
installed:
  description: Paths of the files that were installed or repaired, sorted; in check mode those that would be.
  returned: success
  type: list
  elements: str
  sample: [/opt/autonomys/releases/v1.2.3/autonomys-farmer]
pruned:
  description: Folders of the versions that were removed, sorted; in check mode those that would be.
  returned: success
  type: list
  elements: str
  sample: [/opt/autonomys/releases/v1.0.0]
paths:
  description: Path of every wanted file by its name. When two versions have a file of that name, the later in
    O(releases) counts.
  returned: success
  type: dict
  sample: {autonomys-farmer: /opt/autonomys/releases/v1.2.3/autonomys-farmer}
"""

import functools
import pwd
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.autonomys.cluster.plugins.module_utils._release.download import fetcher
from ansible_collections.autonomys.cluster.plugins.module_utils._release.install import Installer
from ansible_collections.autonomys.cluster.plugins.module_utils._release.plan import (
    answer,
    control_node_sources,
    plan,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._release.read import read_there
from ansible_collections.autonomys.cluster.plugins.module_utils._release.request import (
    ReleaseError,
    masked,
    normalise,
)
from ansible_collections.autonomys.cluster.plugins.module_utils._release.trial import try_program

FILE = {
    "name": {"type": "str", "required": True},
    "src": {"type": "str", "required": True},
    "checksum": {"type": "str", "required": True},
    "extract": {"type": "str"},
    "check_arguments": {"type": "list", "elements": "str"},
    "check_output": {"type": "str"},
}
RELEASE = {
    "root": {"type": "path", "required": True},
    "version": {"type": "str", "required": True},
    "files": {"type": "list", "elements": "dict", "required": True, "options": FILE},
}
ARGUMENTS = {
    "releases": {"type": "list", "elements": "dict", "required": True, "options": RELEASE},
    "keep": {"type": "int", "default": 2},
    "owner": {"type": "str", "default": "root"},
    "check_user": {"type": "str", "default": "nobody"},
    "proxy": {"type": "str"},
    "timeout": {"type": "int", "default": 60},
}


class Module(AnsibleModule):
    """Keeps the arguments, which may hold secrets, out of the log, and returns them without those."""

    def log(self, msg: str, log_args: dict[str, Any] | None = None) -> None:
        """Write nothing to the host's log; C(no_log) of a module is overruled by that of its task."""

    def exit_json(self, **kwargs: Any) -> None:
        """Return a result."""
        super().exit_json(invocation={"module_args": masked(self.params)}, **kwargs)

    def fail_json(self, msg: str, **kwargs: Any) -> None:
        """Return an error; those of the arguments come before anything else could mask them."""
        super().fail_json(msg, invocation={"module_args": masked(self.params)}, **kwargs)


def account(name: str, purpose: str) -> pwd.struct_passwd:
    """Return an account of this host."""
    try:
        return pwd.getpwnam(name)
    except KeyError as error:
        raise ReleaseError(f"there is no account {name} to {purpose}") from error


def install(module: AnsibleModule) -> dict[str, Any]:
    """Plan, carry out and return the module's result."""
    params = module.params
    if params["keep"] < 0:
        raise ReleaseError("keep must not be negative")
    releases = normalise(params["releases"])
    owner = account(params["owner"], "own the release")
    there = read_there(releases, params["keep"], owner.pw_uid)
    steps = plan(releases, there, params["keep"])
    if not module.check_mode:
        sources = control_node_sources(steps)
        if sources:
            # The action plugin transfers these and runs the module again with file URLs in their place.
            return {"changed": False, "control_node_sources": sources}
    result = answer(releases, there, steps)
    if any(steps) and not module.check_mode:
        fetch = fetcher(params["timeout"], params["proxy"])
        trial = functools.partial(try_program, user=account(params["check_user"], "try the programs"))
        # Behind its lock it plans again: another run may have been quicker.
        done = Installer(fetch, owner.pw_uid, owner.pw_gid, trial).run(releases, params["keep"])
        result = {**answer(releases, there, done), "diff": result["diff"]}
    return result


def main() -> None:
    """Run the module."""
    module = Module(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        module.exit_json(**install(module))
    except ReleaseError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"the release cannot be installed: {error}")


if __name__ == "__main__":
    main()
