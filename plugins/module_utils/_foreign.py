# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The mark of functions that understand what others wrote: outputs of commands, answers of servers, files of a host."""

from __future__ import annotations

from typing import Any, Callable, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


def reads_foreign(function: Function) -> Function:
    """Mark a function that is given what anybody may have written.

    Whatever that is, the function returns what its documentation says or raises the error that it names, and nothing
    else. The tests give each marked function hostile texts, and find those that lack the mark.
    """
    return function
