# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules that speak with supervisord have in common."""

from __future__ import annotations


class ModuleDocFragment:
    """The platform and the option that says where supervisord is."""

    DOCUMENTATION = r"""
attributes:
  platform:
    description: Linux with supervisor 4.
    platforms: posix
    support: full
options:
  config:
    description: Configuration file of supervisord. The socket and the folder of included files are read from it.
    type: path
    default: /etc/supervisor/supervisord.conf
"""
