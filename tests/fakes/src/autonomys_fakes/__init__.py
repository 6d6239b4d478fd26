# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fakes of the three closed programs of an Autonomys farming cluster."""

from __future__ import annotations

try:
    from ._release import VERSION
except ImportError:  # run from the source tree: only pack.py writes _release.py, into the release
    VERSION = "v0.0.0-source"
