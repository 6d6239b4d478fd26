#!/usr/bin/env python
# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Part of `make bench-site`: ssh for Ansible that also records what modules answer, in the folder BENCH_RECORDED."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

MODULE = re.compile(rb"\b(?:ansible\.modules|ansible_collections\.\w+\.\w+\.plugins\.modules)\.(\w+)")


def record(folder: Path, address: str, module: str, answer: str) -> None:
    """Keep the last answer of a module on a host, whose tasks come one after another."""
    path = folder / f"{address}.json"
    answers = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**answers, module: answer}))


def main() -> int:
    """Do what ssh does."""
    data = sys.stdin.buffer.read()
    done = subprocess.run(["ssh", *sys.argv[1:]], input=data, stdout=subprocess.PIPE, check=False)
    found = MODULE.findall(data)
    # The address is the argument before the command.
    if found and done.returncode == 0:
        address, module = sys.argv[-2], found[-1].decode()
        record(Path(os.environ["BENCH_RECORDED"]), address, module, done.stdout.decode())
    sys.stdout.buffer.write(done.stdout)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
