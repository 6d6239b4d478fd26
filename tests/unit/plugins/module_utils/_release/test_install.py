# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import fcntl
import hashlib
import io
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._release import install as _release
from ansible_collections.autonomys.cluster.plugins.module_utils._release.install import (
    Installer,
    ReleaseError,
    control_node_sources,
    extract_member,
    listing,
    normalise,
    plan,
    prune_candidates,
    references,
    texts_in_use,
)

UID, GID = os.getuid(), os.getgid()


def sha(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def nothing_in_use():
    return []


class Web:
    """Sources by URL, with the requests that were made."""

    def __init__(self, **sources):
        self.sources = {f"https://x/{name}": data for name, data in sources.items()}
        self.requests = []

    def __call__(self, url, write):
        self.requests.append(url)
        data = self.sources[url]
        for start in range(0, len(data), 7):
            write(data[start : start + 7])


def wanted(root, version="v1", **files):
    return normalise(
        [
            {
                "root": str(root),
                "version": version,
                "files": [
                    {"name": name, "src": f"https://x/{name}", "checksum": sha(data)} for name, data in files.items()
                ],
            }
        ]
    )


def run(releases, web, keep=2, in_use=nothing_in_use):
    return Installer(web, UID, GID).run(releases, keep, in_use)


def install(root, version, keep=2, in_use=nothing_in_use, **files):
    releases = wanted(root, version, **files)
    return run(releases, Web(**files), keep, in_use)


def tree(root):
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(Path(root).rglob("*"))
        if path.is_file() and path.name != _release.MANIFEST
    }


def archive(path, **members):
    """Write a tar.gz; a member is bytes, or a TarInfo for what is no file."""
    with tarfile.open(path, "w:gz") as handle:
        for name, member in members.items():
            if isinstance(member, tarfile.TarInfo):
                handle.addfile(member)
            else:
                info = tarfile.TarInfo(name.replace("__", "/"))
                info.size = len(member)
                handle.addfile(info, io.BytesIO(member))
    return path


# The request


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"root": "releases"}, "root 'releases' must be an absolute path other than /"),
        ({"root": "/"}, "root '/' must be an absolute path other than /"),
        ({"version": "../v1"}, "version '../v1' cannot be the name of a folder"),
        ({"version": ".hidden"}, "version '.hidden' cannot be the name of a folder"),
        ({"version": ""}, "version '' cannot be the name of a folder"),
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
        ({"name": ".release.json"}, "'.release.json' cannot be the name of a file"),
        ({"checksum": "abc"}, "the checksum 'abc' of s is not of the form sha256:<64 hexadecimal digits>"),
        ({"checksum": 7}, "the checksum 7 of s is not of the form sha256:<64 hexadecimal digits>"),
        ({"extract": "/etc/passwd"}, "extract '/etc/passwd' must be the path of a file inside the archive"),
        ({"extract": "a/../../b"}, "extract 'a/../../b' must be the path of a file inside the archive"),
        ({"src": "ftp://x/a"}, "ftp://x/a must be a http, https or file URL, or a path"),
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
    assert _release.parse_checksum(sha(b"").upper(), "s") == sha(b"")


# Installing


def test_first_installation(tmp_path):
    root = tmp_path / "opt" / "releases"
    steps = install(root, "v1", farmer=b"one", node=b"two")
    assert [(release["version"], names) for release, names in steps["install"]] == [("v1", ["farmer", "node"])]
    assert tree(root) == {"v1/farmer": b"one", "v1/node": b"two"}
    info = (root / "v1" / "farmer").stat()
    assert (stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid) == (0o755, UID, GID)
    assert stat.S_IMODE((root / "v1").stat().st_mode) == 0o755
    assert stat.S_IMODE(root.stat().st_mode) == 0o755


