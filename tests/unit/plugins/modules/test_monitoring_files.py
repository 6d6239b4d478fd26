# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The monitoring_files module: a check, the run, and a second run that finds nothing to do."""

from __future__ import annotations

import base64

from ansible_collections.autonomys.cluster.plugins.modules import monitoring_files
from ansible_collections.autonomys.cluster.tests.unit.modules import result_of, run_module


def test_a_check_predicts_with_the_difference_and_a_second_run_changes_nothing(capsys, tmp_path):
    target = tmp_path / "made" / "alerts.yml"
    files = [{"path": str(target), "content": base64.b64encode(b"groups: []\n").decode(), "mode": "0644"}]

    def run(**more):
        answer, _logged = run_module(monitoring_files.main, {"files": files, **more}, capsys)
        return result_of(answer)

    predicted = run(_ansible_check_mode=True, _ansible_diff=True)
    assert predicted["changed"] and predicted["written"] == [str(target)] and not target.exists()
    assert "groups: []" in str(predicted["diff"])
    done = run(_ansible_diff=True)
    assert (done["changed"], done["written"], done["diff"]) == (True, predicted["written"], predicted["diff"])
    assert target.read_text() == "groups: []\n"
    assert not run()["changed"]
