# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import fcntl
import os
import stat

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._host.locks import locked
from ansible_collections.autonomys.cluster.plugins.module_utils._release import install as installing
from ansible_collections.autonomys.cluster.plugins.module_utils._release import read as reading
from ansible_collections.autonomys.cluster.plugins.module_utils._release import versions
from ansible_collections.autonomys.cluster.plugins.module_utils._release.install import Installer, lock_name
from ansible_collections.autonomys.cluster.plugins.module_utils._release.request import ReleaseError, normalise
from ansible_collections.autonomys.cluster.tests.unit.plugins.module_utils._release.releases import (
    GID,
    UID,
    Web,
    archive,
    install,
    planned,
    run,
    sha,
    tree,
    wanted,
)


def test_first_installation(tmp_path):
    root = tmp_path / "opt" / "releases"
    steps = install(root, "v1", farmer=b"one", node=b"two")
    assert [(release["version"], names) for release, names in steps.install] == [("v1", ["farmer", "node"])]
    assert tree(root) == {"v1/farmer": b"one", "v1/node": b"two"}
    info = (root / "v1" / "farmer").stat()
    assert (stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid) == (0o755, UID, GID)
    assert stat.S_IMODE((root / "v1").stat().st_mode) == 0o755
    assert stat.S_IMODE(root.stat().st_mode) == 0o755


def test_second_run_does_nothing_and_reads_no_content(tmp_path, monkeypatch):
    install(tmp_path, "v1", farmer=b"one")
    monkeypatch.setattr(reading, "file_checksum", lambda path: pytest.fail("a file was read"))
    assert not any(planned(wanted(tmp_path, farmer=b"one")))


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
    assert not any(planned(wanted(tmp_path, node=b"two")))
    assert not any(planned(wanted(tmp_path, farmer=b"one")))


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
    assert install(tmp_path, "v1", farmer=b"one").install
    assert tree(tmp_path) == {"v1/farmer": b"one"}
    assert not path.is_symlink()


