# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The release module's own part: downloads, and what it does with its arguments."""

from __future__ import annotations

import functools
import getpass
import hashlib
import http.server
import os
import threading
from urllib.parse import urlsplit

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._release.request import ReleaseError
from ansible_collections.autonomys.cluster.plugins.modules import release
from ansible_collections.autonomys.cluster.tests.unit.modules import result_of, run_module


def sha(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and notes the requests."""

    def do_GET(self):
        self.server.requests.append(self.path)
        if self.path == "/truncated":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"short")
            return
        # A proxy gets the whole URL.
        self.path = urlsplit(self.path).path
        super().do_GET()

    def log_message(self, *args):
        pass


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    """A proxy that this machine's environment names does not lead back to this machine."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


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


@pytest.fixture
def install(tmp_path):
    """Return a function that runs the module's work for one file with the source and arguments given."""

    class Module:
        """Stands for AnsibleModule."""

        check_mode = False

        def __init__(self, params):
            self.params = params

    def run(src, checksum, **arguments):
        files = [{"name": "tool", "src": src, "checksum": checksum, "extract": None}]
        params = {"releases": [{"root": str(tmp_path / "opt"), "version": "v1", "files": files}]}
        params.update(
            {"keep": 2, "owner": getpass.getuser(), "proxy": None, "timeout": 5, "check_user": "nobody"}, **arguments
        )
        return release.install(Module(params))

    return run


def test_a_download(install, web, tmp_path):
    (web.folder / "tool").write_bytes(b"one")
    assert install(f"{web.url}/tool", sha(b"one"))["installed"] == [f"{tmp_path}/opt/v1/tool"]
    assert install(f"{web.url}/tool", sha(b"one"))["changed"] is False
    assert web.requests == ["/tool"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("tool", f"is wrong: expected {sha(b'one')}, actual {sha(b'evil')}"),
        ("nope", "cannot be downloaded: HTTP Error 404: File not found"),
        ("truncated", "cannot be downloaded: the connection ended after 5 of 1000 bytes"),
    ],
)
def test_what_a_bad_download_says(install, web, tmp_path, name, words):
    (web.folder / "tool").write_bytes(b"evil")
    with pytest.raises(ReleaseError) as error:
        install(f"{web.url}/{name}", sha(b"one"))
    assert f"{web.url}/{name} {words}; nothing was installed" in str(error.value)
    assert list((tmp_path / "opt").iterdir()) == []


def test_nobody_listens(install):
    with pytest.raises(
        ReleaseError, match="http://127.0.0.1:1/tool cannot be downloaded: .*refused.*; nothing was inst"
    ):
        install("http://127.0.0.1:1/tool", sha(b"one"))


def test_downloads_go_through_the_proxy(install, web, monkeypatch):
    monkeypatch.setattr(os, "environ", dict(os.environ))
    (web.folder / "tool").write_bytes(b"one")
    assert install("http://mirror.invalid/tool", sha(b"one"), proxy=web.url)["changed"]
    assert web.requests == ["http://mirror.invalid/tool"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"keep": -1}, "keep must not be negative"),
        ({"owner": "nobody-of-that-name"}, "there is no account nobody-of-that-name to own the release"),
    ],
)
def test_bad_arguments(install, arguments, message):
    with pytest.raises(ReleaseError) as error:
        install("http://127.0.0.1:1/tool", sha(b"one"), **arguments)
    assert str(error.value) == message


def test_a_file_of_the_control_node_is_asked_for_before_anything_is_done(install, tmp_path):
    assert install("local/tool", sha(b"one")) == {"changed": False, "control_node_sources": ["local/tool"]}
    assert not (tmp_path / "opt").exists()


# Secrets

MARKS = ("M4RK-user", "M4RK-password", "M4RK-token", "M4RK-proxy")
URL = "http://M4RK-user:M4RK-password@127.0.0.1:1/tool?token=M4RK-token"


@pytest.mark.parametrize(
    "change",
    [{}, {"keep": "many"}, {"unknown": 1}, {"owner": "nobody-of-that-name"}, {"keep": -1}],
    ids=["no server", "wrong kind", "unknown argument", "no account", "negative"],
)
def test_nothing_secret_is_logged_or_returned(capsys, tmp_path, change):
    entry = {"name": "tool", "src": URL, "checksum": sha(b"one")}
    arguments = {
        "releases": [{"root": str(tmp_path / "opt"), "version": "v1", "files": [entry]}],
        "owner": getpass.getuser(),
        "proxy": "http://x:M4RK-proxy@127.0.0.1:1",
    }
    answer, logged = run_module(release.main, {**arguments, **change}, capsys)
    assert result_of(answer)["failed"] and "invocation" in answer
    assert [mark for mark in MARKS if mark in answer or any(mark in line for line in logged)] == []
    assert result_of(answer)["invocation"]["module_args"]["proxy"] == "http://127.0.0.1:1"


def test_a_result_is_whole_and_masked_too(capsys, tmp_path, web):
    (web.folder / "tool").write_bytes(b"one")
    source = web.url.replace("//", "//M4RK-user:M4RK-password@") + "/tool?token=M4RK-token"
    entry = {"name": "tool", "src": source, "checksum": sha(b"one")}
    arguments = {"releases": [{"root": str(tmp_path / "opt"), "version": "v1", "files": [entry]}], "owner": "root"}
    answer, logged = run_module(release.main, arguments, capsys)
    assert result_of(answer)["installed"] == [f"{tmp_path}/opt/v1/tool"]
    assert [mark for mark in MARKS if mark in answer or any(mark in line for line in logged)] == []
