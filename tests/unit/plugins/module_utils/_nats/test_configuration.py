# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._nats.configuration import parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("3MB", 3145728),
        ("3M", 3000000),
        ("3m", 3000000),
        ("3mb", 3145728),
        ("3MiB", 3145728),
        ("3Mi", 3145728),
        ("2K", 2000),
        ("2KB", 2048),
        ("1GB", 1024**3),
        ("1G", 1000**3),
        ("1TB", 1024**4),
        (3145728, 3145728),
        ("3145728", 3145728),
        ("-1", -1),
    ],
)
def test_sizes_are_read_as_nats_server_reads_them(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["3 MB", "3.5MB", "3145728B", "", "MB", "3XB", "3MBB", None, "0x10"])
def test_sizes_that_nats_server_refuses(text):
    with pytest.raises(ValueError, match="is not a size"):
        parse_size(text)
