# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The packed collector runs where nothing of this collection is installed."""

from __future__ import annotations

import subprocess
import sys

from ansible_collections.autonomys.cluster.plugins.plugin_utils._monitoring.pack import collector


def test_the_same_code_gives_the_same_bytes():
    first = collector()
    collector.cache_clear()
    assert collector() == first
    # It goes to every host.
    assert len(first) < 1_000_000


def test_it_runs_alone(tmp_path):
    (tmp_path / "collector.pyz").write_bytes(collector())
    command = [sys.executable, "-IB", "collector.pyz"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (2, "usage: collector state|gpus|drift\n")
