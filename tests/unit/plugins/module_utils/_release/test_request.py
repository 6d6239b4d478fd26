# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._release.request import (
    ReleaseError,
    masked,
    normalise,
    parse_checksum,
)
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._release.releases import sha


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"root": "releases"}, "root 'releases' must be an absolute path other than /"),
        ({"root": "/"}, "root '/' must be an absolute path other than /"),
        ({"version": "../v1"}, "version '../v1' cannot be the name of a folder"),
        ({"version": ".hidden"}, "version '.hidden' cannot be the name of a folder"),
        ({"version": ""}, "version '' cannot be the name of a folder"),
        ({"version": "v1\n"}, "version 'v1\\n' cannot be the name of a folder"),
        ({"version": "v" * 300}, f"version '{'v' * 300}' cannot be the name of a folder"),
    ],
)
def test_bad_release_is_refused_with_the_value(change, message):
    with pytest.raises(ReleaseError) as error:
        normalise([dict({"root": "/opt/x", "version": "v1", "files": []}, **change)])
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "a/b"}, "'a/b' cannot be the name of a file"),
        ({"name": "f\n"}, "'f\\n' cannot be the name of a file"),
        ({"name": ".release.json"}, "'.release.json' cannot be the name of a file"),
        ({"checksum": "abc"}, "the checksum 'abc' of s is not of the form sha256:<64 hexadecimal digits>"),
        ({"checksum": 7}, "the checksum 7 of s is not of the form sha256:<64 hexadecimal digits>"),
        ({"extract": "/etc/passwd"}, "extract '/etc/passwd' must be the path of a file inside the archive"),
        ({"extract": "a/../../b"}, "extract 'a/../../b' must be the path of a file inside the archive"),
        ({"src": "ftp://u:p@x/a?token=t"}, "ftp://x/a must be a http, https or file URL, or a path"),
    ],
)
def test_bad_file_is_refused_with_the_value(change, message):
    entry = dict({"name": "a", "src": "s", "checksum": sha(b"")}, **change)
    with pytest.raises(ReleaseError) as error:
        normalise([{"root": "/opt/x", "version": "v1", "files": [entry]}])
    assert str(error.value) == message


def test_the_same_version_or_file_twice_is_refused():
    entry = {"name": "a", "src": "s", "checksum": sha(b"")}
    with pytest.raises(ReleaseError, match="a is listed twice in /opt/x/v1"):
        normalise([{"root": "/opt/x", "version": "v1", "files": [entry, entry]}])
    with pytest.raises(ReleaseError, match="/opt/x/v1 is listed twice"):
        normalise([{"root": "/opt/x", "version": "v1", "files": []}, {"root": "/opt/x/", "version": "v1", "files": []}])


def test_checksum_is_read_in_any_case():
    assert parse_checksum(sha(b"").upper(), "s") == sha(b"")


def test_arguments_are_shown_without_what_urls_hide():
    shown = masked({"releases": [{"files": [{"src": "https://u:p@h/a?token=t", "name": "a"}]}], "keep": 2, "x": None})
    assert shown == {"releases": [{"files": [{"src": "https://h/a", "name": "a"}]}], "keep": 2, "x": None}
    assert masked("nonsense") == "nonsense"
