# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Readers side by side: what hangs or breaks spoils only its own part."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

from ansible_collections.autonomys.cluster.plugins.module_utils._reading import side_by_side
from ansible_collections.autonomys.cluster.plugins.module_utils._reading.side_by_side import read_side_by_side


def breaks():
    raise ValueError("the file is damaged")


def silent():
    raise KeyError


def test_each_answers_or_says_why_not():
    gate = threading.Event()
    found = read_side_by_side(
        {"well": lambda: {"a": 1}, "broken": breaks, "silent": silent, "hung": gate.wait},
        {"well": 5, "broken": 5, "silent": 5, "hung": 0.1},
    )
    gate.set()
    assert found == {
        "well": {"a": 1},
        "broken": {"error": "the file is damaged"},
        "silent": {"error": "KeyError"},
        "hung": {"error": "no answer within 0.1 s"},
    }


def test_they_run_at_the_same_time():
    meeting = threading.Barrier(3)
    readers = {name: lambda: meeting.wait(10) >= 0 for name in "abc"}
    assert read_side_by_side(readers, dict.fromkeys("abc", 10)) == dict.fromkeys("abc", True)


def test_what_answers_too_late_changes_nothing():
    gate = threading.Event()
    found = read_side_by_side({"late": gate.wait}, {"late": 0.05})
    gate.set()
    time.sleep(0.05)
    assert found == {"late": {"error": "no answer within 0.05 s"}}


def test_the_process_ends_without_what_hangs():
    code = (
        "import importlib.util, sys, threading\n"
        "spec = importlib.util.spec_from_file_location('side_by_side', sys.argv[1])\n"
        "module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)\n"
        "print(module.read_side_by_side({'hung': threading.Event().wait}, {'hung': 0.1}))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, side_by_side.__file__], timeout=30, capture_output=True, check=False
    )
    assert ended.returncode == 0 and b"no answer within 0.1 s" in ended.stdout
