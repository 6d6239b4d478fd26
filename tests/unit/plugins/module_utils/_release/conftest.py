# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._host import locks


@pytest.fixture(autouse=True)
def own_locks(monkeypatch, tmp_path_factory):
    """The locks of a test are its own, not this machine's."""
    monkeypatch.setattr(locks, "FOLDER", str(tmp_path_factory.mktemp("locks") / "autonomys"))
