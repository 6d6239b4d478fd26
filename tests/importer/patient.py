# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs galaxy-importer, and gives ansible-lint more than the three minutes that a busy machine may need."""

from __future__ import annotations

import subprocess
import sys

from galaxy_importer import main
from galaxy_importer.loaders import collection

SECONDS = 1200


class Patient(subprocess.Popen):
    """A program that is waited for longer than its caller says."""

    def communicate(self, input=None, timeout=None):
        return super().communicate(input, timeout and SECONDS)


if __name__ == "__main__":
    collection.Popen = Patient
    sys.exit(main.main())
