# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What systemd is told of supervisord's service, in a file of settings of our own beside the distribution's unit."""

from __future__ import annotations

FOLDER = "/etc/systemd/system/supervisor.service.d"
DROP_IN = f"{FOLDER}/autonomys.conf"


def unit_settings(open_files: int) -> str:
    """Return the content of the file; *open_files* is how many files a supervised program may open."""
    return (
        "# Ansible managed\n"
        "[Service]\n"
        "# The service stops its programs itself, each within its own stopwaitsecs; systemd must wait longer than the "
        "longest.\n"
        "TimeoutStopSec=15min\n"
        f"LimitNOFILE={open_files}\n"
    )
