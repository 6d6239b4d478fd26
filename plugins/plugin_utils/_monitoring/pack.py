# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""Pack the collector: the code that reads a host, as one file that Python runs."""

from __future__ import annotations

import functools
import io
import zipfile
from pathlib import Path

from ansible_collections.autonomys.cluster.plugins.module_utils._host.files import read_bytes

#: Bytes of a file of code, far more than any has.
MAX_FILE = 4 * 1024 * 1024
MODULE_UTILS = Path(__file__).parents[2] / "module_utils"
#: The folder of the code in the archive. Imports inside module_utils are relative, so its name does not matter.
PACKAGE = "collector"
MAIN = f"import sys\n\nfrom {PACKAGE}._metrics.collect import main\n\nsys.exit(main())\n"
#: Always the same bytes for the same code: another digest is another collector.
WHEN = (2020, 1, 1, 0, 0, 0)


@functools.lru_cache(maxsize=None)
def collector() -> bytes:
    """Return the collector as an archive that ``python3`` runs."""
    texts = {"__main__.py": MAIN.encode(), f"{PACKAGE}/__init__.py": b""}
    for path in MODULE_UTILS.rglob("*.py"):
        texts[f"{PACKAGE}/{path.relative_to(MODULE_UTILS).as_posix()}"] = read_bytes(path, MAX_FILE)
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted(texts.items()):
            archive.writestr(zipfile.ZipInfo(name, WHEN), text, zipfile.ZIP_DEFLATED)
    return written.getvalue()
