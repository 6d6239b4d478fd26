# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is true of every module that only reads."""

from __future__ import annotations


class ModuleDocFragment:
    """The attributes of a module that changes nothing."""

    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Changes no host, so that it does the same in check mode.
    support: full
  diff_mode:
    description: Changes no host, so that there is nothing to compare.
    support: N/A
  idempotent:
    description: Changes no host.
    support: full
"""
