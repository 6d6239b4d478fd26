# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running modules in this process, with everything that they write into the log of the system."""

from __future__ import annotations

import json
from unittest import mock

from ansible.module_utils import basic

try:
    from ansible.module_utils.testing import patch_module_args
except ImportError:  # ansible-core before 2.19

    def patch_module_args(arguments):
        return mock.patch.object(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode())


def run_module(main, arguments, capsys):
    """Return what a module answers, as the text that it is, and all lines that it logs."""
    logged = []
    # As the control node sends it, with what a task says that does not say no_log.
    arguments = {"_ansible_no_log": False, **arguments}
    with patch_module_args(arguments), mock.patch.object(basic, "has_journal", False), mock.patch.object(
        basic.syslog, "syslog", lambda *words: logged.append(str(words[-1]))
    ):
        try:
            main()
        except SystemExit:
            pass
    return capsys.readouterr().out, logged


def result_of(answer):
    """Return a module's answer as data."""
    return json.loads(answer)
