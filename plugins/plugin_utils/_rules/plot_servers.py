# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""PLOT: rules about the options of plot servers."""

from __future__ import annotations

from collections.abc import Iterator

from .deployed import option
from .view import INFO, Finding, Rule, View, finding

RULES = {
    "PLOT001": Rule(INFO, "inventory", "Plot servers choose how many records they encode at once"),
}

ENCODING = "--record-encoding-concurrency"


def check(view: View) -> Iterator[Finding]:
    remedy = (
        f'If your release knows it, set plot_server_extra_args: [{ENCODING}, "32"], and no more than a plot server has '
        "CPUs."
    )
    for host in view.members("plot_server"):
        arguments = view.value(host, "plot_server_extra_args")
        if (
            arguments is not None
            and option([word for item in arguments for word in str(item).split()], ENCODING) is None
        ):
            yield finding("PLOT001", [host], "plot_server", f"plot_server_extra_args has no {ENCODING}", remedy)
