# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What a run would change on this host, by the code that would change it, in check mode."""

from __future__ import annotations

import pwd
from typing import Any, Callable, Collection, Mapping

from .._components import registry
from .._components.binaries import Checksums, releases
from .._components.common import Facts, Settings
from .._components.nats import CONFIG as NATS_CONFIG
from .._components.nats import RUNNING_CONFIG
from .._nats.configuration import file_text
from .._release.plan import answer, plan
from .._release.read import read_there
from .._release.request import normalise
from .._supervisor.decide import Request
from .._supervisor.defined import CONFIG
from .._supervisor.programs import with_defaults
from .._supervisor.run import Tools, execute

Hide = Callable[[Collection[str]], object]


def release_changes(settings: Settings, machine: str, checksums: Checksums) -> dict[str, Any]:
    """Return what ``release`` answers in check mode; *machine* is the kernel's name of the machine."""
    wanted = normalise(dict(release) for release in releases(settings, machine, checksums))
    there = read_there(wanted, settings["cluster_releases_keep"], pwd.getpwnam("root").pw_uid)
    return answer(wanted, there, plan(wanted, there, settings["cluster_releases_keep"]))


def program_changes(component: str, settings: Settings, facts: Facts, hide: Hide) -> dict[str, Any]:
    """Return what ``supervisor_program`` answers in check mode when running programs are left alone.

    *hide* is given the secrets of the definitions, old and new.
    """
    warnings: list[str] = []
    request = Request(
        name=registry.COMPONENTS[component].file,
        programs=[with_defaults(dict(program)) for program in registry.programs(component, settings, facts)],
        state=settings[component + "_state"],
        only=None,
        restart="never",
        config=CONFIG,
        check=True,
    )
    return execute(request, Tools(_never, warnings.append, hide))


def _never(source: str, destination: str) -> None:
    raise AssertionError(f"a look would move {source} to {destination}")


def configuration_changes(settings: Settings, files: Mapping[str, Any]) -> dict[str, Any]:
    """Return what would become of the file of NATS: written, noted as what runs, or read again after a cut-off run."""
    before, running = _content(files.get(NATS_CONFIG)), _content(files.get(RUNNING_CONFIG))
    after = file_text(settings)
    differs = (before or "").strip() != after.strip()
    diff = {"before_header": NATS_CONFIG, "after_header": NATS_CONFIG, "before": before or "", "after": after}
    return {
        "changed": differs or before != running,
        "diff": [diff] if differs else [],
    }


def _content(file: Mapping[str, Any] | None) -> str | None:
    content: str | None = file["content"] if file else None
    return content
