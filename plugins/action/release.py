# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Install versions of binaries whose sources may be on the control node."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.autonomys.cluster.plugins.module_utils._release.request import (
    ReleaseError,
    parse_checksum,
    wrong_checksum,
)
from ansible_collections.autonomys.cluster.plugins.plugin_utils._sources import cached_checksum, find_source

MODULE = "autonomys.cluster.release"

Sources = dict[str, tuple["str | None", list[str]]]


class ActionModule(ActionBase):
    """Verify sources on the control node, and bring them to the host only when the module asks for them."""

    # No TRANSFERS_FILES: it makes a temporary folder on the host in every run, also in one that transfers nothing.
    _requires_connection = True
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the module once, and once more when it needs files from here."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        args = copy.deepcopy(self._task.args)
        try:
            sources = self._local_sources(args, task_vars or {})
        except ReleaseError as error:
            return dict(result, failed=True, msg=str(error))
        result.update(self._execute_module(module_name=MODULE, module_args=args, task_vars=task_vars))
        needed = result.pop("control_node_sources", None)
        if not needed:
            return result
        missing = [src for src in needed if sources[src][0] is None]
        if missing:
            # Only now: a host that has the version already needs no file here.
            tried = ", ".join(sources[missing[0]][1])
            return dict(result, failed=True, msg=f"{missing[0]} was not found on the control node (tried {tried})")
        try:
            remote = self._transfer({src: path for src, (path, _tried) in sources.items() if src in needed and path})
            for entry in _files(args):
                if entry["src"] in remote:
                    entry["src"] = "file://" + remote[entry["src"]]
            result.update(self._execute_module(module_name=MODULE, module_args=args, task_vars=task_vars))
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return result

    def _local_sources(
        self, args: Mapping[str, Any], task_vars: Mapping[str, Any]
    ) -> dict[str, tuple[str | None, list[str]]]:
        """Return ``{src: (path or None, places tried)}`` of the sources here, with every checksum verified."""
        sources: dict[str, tuple[str | None, list[str]]] = {}
        for entry in _files(args):
            src = entry.get("src")
            if not isinstance(src, str) or "://" in src or not entry.get("checksum"):
                continue
            expected = parse_checksum(entry["checksum"], src)
            path, tried = find_source(self, src, task_vars)
            if path:
                actual = cached_checksum(path)
                if actual != expected:
                    raise wrong_checksum(path, expected, actual)
            sources[src] = (path, tried)
        return sources

    def _transfer(self, paths: Mapping[str, str]) -> dict[str, str]:
        """Put files into the host's temporary folder; return their paths there."""
        folder = self._connection._shell.tmpdir or self._make_tmp_path()
        remote = {}
        for number, (src, path) in enumerate(sorted(paths.items())):
            remote[src] = self._transfer_file(path, self._connection._shell.join_path(folder, f"source-{number}"))
        self._fixup_perms2([folder, *remote.values()])
        return remote


def _files(args: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the file entries of the arguments, whatever else may be wrong with them: the module says that better."""
    for release in args.get("releases") or []:
        for entry in (release.get("files") or []) if isinstance(release, dict) else []:
            if isinstance(entry, dict):
                yield entry