def test_second_run_does_nothing_and_reads_no_content(tmp_path, monkeypatch):
    install(tmp_path, "v1", farmer=b"one")
    monkeypatch.setattr(_release, "file_checksum", lambda path: pytest.fail("a file was read"))
    assert not any(plan(wanted(tmp_path, farmer=b"one"), 2, UID).values())


def test_one_source_is_fetched_once_for_several_files(tmp_path):
    path = archive(tmp_path / "a.tgz", a__x=b"X", a__y=b"Y")
    web = Web(archive=path.read_bytes())
    files = [
        {"name": name, "src": "https://x/archive", "checksum": sha(path.read_bytes()), "extract": f"a/{name}"}
        for name in ("x", "y")
    ]
    run(normalise([{"root": str(tmp_path / "opt"), "version": "v1", "files": files}]), web)
    assert tree(tmp_path / "opt") == {"v1/x": b"X", "v1/y": b"Y"}
    assert web.requests == ["https://x/archive"]


def test_file_url_is_a_file_of_the_host(tmp_path):
    source = tmp_path / "source"
    source.write_bytes(b"one")
    entry = {"name": "farmer", "src": f"file://{source}", "checksum": sha(b"one")}
    run(normalise([{"root": str(tmp_path / "opt"), "version": "v1", "files": [entry]}]), Web())
    assert tree(tmp_path / "opt") == {"v1/farmer": b"one"}


def test_file_url_of_a_missing_file(tmp_path):
    entry = {"name": "farmer", "src": f"file://{tmp_path}/nope", "checksum": sha(b"one")}
    with pytest.raises(ReleaseError, match="nope cannot be read: No such file or directory; nothing was installed"):
        run(normalise([{"root": str(tmp_path / "opt"), "version": "v1", "files": [entry]}]), Web())


def test_wrong_checksum_of_one_source_installs_nothing_at_all(tmp_path):
    releases = wanted(tmp_path / "a", good=b"good") + wanted(tmp_path / "b", bad=b"bad")
    with pytest.raises(ReleaseError) as error:
        run(releases, Web(good=b"good", bad=b"evil"))
    assert str(error.value) == (
        f"the checksum of https://x/bad is wrong: expected {sha(b'bad')}, actual {sha(b'evil')}; nothing was installed"
    )
    assert tree(tmp_path) == {}
    assert list((tmp_path / "a").iterdir()) == [] == list((tmp_path / "b").iterdir())


def test_a_file_is_added_to_an_installed_version(tmp_path):
    install(tmp_path, "v1", farmer=b"one")
    web = Web(farmer=b"one", node=b"two")
    run(wanted(tmp_path, farmer=b"one", node=b"two"), web)
    assert web.requests == ["https://x/node"]
    assert tree(tmp_path) == {"v1/farmer": b"one", "v1/node": b"two"}
    assert not any(plan(wanted(tmp_path, node=b"two"), 2, UID).values())
    assert not any(plan(wanted(tmp_path, farmer=b"one"), 2, UID).values())


@pytest.mark.parametrize("damage", ["delete", "truncate", "flip", "symlink"])
def test_a_damaged_file_is_installed_again(tmp_path, damage):
    install(tmp_path, "v1", farmer=b"one")
    path = tmp_path / "v1" / "farmer"
    if damage == "flip":
        path.write_bytes(b"0ne")
    elif damage == "truncate":
        path.write_bytes(b"")
    else:
        path.unlink()
        if damage == "symlink":
            path.symlink_to("/bin/true")
    assert install(tmp_path, "v1", farmer=b"one")["install"]
    assert tree(tmp_path) == {"v1/farmer": b"one"}
    assert not path.is_symlink()


def test_a_touched_file_is_no_change(tmp_path):
    install(tmp_path, "v1", farmer=b"one")
    os.utime(tmp_path / "v1" / "farmer", (1, 1))
    assert not any(plan(wanted(tmp_path, farmer=b"one"), 2, UID).values())


