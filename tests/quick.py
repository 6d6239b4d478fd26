# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tells within two minutes whether a change is worth a whole run: `make quick`.

The linters look at the files that differ from BASE (the branch main), committed or not; the unit tests run without
those that need a browser, a daemon or a minute. `make lint unit` leaves nothing out.
"""

from __future__ import annotations

import os
import subprocess
import sys

from run import PACKAGES, REPOSITORY, command, run_all

BASE = os.environ.get("BASE", "main")
WORKERS = os.environ.get("WORKERS", "4")
#: What needs a browser, makes a whole release, or starts programs and waits for them.
LEFT_OUT = [
    "tests/unit/bench",
    "tests/unit/plugins/plugin_utils/_plan/test_page_in_browser.py",
    "tests/unit/tools/test_release.py",
    "tests/unit/fakes",
    "tests/unit/roles/test_piece_transfer.py",
    "tests/unit/roles/test_piece_transfer_liars.py",
    "tests/unit/roles/test_reinitialize_cache.py",
]
#: What users see: a change of it is told in a fragment.
SEEN = ("plugins/modules/", "plugins/filter/", "plugins/action/", "roles/", "playbooks/")
FRAGMENTS = "changelogs/fragments/"


def git(*words):
    """The lines that git answers."""
    done = subprocess.run(["git", *words], cwd=REPOSITORY, check=True, text=True, stdout=subprocess.PIPE)
    return done.stdout.splitlines()


def changed_files():
    """The files that differ from where the branch left BASE, and those that git does not know yet."""
    names = {*git("diff", "--name-only", "--merge-base", BASE), *git("ls-files", "--others", "--exclude-standard")}
    return sorted(name for name in names if (REPOSITORY / name).is_file())


def fragment_missing(changed):
    """What to say when users would not hear of a change, None if they do."""
    seen = [name for name in changed if name.startswith(SEEN)]
    if not seen or any(name.startswith(FRAGMENTS) for name in changed):
        return None
    return (
        f"{seen[0]} changed since {BASE}, and no fragment in {FRAGMENTS} did. Say there what users see of it; for what "
        f"they do not see, the section is called trivial."
    )


def lints(changed):
    """The linters that have something to look at, as commands by their names."""
    python = [name for name in changed if name.endswith(".py")]
    yaml = [name for name in changed if name.endswith((".yml", ".yaml"))]
    ansible = [name for name in yaml if name.startswith(("roles/", "playbooks/", "molecule/", "tests/hosts/"))]
    wanted = {
        "ruff": (python, ["ruff", "check", "--quiet", *python]),
        "ruff format": (python, ["ruff", "format", "--check", "--quiet", *python]),
        "yamllint": (yaml, ["yamllint", "--strict", *yaml]),
        "ansible-lint": (ansible, ["ansible-lint", "-q", *ansible]),
        "changelog fragments": (
            [name for name in changed if name.startswith("changelogs/")],
            ["antsibull-changelog", "lint"],
        ),
        "mypy": (
            [name for name in python if name.startswith("plugins/")],
            ["mypy", "--no-error-summary", *(word for package in PACKAGES for word in ("-p", package))],
        ),
        "mypy of tools": (
            [name for name in python if name.startswith("tools/")],
            ["mypy", "--no-error-summary", "tools"],
        ),
    }
    return {name: line for name, (files, line) in wanted.items() if files}


def fragments(changed):
    """A step that fails when a fragment is missing."""

    def step():
        missing = fragment_missing(changed)
        if missing:
            print(missing, flush=True)
        return missing is None, ""

    return step


def main():
    changed = changed_files()
    print(f"quick: {len(changed)} files differ from {BASE}", flush=True)
    tests = ["python", "-m", "pytest", "-q", "--numprocesses", WORKERS, "tests/unit"]
    # Clusters of a thousand hosts take half a minute.
    tests += ["-k", "not thousand", *(f"--ignore={path}" for path in LEFT_OUT)]
    steps = {"unit tests": command(tests, shown=False), "a fragment": fragments(changed)}
    steps.update({name: command(line, shown=False) for name, line in lints(changed).items()})
    return run_all("quick", steps, 2)


if __name__ == "__main__":
    sys.exit(main())
