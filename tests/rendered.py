# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the example inventories put on their hosts: the files of supervised programs and the configuration of NATS.

rendered.py FOLDER      writes a file for each inventory into FOLDER

A release of this collection that gives an unchanged inventory other files restarts every cluster. So those of the last
release are kept in tests/fixtures/rendered, and tests/unit/inventories/test_last_release.py compares.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from ansible_collections.autonomys.cluster.plugins.module_utils._components import registry
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.configuration import file_text
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.programs import DEFAULTS
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.write import render

ROOT = Path(__file__).resolve().parents[1]
INVENTORIES = ("tutorial", "demo", "template")
# The machine that every host is: GPUs on two sockets, so that masks are part of what is compared.
MACHINE = "seed-2x48c-4gpu"
# Begins the line above each file, with its host, component and path.
TITLE = "########"

PRINT_MODEL = """
- hosts: all
  gather_facts: false
  tasks:
    - autonomys.cluster.cluster_model:
      register: built
      run_once: true
    - ansible.builtin.copy:
        content: "{{ built.model | to_json }}"
        dest: "{{ model_file }}"
        mode: "0600"
      delegate_to: localhost
      vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}"}
      run_once: true
"""


def model_of(inventory, folder):
    """The model of an inventory, made by ansible-playbook as a user's run makes it; no host is contacted."""
    # inventories/demo takes the names and addresses of other test hosts from there.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TEST_HOSTS_")}
    playbook, model = folder / "model.yml", folder / "model.json"
    playbook.write_text(PRINT_MODEL, encoding="utf-8")
    command = [
        Path(sys.executable).parent / "ansible-playbook",
        "-i",
        ROOT / inventory,
        "-e",
        f"model_file={model}",
        playbook,
    ]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=dict(environment, ANSIBLE_CONFIG=str(ROOT / "ansible.cfg")),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(model.read_text(encoding="utf-8"))


def facts_of(settings):
    """What would be read on a host."""
    topology = json.loads((ROOT / f"tests/fixtures/machines/{MACHINE}.json").read_text(encoding="utf-8"))["topology"]
    disk = {"error": None, "existing_plot_bytes": 0, "max_sectors": 7507}
    disks = {farm["path"]: disk for farm in settings.get("plot_client_farms", [])}
    return {"gpus": {"topology": topology, "gpu_error": None}, "host": {"programs": []}, "disks": disks}


def files_of(host):
    """The files of a host, by component and path."""
    settings, files = host["settings"], {}
    for component in host["components"]:
        programs = registry.programs(component, settings, facts_of(settings))
        name = f"/etc/supervisor/conf.d/{registry.COMPONENTS[component].file}.conf"
        files[component, name] = render([dict(DEFAULTS, **program) for program in programs])
        if component == "nats":
            files[component, "/etc/nats-server.conf"] = file_text(settings)
    return files


def rendered(inventory, folder):
    """All files of all hosts of an inventory as one text; ``folder`` is for what is made on the way."""
    hosts = model_of(f"inventories/{inventory}", folder)["hosts"]
    text = "".join(
        f"{TITLE} {name} {component} {path}\n{text.rstrip()}\n\n"
        for name, host in hosts.items()
        for (component, path), text in files_of(host).items()
    )
    if inventory == "demo":
        # Its versions are those of the fakes, which are no part of a release.
        fakes = json.loads((ROOT / "build/fakes/release.json").read_text(encoding="utf-8"))
        for version in (fakes["version"], fakes["nats"]["version"]):
            text = text.replace(version, "VERSION")
    return text


def main():
    for inventory in INVENTORIES:
        with tempfile.TemporaryDirectory() as place:
            Path(sys.argv[1], f"{inventory}.txt").write_text(rendered(inventory, Path(place)), encoding="utf-8")


if __name__ == "__main__":
    main()