def test_mode_and_owner_are_put_right_without_a_download(tmp_path):
    install(tmp_path, "v1", farmer=b"one")
    path = tmp_path / "v1" / "farmer"
    path.chmod(0o777)
    web = Web(farmer=b"one")
    assert run(wanted(tmp_path, farmer=b"one"), web).attributes == [str(path)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o755
    assert web.requests == []


def test_leftovers_of_an_interrupted_run_are_removed(tmp_path):
    install(tmp_path, "v1", farmer=b"one")
    for name in (".partial-v1-abc", ".pruned-v0"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "half").write_bytes(b"x")
    assert install(tmp_path, "v1", farmer=b"one").leftovers
    assert tree(tmp_path) == {"v1/farmer": b"one"}


def test_full_disk_says_so_and_leaves_nothing(tmp_path, monkeypatch):
    def full(path):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(installing, "_sync", full)
    with pytest.raises(
        ReleaseError, match=r"there is no room for farmer v1 on the filesystem of .* MiB are free\); noth"
    ):
        install(tmp_path, "v1", farmer=b"one")
    assert list(tmp_path.iterdir()) == []


def test_endless_source_is_cut_off(tmp_path, monkeypatch):
    monkeypatch.setattr(installing, "MAX_SIZE", 10)

    def endless(url, write):
        while True:
            write(b"xxxx")

    with pytest.raises(ReleaseError, match="https://x/farmer is larger than"):
        run(wanted(tmp_path, farmer=b"one"), endless)
    assert list(tmp_path.iterdir()) == []


def test_a_second_run_at_the_same_time_is_refused(tmp_path):
    with locked(lock_name(str(tmp_path)), f"which installs into {tmp_path}", 0):
        with pytest.raises(ReleaseError) as error:
            install(tmp_path, "v1", farmer=b"one")
    assert str(error.value) == (
        f"process {os.getpid()}, which installs into {tmp_path}, is not done after 0 s; run again when it has ended"
    )
    install(tmp_path, "v1", farmer=b"one")


def test_nobody_else_can_hold_a_run_up(tmp_path):
    """Everybody may lock a folder that they can read."""
    (tmp_path / "opt").mkdir()
    descriptor = os.open(tmp_path / "opt", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        assert install(tmp_path / "opt", "v1", farmer=b"one").install
    finally:
        os.close(descriptor)


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
        assert not any(planned(wanted(root, "v2", farmer=b"two", node=b"node", export=b"export"), keep=0))
        moments = moment
        if done:
            break
    assert 20 < moments < 999


def test_old_versions_are_pruned_but_never_those_in_use(tmp_path):
    for number in range(1, 5):
        install(tmp_path, f"v{number}", keep=9, farmer=str(number).encode())
    (tmp_path / "foreign").mkdir()
    steps = install(tmp_path, "v5", keep=1, in_use=lambda: [f"command={tmp_path}/v2/farmer"], farmer=b"5")
    # Of v1 to v3, which keep=1 gives up, v2 still runs.
    assert steps.prune == [(str(tmp_path), "v1"), (str(tmp_path), "v3")]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["foreign", "v2", "v4", "v5"]


# Who else could change what is there


needs_root = pytest.mark.skipif(UID != 0, reason="only root gives files away")
STRANGER = 65534


@needs_root
@pytest.mark.parametrize("level", ["above", "root", "version"])
def test_in_a_folder_of_somebody_else_nothing_is_installed_or_believed(tmp_path, level):
    """The owner of a folder can put a program and a manifest that praises it there, and root would run it."""
    root = tmp_path / "opt" / "releases"
    install(root, "v1", farmer=b"one")
    folder = {"above": root.parent, "root": root, "version": root / "v1"}[level]
    os.chown(folder, STRANGER, STRANGER)
    for version in ("v1", "v2") if level != "version" else ("v1",):
        with pytest.raises(
            ReleaseError, match=f"^{folder} belongs to nobody: others than root could replace .*chown root"
        ):
            planned(wanted(root, version, farmer=b"one"))
        with pytest.raises(ReleaseError, match="belongs to nobody"):
            install(root, version, farmer=b"one")


@needs_root
def test_the_way_of_the_audit_is_closed(tmp_path):
    """A version with a manifest in it, of the user whose home the folder of releases is."""
    home = tmp_path / "home"
    root = home / "releases"
    install(root, "v1", farmer=b"EVIL")
    for path in [home, root, root / "v1", *(root / "v1").iterdir()]:
        os.chown(path, STRANGER, STRANGER)
    with pytest.raises(ReleaseError, match="belongs to nobody"):
        install(root, "v1", farmer=b"EVIL")
    assert (root / "v1" / "farmer").stat().st_uid == STRANGER


def test_a_folder_that_everybody_may_write_is_refused(tmp_path):
    tmp_path.chmod(0o777)
    with pytest.raises(ReleaseError, match=f"{tmp_path} can be written by everybody"):
        install(tmp_path / "opt", "v1", farmer=b"one")
    tmp_path.chmod(0o700)
    assert not (tmp_path / "opt").exists()


@needs_root
@pytest.mark.parametrize("change", ["owner", "mode", "link"])
def test_a_manifest_that_others_could_have_written_proves_nothing(tmp_path, change):
    install(tmp_path, "v1", farmer=b"one")
    manifest = tmp_path / "v1" / versions.MANIFEST
    if change == "owner":
        os.chown(manifest, STRANGER, STRANGER)
    elif change == "mode":
        manifest.chmod(0o666)
    else:
        manifest.rename(tmp_path / "v1" / "other")
        manifest.symlink_to("other")
    with pytest.raises(ReleaseError, match="v1/farmer exists and was not installed by this collection"):
        install(tmp_path, "v1", farmer=b"one")


@needs_root
def test_a_file_of_somebody_else_is_compared_and_replaced_by_a_copy(tmp_path):
    """Its owner may still have it open: what is there afterwards is another file."""
    install(tmp_path, "v1", farmer=b"one")
    path = tmp_path / "v1" / "farmer"
    os.chown(path, STRANGER, STRANGER)
    web = Web(farmer=b"one")
    with path.open("r+b") as still_open:
        assert run(wanted(tmp_path, farmer=b"one"), web).attributes == [str(path)]
        still_open.write(b"EVIL")
    assert (path.read_bytes(), path.stat().st_uid, web.requests) == (b"one", UID, [])
    assert not any(planned(wanted(tmp_path, farmer=b"one")))
    assert [entry.name for entry in tmp_path.iterdir()] == ["v1"]


@needs_root
def test_a_changed_file_of_somebody_else_is_fetched_again(tmp_path):
    install(tmp_path, "v1", farmer=b"one")
    path = tmp_path / "v1" / "farmer"
    stamp = path.stat()
    path.write_bytes(b"0ne")
    os.utime(path, ns=(stamp.st_mtime_ns, stamp.st_mtime_ns))
    os.chown(path, STRANGER, STRANGER)
    web = Web(farmer=b"one")
    run(wanted(tmp_path, farmer=b"one"), web)
    assert (path.read_bytes(), web.requests) == (b"one", ["https://x/farmer"])


def test_a_program_is_tried_before_it_gets_its_name(tmp_path):
    tried = []

    def trial(path, name, arguments, output):
        tried.append((name, arguments, output, os.path.basename(os.path.dirname(path))))
        raise ReleaseError("no")

    entry = {"name": "farmer", "src": "https://x/farmer", "checksum": sha(b"one")}
    request = [
        {"root": str(tmp_path), "version": "v1", "files": [dict(entry, check_arguments=["-V"], check_output="1")]}
    ]
    with pytest.raises(ReleaseError, match="^no$"):
        Installer(Web(farmer=b"one"), UID, GID, trial).run(normalise(request), 2)
    assert (tried, list(tmp_path.iterdir())) == ([("farmer", ["-V"], "1", "files")], [])
    Installer(Web(farmer=b"one"), UID, GID, trial).run(wanted(tmp_path, farmer=b"one"), 2)
    assert len(tried) == 1
