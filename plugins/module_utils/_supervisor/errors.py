# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What goes wrong with supervised programs, in words for the operator."""

from __future__ import annotations

from typing import Any


class ConfError(ValueError):
    """A value that supervisord's format cannot carry, or a text that it cannot read."""


class ProgramError(Exception):
    """Something that the operator must know; ``details`` go into the module's result."""

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.details = details
