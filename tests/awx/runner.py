# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs as AWX starts them: by ansible-runner, from a private folder in AWX's layout.

The project is a checkout without anything that this repository's own tools made, its collection is what
`collections/requirements.yml` installs, the inventory is a script that prints JSON, and the key to the hosts comes
from an agent. Where a container engine and an image are given, the job runs in the execution environment.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
TOOLS = Path(sys.executable).parent
FAKES = REPOSITORY / "build/fakes"
KEYS = REPOSITORY / "build/hosts"
# Where AWX mounts the private folder in an execution environment.
IN_ENVIRONMENT = "/runner"
SECONDS = 900


def checkout(target: Path) -> None:
    """Copy what git tracks or would track, as a project update gets it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"],
        cwd=REPOSITORY,
        check=True,
        stdout=subprocess.PIPE,
    ).stdout.decode()
    for name in filter(None, listed.split("\0")):
        source = REPOSITORY / name
        if source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)


def install(project: Path, target: Path) -> None:
    """Install the collections of the project's requirements as AWX's project update does."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    subprocess.run(
        [TOOLS / "ansible-galaxy", "collection", "install", "-r", "collections/requirements.yml", "-p", target],
        cwd=project,
        env={**environment, "ANSIBLE_COLLECTIONS_PATH": str(target)},
        check=True,
        capture_output=True,
        timeout=SECONDS,
    )


def of_test_hosts(inventory: Path) -> dict[str, Any]:
    """Return an inventory of test hosts as AWX keeps it: plain values in the place of the tests' own files and keys."""
    command = [Path(sys.executable).with_name("ansible-inventory"), "-i", inventory, "--list", "--export"]
    listed = subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(listed.stdout)
    values = found["all"].setdefault("vars", {})
    values.pop("ansible_ssh_private_key_file", None)
    values.update(
        ansible_ssh_common_args=f"-o StrictHostKeyChecking=yes -o UserKnownHostsFile={KEYS}/known_hosts",
        test_hosts_network=os.environ["TEST_HOSTS_NETWORK"],
        demo_release=json.loads((FAKES / "release.json").read_text(encoding="utf-8")),
    )
    return found


class Job:
    """A job that has ended."""

    def __init__(self, status: int, folder: Path) -> None:
        self.status = status
        self.output = re.sub(r"\x1b\[[0-9;]*m", "", (folder / "stdout").read_text(encoding="utf-8"))
        events = [json.loads(path.read_text(encoding="utf-8")) for path in (folder / "job_events").glob("*.json")]
        stats = [event["event_data"] for event in events if event["event"] == "playbook_on_stats"]
        self.changed = stats[-1]["changed"] if stats else {}
        self.artifacts: dict[str, Any] = (stats[-1].get("artifact_data") or {}) if stats else {}

    @property
    def text(self) -> str:
        """What it printed as one line: YAML folds long messages, and quotes them where it must."""
        return re.sub(r"\s+", " ", self.output.replace("\\n", " ").replace("''", "'"))

    @property
    def results(self) -> dict[str, Any]:
        """What the job handed over."""
        found: dict[str, Any] = self.artifacts.get("autonomys", {})
        return found

    def __repr__(self) -> str:
        return f"status {self.status}\n{self.output[-6000:]}"


# Hosts come in another order with every job.
INVENTORY = """#!/usr/bin/env python3
import json, random

def shuffled(value):
    if isinstance(value, dict):
        items = list(value.items())
        random.shuffle(items)
        return {key: shuffled(item) for key, item in items}
    return value

inventory = json.loads(INVENTORY)
for name, group in inventory.items():
    if name != "_meta":
        random.shuffle(group.get("hosts", []))
print(json.dumps(shuffled(inventory)))
"""


class Awx:
    """What AWX keeps of a project and an inventory, and the jobs that it starts from them."""

    def __init__(self, folder: Path, inventory: dict[str, Any], image: str | None = None) -> None:
        self.folder, self.image = folder, image
        self._inventory = INVENTORY.replace("(INVENTORY)", f"({json.dumps(inventory)!r})")
        self._count = itertools.count(1)
        checkout(folder / "project")
        install(folder / "project", folder / "requirements_collections")

    def run(self, playbook: str, *arguments: str, **variables: Any) -> Job:
        """Run a job of a playbook of the project, with the variables of its launch."""
        private = self._private_folder(arguments, variables)
        # Containers are named by it.
        ident = f"{private.name}-{os.getpid()}"
        command: list[str | Path] = [TOOLS / "ansible-runner", "run", private, "-p", playbook, "-i", ident]
        if self.image:
            command += ["--process-isolation", "--process-isolation-executable", "docker"]
            command += ["--container-image", self.image, "--container-option=--network=host"]
            for path in (KEYS, FAKES.resolve(), *_folders_of_binaries()):
                command.append(f"--container-volume-mount={path}:{path}:ro")
        # Its own ansible-playbook is the first one of PATH; nothing of this checkout is to be found by accident.
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "MOLECULE_"))}
        environment = {**kept, "PATH": f"{TOOLS}:{os.environ['PATH']}"}
        done = subprocess.run(
            command, cwd=private, env=environment, check=False, timeout=SECONDS, capture_output=True, text=True
        )
        folder = private / "artifacts" / ident
        if not (folder / "stdout").exists():
            raise AssertionError((done.stdout + done.stderr)[-4000:])
        return Job(done.returncode, folder)

    def _private_folder(self, arguments: Sequence[str], variables: Mapping[str, Any]) -> Path:
        """Make the folder of a job, each with a project of its own."""
        private = self.folder / f"job-{next(self._count)}"
        seen_as = IN_ENVIRONMENT if self.image else str(private)
        (private / "env").mkdir(parents=True, mode=0o700)
        for name in ("project", "requirements_collections"):
            shutil.copytree(self.folder / name, private / name, copy_function=os.link)
        collections = f"{seen_as}/requirements_collections:/usr/share/ansible/collections"
        texts = {
            "extravars": json.dumps(variables),
            "envvars": json.dumps({"ANSIBLE_COLLECTIONS_PATH": collections}),
            "settings": json.dumps({"suppress_ansible_output": True, "job_timeout": SECONDS}),
            "cmdline": " ".join(["-u root", *arguments]),
        }
        if (KEYS / "id_ed25519").exists():
            texts["ssh_key"] = (KEYS / "id_ed25519").read_text(encoding="utf-8")
        for name, text in texts.items():
            (private / "env" / name).write_text(text, encoding="utf-8")
            (private / "env" / name).chmod(0o600)
        (private / "inventory").mkdir()
        (private / "inventory/hosts").write_text(self._inventory, encoding="utf-8")
        (private / "inventory/hosts").chmod(0o700)
        return private


def _folders_of_binaries() -> set[str]:
    release = json.loads((FAKES / "release.json").read_text(encoding="utf-8"))
    return {str(Path(binary["src"]).parent) for binary in release["binaries"].values()}
