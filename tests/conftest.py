# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tests one worker of `make unit` runs together."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

#: Each of these tests starts what it needs itself, and together they take longer than those of any other file.
ALONE = "tests/integration/supervisor/"


class Scheduling(LoadScopeScheduling):
    """A file's tests stay together, because many share a browser, a farm or a model that take seconds to make.

    Those that share nothing do not.
    """

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if nodeid.startswith(ALONE) else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config, log) -> Scheduling:
    return Scheduling(config, log)
