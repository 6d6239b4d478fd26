# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor import defined, rpc


class Supervisor(rpc.Supervisor):
    """Answers as supervisord, or refuses."""

    def __init__(self, log):
        super().__init__("/nowhere")
        self.log = log

    def call(self, method, *arguments):
        assert (method, arguments[0]) == ("tailProcessStdoutLog", "autonomys-plot-server:autonomys-plot-server-0")
        if self.log is None:
            raise rpc.SupervisorFault(20, "NO_FILE")
        return [self.log, 0, False]


@pytest.mark.parametrize("log, reason", [
    ("start\nError: no GPU\n\n", "Exited too quickly (process log may have details); its log ends with: Error: no GPU"),
    ("", "Exited too quickly (process log may have details)"),
    (None, "Exited too quickly (process log may have details)"),
])  # fmt: skip
def test_why_a_program_does_not_stay_up(log, reason):
    info = {
        "name": "autonomys-plot-server-0",
        "group": "autonomys-plot-server",
        "statename": "BACKOFF",
        "spawnerr": "Exited too quickly (process log may have details)",
    }
    assert defined.read_reason(Supervisor(log), info) == reason
