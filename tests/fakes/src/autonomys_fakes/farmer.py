# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""autonomys-farmer: all components and utilities behind one command line."""

from __future__ import annotations

from . import cli
from .process import Process


def main() -> int:
    """Run the program."""
    arguments = cli.farmer_parser().parse_args()
    # Imported only now: --version and wrong command lines answer at once, and a process holds what it needs.
    component = arguments.component
    if arguments.command == "util":
        from . import utilities

        run = utilities.UTILITIES[component]
    elif component == "controller":
        from .controller import run
    elif component == "proof-server":
        from .proof_server import run
    elif component == "plot-server":
        from .plot_server import run
    elif component == "plot-client":
        from .plot_client import run
    else:
        from .caches import run
    return Process(component).run(lambda process: run(process, arguments))