def test_mode_and_owner_are_put_right_without_a_download(tmp_path):
    install(tmp_path, "v1", farmer=b"one")
    path = tmp_path / "v1" / "farmer"
    path.chmod(0o777)
    web = Web(farmer=b"one")
    assert run(wanted(tmp_path, farmer=b"one"), web)["attributes"] == [str(path)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o755
    assert web.requests == []


def test_other_content_under_the_same_version_is_refused(tmp_path):
    install(tmp_path, "v1", farmer=b"one")
    with pytest.raises(ReleaseError) as error:
        plan(wanted(tmp_path, farmer=b"two"), 2, UID)
    assert str(error.value) == (
        f"version v1 is installed in {tmp_path}/v1 with other content: farmer came from {sha(b'one')} and {sha(b'two')} "
        "is wanted now. A version never changes in place: give the new build a version of its own, or remove the folder "
        "once no program runs from it"
    )


def test_a_foreign_file_is_refused(tmp_path):
    (tmp_path / "v1").mkdir()
    (tmp_path / "v1" / "farmer").write_bytes(b"by hand")
    with pytest.raises(ReleaseError, match="v1/farmer exists and was not installed by this collection"):
        plan(wanted(tmp_path, farmer=b"one"), 2, UID)


def test_leftovers_of_an_interrupted_run_are_removed(tmp_path):
    install(tmp_path, "v1", farmer=b"one")
    for name in (".partial-v1-abc", ".pruned-v0"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "half").write_bytes(b"x")
    assert install(tmp_path, "v1", farmer=b"one")["leftovers"]
    assert tree(tmp_path) == {"v1/farmer": b"one"}


def test_full_disk_says_so_and_leaves_nothing(tmp_path, monkeypatch):
    def full(path):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(_release, "_sync", full)
    with pytest.raises(
        ReleaseError, match=r"there is no room for farmer v1 on the filesystem of .* MiB are free\); noth"
    ):
        install(tmp_path, "v1", farmer=b"one")
    assert list(tmp_path.iterdir()) == []


def test_endless_source_is_cut_off(tmp_path, monkeypatch):
    monkeypatch.setattr(_release, "MAX_SIZE", 10)

    def endless(url, write):
        while True:
            write(b"xxxx")

    with pytest.raises(ReleaseError, match="https://x/farmer is larger than"):
        run(wanted(tmp_path, farmer=b"one"), endless)
    assert list(tmp_path.iterdir()) == []


def test_a_second_run_at_the_same_time_is_refused(tmp_path):
    descriptor = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        with pytest.raises(ReleaseError, match="another run is installing into"):
            install(tmp_path, "v1", farmer=b"one")
    finally:
        os.close(descriptor)
    install(tmp_path, "v1", farmer=b"one")


class Killed(BaseException):
    """Stands for SIGKILL: the code behind the call never runs, cleaning up included."""


def cut_when_used_up(left, real):
    def call(*args, **kwargs):
        if next(left, None) is None:
            raise Killed
        return real(*args, **kwargs)

    return call


def test_an_interruption_at_any_moment_leaves_a_version_complete_or_absent(tmp_path, monkeypatch):
    """Cut the run before each of its system calls in turn: v1 to v2 with a prune, then a file added to v2."""
    calls = ["mkdir", "chown", "chmod", "fsync", "rename", "rmdir", "unlink"]
    moments = 0
    for moment in range(1000):
        root = tmp_path / str(moment)
        install(root, "v1", farmer=b"one")
        with monkeypatch.context() as patch:
            left = iter(range(moment))
            for name in calls:
                patch.setattr(os, name, cut_when_used_up(left, getattr(os, name)))
            try:
                install(root, "v2", keep=0, farmer=b"two", node=b"node")
                install(root, "v2", keep=0, farmer=b"two", node=b"node", export=b"export")
                done = True
            except Killed:
                done = False
        # What has a final name is whole.
        whole = {"v1/farmer": b"one", "v2/farmer": b"two", "v2/node": b"node", "v2/export": b"export"}
        for name, content in tree(root).items():
            if "/." not in "/" + name:
                assert whole[name] == content
        assert (root / "v2" / "farmer").exists() == (root / "v2" / "node").exists()
        # The next run ends where an uninterrupted one does, and the one after it changes nothing.
        install(root, "v2", keep=0, farmer=b"two", node=b"node", export=b"export")
        assert tree(root) == {name: content for name, content in whole.items() if name.startswith("v2/")}
        assert not any(plan(wanted(root, "v2", farmer=b"two", node=b"node", export=b"export"), 0, UID).values())
        moments = moment
        if done:
            break
    assert 20 < moments < 999


# Unpacking


def test_extract_from_tar_and_zip(tmp_path):
    tar = archive(tmp_path / "a.tgz", dir__bin=b"binary")
    extract_member(tar, "dir/bin", tmp_path / "one", "src")
    assert (tmp_path / "one").read_bytes() == b"binary"
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as handle:
        handle.writestr("dir/bin", b"zipped")
    extract_member(tmp_path / "a.zip", "dir/bin", tmp_path / "two", "src")
    assert (tmp_path / "two").read_bytes() == b"zipped"


def test_extract_finds_a_member_with_a_leading_dot(tmp_path):
    info = tarfile.TarInfo("./dir/bin")
    info.size = 2
    with tarfile.open(tmp_path / "a.tar", "w") as handle:
        handle.addfile(info, io.BytesIO(b"ok"))
    extract_member(tmp_path / "a.tar", "dir/bin", tmp_path / "one", "src")
    assert (tmp_path / "one").read_bytes() == b"ok"


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_what_is_no_regular_file_is_refused(tmp_path, kind):
    info = tarfile.TarInfo("bin")
    info.type = kind
    info.linkname = "/etc/shadow"
    with pytest.raises(ReleaseError, match="bin in src is no regular file; nothing was installed"):
        extract_member(archive(tmp_path / "a.tgz", bin=info), "bin", tmp_path / "one", "src")
    assert not (tmp_path / "one").exists()


def test_a_link_in_a_zip_is_refused(tmp_path):
    info = zipfile.ZipInfo("bin")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as handle:
        handle.writestr(info, "/etc/shadow")
    with pytest.raises(ReleaseError, match="bin in src is no regular file"):
        extract_member(tmp_path / "a.zip", "bin", tmp_path / "one", "src")


def test_missing_member_and_broken_archives(tmp_path):
    tar = archive(tmp_path / "a.tgz", other=os.urandom(100_000))
    with pytest.raises(ReleaseError, match="src has no bin in it; nothing was installed"):
        extract_member(tar, "bin", tmp_path / "one", "src")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as handle:
        handle.writestr("x", b"")
    with pytest.raises(ReleaseError, match="src has no bin in it"):
        extract_member(tmp_path / "a.zip", "bin", tmp_path / "one", "src")
    broken = tmp_path / "broken"
    whole = tar.read_bytes()
    for data, message in (
        (b"no archive", "src is no tar or zip archive; nothing was installed"),
        (b"", "src is no tar or zip archive; nothing was installed"),
        (whole[:50_000], "src cannot be unpacked: .*; nothing was installed"),
        (whole[:50_000] + b"\0" * 50_000, "src cannot be unpacked: .*; nothing was installed"),
    ):
        broken.write_bytes(data)
        with pytest.raises(ReleaseError, match=message):
            extract_member(broken, "other", tmp_path / "one", "src")


def test_an_unpacked_file_has_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(_release, "MAX_SIZE", 10)
    with pytest.raises(ReleaseError, match="bomb in src is larger than"):
        extract_member(archive(tmp_path / "a.tgz", bomb=b"0" * 1000), "bomb", tmp_path / "one", "src")


# Pruning


def test_the_latest_versions_are_kept():
    versions = {"v1": 1.0, "v2": 2.0, "v3": 3.0, "v4": 4.0}
    assert prune_candidates(versions, ["v4"], 2) == ["v1"]
    assert prune_candidates(versions, ["v1"], 2) == ["v2"]
    assert prune_candidates(versions, ["v4"], 0) == ["v1", "v2", "v3"]
    assert prune_candidates(versions, ["v4"], 9) == []


def test_a_version_named_by_a_definition_or_a_process_is_in_use():
    texts = [
        "command=/opt/a/v1/farmer cluster",
        "/opt/a/v3/node\nrun\n",
        "/opt/b/v2/x",
        "/opt/a/v10/y",
        "/opt/a/v4 (deleted)",
    ]
    assert references(texts, "/opt/a", ["v1", "v2", "v3", "v4", "v1.5"]) == {"v1", "v3", "v4"}


def test_texts_in_use_reads_definitions_and_processes(tmp_path):
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "a.conf").write_text("[program:a]\ncommand=/opt/a/v1/farmer\n")
    (tmp_path / "conf" / ".a.conf.previous").write_text("[program:a]\ncommand=/opt/a/v4/farmer\n")
    (tmp_path / "proc" / "12").mkdir(parents=True)
    (tmp_path / "proc" / "12" / "cmdline").write_bytes(b"python3\0/opt/a/v2/farmer\0")
    (tmp_path / "proc" / "12" / "exe").symlink_to("/opt/a/v3/farmer")
    (tmp_path / "proc" / "13").mkdir()
    (tmp_path / "proc" / "self").mkdir()
    texts = list(texts_in_use(str(tmp_path / "conf" / "*.conf"), str(tmp_path / "proc")))
    assert references(texts, "/opt/a", ["v1", "v2", "v3", "v4"]) == {"v1", "v2", "v3", "v4"}


