# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The release module through its action plugin: what crosses to the host, and what the user reads."""

from __future__ import annotations

import functools
import getpass
import hashlib
import http.server
import json
import os
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def sha(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and notes the requests."""

    def do_GET(self):
        self.server.requests.append(self.path)
        super().do_GET()

    def log_message(self, *args):
        pass


@pytest.fixture
def web(tmp_path):
    folder = tmp_path / "web"
    folder.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    server.requests = []
    server.folder = folder
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


class Run:
    """What one run of the module returned and wrote."""

    def __init__(self, result, output):
        self.result = result
        self.output = output
        self.executions = output.count("EXEC ")
        self.transfers = output.count("PUT ")

    @property
    def message(self):
        return self.result["msg"]


@pytest.fixture
def release(tmp_path):
    """Return a function that runs the module on this machine, with a folder ``project`` for an inventory."""
    project = tmp_path / "project"
    (tmp_path / "ansible.cfg").write_text("")
    (project / "inventory").mkdir(parents=True)
    host = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    (project / "inventory" / "hosts.yml").write_text(json.dumps({"all": {"hosts": {"localhost": host}}}))

    def run(releases, *options, **arguments):
        environment = dict(
            # A proxy that it may name does not lead back to this machine.
            {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
            ANSIBLE_CONFIG=str(tmp_path / "ansible.cfg"),
            ANSIBLE_COLLECTIONS_PATH=str(ROOT / ".ansible" / "collections"),
            ANSIBLE_PIPELINING="1",
            ANSIBLE_REMOTE_TMP=str(tmp_path / "remote_tmp"),
        )
        command = [
            Path(sys.executable).with_name("ansible"),
            "localhost",
            "-i",
            "inventory/hosts.yml",
            "-vvv",
            *options,
        ]
        command += ["-m", "autonomys.cluster.release", "--tree", str(tmp_path / "results")]
        command += ["-a", json.dumps(dict({"releases": releases, "owner": getpass.getuser()}, **arguments))]
        process = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
        assert "EXEC" in process.stdout or "FAILED" in process.stdout, process.stdout + process.stderr
        result = json.loads((tmp_path / "results" / "localhost").read_text())
        assert list((tmp_path / "remote_tmp").glob("*")) == []
        return Run(result, process.stdout + process.stderr)

    run.project = project
    return run


def archive(path, member, content):
    (path.parent / "content").write_bytes(content)
    with tarfile.open(path, "w:gz") as handle:
        handle.add(path.parent / "content", member)
    return sha(path.read_bytes())


def request(root, src, checksum, version="v1", **extra):
    return [
        {
            "root": str(root),
            "version": version,
            "files": [dict({"name": "tool", "src": src, "checksum": checksum}, **extra)],
        }
    ]


def test_from_the_web(release, web, tmp_path):
    """Check, do, repeat, new version, way back without network, prune."""
    root = tmp_path / "opt"
    one = archive(web.folder / "one.tgz", "tool-1/tool", b"one")
    two = archive(web.folder / "two.tgz", "tool-2/tool", b"two")
    first = request(root, f"{web.url}/one.tgz", one, extract="tool-1/tool")
    second = request(root, f"{web.url}/two.tgz", two, "v2", extract="tool-2/tool")

    predicted = release(first, "--check", "--diff").result
    assert not root.exists() and web.requests == []
    done = release(first, "--diff")
    assert done.result["changed"] is predicted["changed"] is True
    for key in ("installed", "pruned", "paths", "diff"):
        assert done.result[key] == predicted[key]
    assert done.result["installed"] == [f"{root}/v1/tool"]
    assert done.result["paths"] == {"tool": f"{root}/v1/tool"}
    assert done.result["diff"] == {"before": "", "after": f"{root}/v1/tool {one}\n"}
    assert (root / "v1" / "tool").read_bytes() == b"one"
    assert web.requests == ["/one.tgz"]

    again = release(first)
    assert again.result["changed"] is False and again.result["installed"] == []
    assert again.executions == 1 and again.transfers == 0

    assert release(second, keep=1).result["pruned"] == []
    assert release(first, keep=1).result["changed"] is False
    assert web.requests == ["/one.tgz", "/two.tgz"]

    predicted = release(first, "--check", keep=0).result
    assert predicted["changed"] and predicted["pruned"] == [f"{root}/v2"]
    assert release(first, keep=0).result["pruned"] == [f"{root}/v2"]
    assert [path.name for path in root.iterdir()] == ["v1"]
    assert release(first, keep=0).result["changed"] is False


def test_from_the_control_node(release, tmp_path):
    """A file here crosses to the host only when the host lacks it, and then once."""
    root = tmp_path / "opt"
    source = release.project / "inventory" / "tool-1"
    source.write_bytes(b"one")
    wanted = request(root, "tool-1", sha(b"one"))

    predicted = release(wanted, "--check")
    assert predicted.result["changed"] and predicted.transfers == 0
    done = release(wanted)
    assert done.result["changed"] and done.result["installed"] == predicted.result["installed"] == [f"{root}/v1/tool"]
    assert done.transfers == 1
    assert (root / "v1" / "tool").read_bytes() == b"one"

    again = release(wanted)
    assert not again.result["changed"]
    assert (again.executions, again.transfers) == (1, 0)
    # A host that has the version does not need the file here any more; one that lacks it does.
    source.unlink()
    assert not release(wanted).result["changed"]
    (root / "v1" / "tool").unlink()
    message = release(wanted).message
    assert message.startswith(f"tool-1 was not found on the control node (tried {source}, ")


def test_a_wrong_file_here_fails_before_anything_else(release, web, tmp_path):
    (release.project / "tool-1").write_bytes(b"evil")
    (web.folder / "good").write_bytes(b"good")
    wanted = request(tmp_path / "a", f"{web.url}/good", sha(b"good")) + request(tmp_path / "b", "tool-1", sha(b"one"))
    for options in ((), ("--check",)):
        run = release(wanted, *options)
        assert "FAILED" in run.output
        assert run.message == (
            f"the checksum of {release.project}/tool-1 is wrong: expected {sha(b'one')}, actual {sha(b'evil')}; "
            "nothing was installed"
        )
        assert run.executions == 0
    assert web.requests == []
