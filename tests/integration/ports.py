# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports for the servers of the tests."""

from __future__ import annotations

import random
import socket
from pathlib import Path

#: A socket for each port that was given, as long as this process lives.
_claims: list = []


def claim(port: int) -> bool:
    """Say whether a port could be had for this process alone.

    Other workers of the tests, and other runs of them, choose ports at the same time.
    """
    mark = socket.socket(socket.AF_UNIX)
    try:
        # A name without a file: the kernel gives it to one socket on this machine, and frees it when that socket's
        # process ends.
        mark.bind(f"\0autonomys-test-port-{port}")
    except OSError:
        mark.close()
        return False
    _claims.append(mark)
    return True


def is_free(port: int) -> bool:
    """Say whether nobody listens on a port, on any address."""
    with socket.socket() as probe:
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> list:
    """Return ports that nobody uses, and that the kernel gives to nobody who connects somewhere.

    From the moment at which a port is chosen until its server listens, and while that server is restarted, a port of
    the kernel's own range may
    become the near end of any connection on this machine, even of a client that tries to reach that very server.
    """
    first, last = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    # Below 30000, so that none is a p2p port of the fakes.
    usable = [port for port in range(12000, 30000) if not first <= port <= last] or list(range(12000, 30000))
    result: list = []
    for port in random.SystemRandom().sample(usable, len(usable)):
        # Claimed first: a look at another one's port, however short, may be in the way of the server that it was chosen
        # for.
        if claim(port) and is_free(port):
            result.append(port)
        if len(result) == count:
            return result
    raise OSError("no port is free")
