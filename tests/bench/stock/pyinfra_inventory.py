# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts of `make bench-site` for pyinfra, from the file that BENCH_PYINFRA_HOSTS names."""

from __future__ import annotations

import json
import os
from pathlib import Path

# pyinfra wants pairs of name and data that are tuples.
hosts = list(map(tuple, json.loads(Path(os.environ["BENCH_PYINFRA_HOSTS"]).read_text())))
