# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run parts of the tests, all of them even when one fails, and sum up with times.

run.py parts PART...          parts of `make test`, one after another
run.py lint                   two at a time
run.py molecule SCENARIO...   two at a time (AT_ONCE=1 for one); output and the time of each line go to
                              build/molecule/SCENARIO.log, whose end is shown when the scenario fails
"""

from __future__ import annotations

import os
import queue
import re
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
LOGS = REPOSITORY / "build/molecule"
PACKAGES = [
    f"ansible_collections.autonomys.cluster.plugins.{each}" for each in ("module_utils", "plugin_utils", "action")
]
LINTS = {
    "ansible-test sanity": ["tests/sanity/run.sh"],
    "ansible-lint": ["ansible-lint", "-q"],
    "galaxy-importer": ["tests/importer/run.sh"],
    "mypy": ["mypy", "--no-error-summary", *(word for package in PACKAGES for word in ("-p", package))],
    "mypy of tools": ["mypy", "--no-error-summary", "tools"],
    "changelog fragments": ["antsibull-changelog", "lint"],
    "yamllint": ["yamllint", "--strict", "."],
    "ruff": ["ruff", "check", "--quiet", "."],
    "ruff format": ["ruff", "format", "--check", "--quiet", "."],
}
#: Begun first, so that both places end at about the same time.
LONGEST = ("faults", "default", "upgrade", "monitoring", "awx", "pieces", "plot_server")
AT_ONCE = int(os.environ.get("AT_ONCE", "2"))
#: What a place's hosts are called and where they are, beside those of `make demo`, of `make bench-upgrade` and of
#: molecule by hand.
PREFIX, NETWORK = os.environ.get("TEST_HOSTS_PREFIX", "molecule-"), os.environ.get("TEST_HOSTS_NETWORK", "10.213.20")
#: Of a scenario's log that is shown when it failed.
LINES = 150

Step = Callable[[], "tuple[bool, str]"]


def run_all(kind: str, steps: dict[str, Step], at_once: int) -> int:
    """Run steps, print a summary, and return the exit status."""
    began = time.monotonic()
    summary, failed = [], []

    def run(name: str) -> None:
        started = time.monotonic()
        passed, more = steps[name]()
        summary.append(f"{name:<30} {'passed' if passed else 'FAILED'} {time.monotonic() - started:5.0f} s{more}")
        print(f"== {summary[-1]}", flush=True)
        if not passed:
            failed.append(name)

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(run, steps))
    print("", *summary, sep="\n")
    if failed:
        print(f"{kind}: {len(failed)} of {len(steps)} FAILED: {'; '.join(failed)}")
    else:
        print(f"{kind}: all {len(steps)} passed in {time.monotonic() - began:.0f} s")
    return bool(failed)


def command(line: list[str], shown: bool) -> Step:
    """A step that is a command; what it says is shown at once, or whole at its end where others run beside it."""

    def step() -> tuple[bool, str]:
        done = subprocess.run(
            line,
            cwd=REPOSITORY,
            stdout=None if shown else subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.stdout:
            print(done.stdout, end="", flush=True)
        return done.returncode == 0, ""

    return step


def scenario(name: str, places: queue.SimpleQueue) -> Step:
    """A step that is a molecule scenario, in a place of its own."""

    def step() -> tuple[bool, str]:
        prefix, network = place = places.get()
        log = LOGS / f"{name}.log"
        print(f"molecule: {name} (hosts {prefix}*, {network}.*; output in {log.relative_to(REPOSITORY)})", flush=True)
        line = ["molecule", "test", "--no-command-borders", "--scenario-name", name]
        environment = dict(os.environ, NO_COLOR="1", TEST_HOSTS_PREFIX=prefix, TEST_HOSTS_NETWORK=network)
        began, actions = time.monotonic(), []
        with log.open("w") as output:
            process = subprocess.Popen(
                line, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
            assert process.stdout
            for said in process.stdout:
                output.write(f"{time.monotonic() - began:6.1f} {said}")
                output.flush()
                if found := re.search(r"\[\S+ > (\w+)\] Executing$", said):
                    actions.append((found[1], time.monotonic()))
            passed = process.wait() == 0
        places.put(place)
        if not passed:
            print(*log.read_text().splitlines()[-LINES:], sep="\n", flush=True)
        ends = [begun for _action, begun in actions[1:]] + [time.monotonic()]
        return passed, ": " + ", ".join(f"{action} {end - begun:.0f}" for (action, begun), end in zip(actions, ends))

    return step


def molecule(names: list[str]) -> int:
    """Run scenarios, the longest first."""
    LOGS.mkdir(parents=True, exist_ok=True)
    places: queue.SimpleQueue = queue.SimpleQueue()
    first, _dot, last = NETWORK.rpartition(".")
    for number in range(AT_ONCE):
        places.put((f"{PREFIX}{'abcdefgh'[number]}-", f"{first}.{int(last) + number}"))
    names.sort(key=lambda name: LONGEST.index(name) if name in LONGEST else len(LONGEST))
    return run_all("molecule", {name: scenario(name, places) for name in names}, AT_ONCE)


def main() -> int:
    kind, *names = sys.argv[1:]
    if kind == "parts":
        return run_all(kind, {f"make {part}": command(["make", part], shown=True) for part in names}, 1)
    if kind == "lint":
        return run_all(kind, {name: command(line, shown=False) for name, line in LINTS.items()}, AT_ONCE)
    if kind == "molecule":
        return molecule(names)
    raise SystemExit(__doc__)


if __name__ == "__main__":
    sys.exit(main())