def test_texts_in_use_sees_this_process():
    assert any("pytest" in text for text in texts_in_use())


def test_old_versions_are_pruned_but_never_those_in_use(tmp_path):
    for number in range(1, 5):
        install(tmp_path, f"v{number}", keep=9, farmer=str(number).encode())
    (tmp_path / "foreign").mkdir()
    steps = install(tmp_path, "v5", keep=1, in_use=lambda: [f"command={tmp_path}/v2/farmer"], farmer=b"5")
    # Of v1 to v3, which keep=1 gives up, v2 still runs.
    assert steps["prune"] == [(str(tmp_path), "v1"), (str(tmp_path), "v3")]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["foreign", "v2", "v4", "v5"]


def test_processes_are_read_only_when_something_could_go(tmp_path):
    install(tmp_path, "v1", farmer=b"one")
    plan(wanted(tmp_path, farmer=b"one"), 2, UID, in_use=lambda: pytest.fail("processes were read"))


# What is shown


def test_listing_for_the_diff(tmp_path):
    install(tmp_path, "v1", farmer=b"one")
    (tmp_path / ".partial-v2-x").mkdir()
    releases = wanted(tmp_path, "v2", farmer=b"two")
    steps = plan(releases, 0, UID, nothing_in_use)
    assert listing(releases, steps, after=False) == (
        f"{tmp_path}/v1/farmer {sha(b'one')}\n{tmp_path}/.partial-v2-x/ (left by an interrupted run)\n"
    )
    assert listing(releases, steps, after=True) == f"{tmp_path}/v2/farmer {sha(b'two')}\n"


def test_sources_of_the_control_node_are_only_those_that_are_missing(tmp_path):
    files = [
        {"name": "a", "src": "https://x/a", "checksum": sha(b"a")},
        {"name": "b", "src": "local/b", "checksum": sha(b"b")},
        {"name": "c", "src": "/abs/c", "checksum": sha(b"c")},
        {"name": "d", "src": "file:///host/d", "checksum": sha(b"d")},
    ]
    releases = normalise([{"root": str(tmp_path), "version": "v1", "files": files}])
    assert control_node_sources(plan(releases, 2, UID)) == ["/abs/c", "local/b"]
