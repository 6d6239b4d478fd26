# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Part of `make bench-site`: what site.yml looks at, in pyinfra.

Packages, service, folders, digests of files and binaries, supervisorctl, and two HTTP questions where NATS and the
node run. Whatever is not as it should be ends the run.
"""

from __future__ import annotations

import shlex

from pyinfra import host
from pyinfra.facts.files import Sha256File
from pyinfra.facts.server import Command
from pyinfra.operations import apt, files, systemd

#: Hosts have no curl, but Python.
ASK = """
import sys, urllib.request
request = urllib.request.Request(sys.argv[1], sys.argv[2].encode() or None, {"Content-Type": "application/json"})
print(urllib.request.urlopen(request, timeout=5).status)
"""


def expect(what: str, found: object, wanted: object) -> None:
    """End the run where something is not as it should be."""
    if found != wanted:
        raise SystemExit(f"{host.name}: {what} is {found!r}, not {wanted!r}")


apt.packages(name="Packages", packages=host.data.packages)
systemd.service(name="Service", service=host.data.service, running=True, enabled=True)
for folder in host.data.folders:
    files.directory(
        name=f"Folder {folder['path']}",
        path=folder["path"],
        user=folder["owner"],
        group=folder["group"],
        mode=folder["mode"].lstrip("0"),
    )
for path, digest in host.data.digests.items():
    expect(path, host.get_fact(Sha256File, path), digest)
status = host.get_fact(Command, "supervisorctl status")
states = dict(line.split()[:2] for line in status.splitlines())
expect("supervisord", states, dict.fromkeys(host.data.programs, "RUNNING"))
for url, body in host.data.questions:
    expect(url, host.get_fact(Command, shlex.join(["python3", "-c", ASK, url, body])).strip(), "200")
