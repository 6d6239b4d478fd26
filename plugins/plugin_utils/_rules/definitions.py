# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What of a host's variables supervisord's configuration cannot hold: the checks that supervisor_program makes too."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from ansible_collections.autonomys.cluster.plugins.module_utils._secrets import secret_options
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.errors import ConfError
from ansible_collections.autonomys.cluster.plugins.module_utils._supervisor.write import (
    plain_value,
    quote_argument,
    quote_environment,
)

from .view import View

# Variables that go into a program's definition as they are, not as part of its command.
PLAIN = ("cluster_user", "cluster_log_dir")
NUMBERS = ("cluster_program_startsecs",)
# An option with its value behind it, as a shell takes it and a list of arguments does not.
TOGETHER = re.compile(r"--?[A-Za-z][\w-]*\s+\S")


def refused(view: View, host: str, component: str) -> Iterator[str]:
    """Yield what supervisor_program refuses of a component's variables, a sentence per value."""
    name = f"{component}_environment"
    environment = view.value(host, name) or {}
    for key in sorted(environment, key=str):
        yield from _said(quote_environment, {str(key): environment[key]}, name)
    for name in _own(view, host, component):
        value = view.value(host, name)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str):
                yield from _said(quote_argument, item, name)
    for name in PLAIN:
        value = view.value(host, name)
        if isinstance(value, str):
            yield from _said(plain_value, value, name)
    for name in (*NUMBERS, f"{component}_stopwaitsecs"):
        value = view.value(host, name)
        if isinstance(value, int) and value < 0:
            yield f"{name}: {value} is negative"


def arguments_in_one(view: View, host: str, component: str) -> Iterator[tuple[str, str]]:
    """Yield (variable, item) of arguments that are an option and its value in one."""
    for name in _own(view, host, component):
        if name.endswith("extra_args"):
            for item in view.value(host, name) or []:
                if TOGETHER.match(str(item)):
                    yield name, str(item)


def secret_arguments(view: View, host: str, component: str) -> Iterator[tuple[str, list[str]]]:
    """Yield (variable, options) of command lines that hold secrets, as the list of processes shows them."""
    for name in _own(view, host, component):
        if name.endswith("extra_args"):
            options = secret_options([str(item) for item in view.value(host, name) or []])
            if options:
                yield name, options


def _own(view: View, host: str, component: str) -> list[str]:
    settings = view.model["hosts"][host]["settings"]
    return sorted(name for name in settings if name.startswith(component + "_"))


def _said(check: Callable[[Any, str], object], value: Any, what: str) -> Iterator[str]:
    """Yield what a check of the module says against a value."""
    try:
        check(value, what)
    except ConfError as error:
        yield str(error)
