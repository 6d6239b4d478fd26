# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that bring exported pieces from host to host, on this machine."""

from __future__ import annotations

import argparse
import hashlib
import importlib
import os
import sys
import threading
from pathlib import Path

import pytest

FILES = Path(__file__).parents[3] / "roles/export_pieces/files"
ME = "127.0.0.1"


@pytest.fixture
def transfer(monkeypatch):
    """The program, with small blocks."""
    monkeypatch.syspath_prepend(str(FILES))
    module = importlib.import_module("piece_transfer")
    monkeypatch.setattr(module, "BLOCK", 1000)
    monkeypatch.setattr(module, "PART", 300)
    monkeypatch.setattr(module, "RETRY_SECONDS", 0)
    yield module
    sys.modules.pop("piece_transfer")


@pytest.fixture
def server(transfer, monkeypatch):
    """The program that serves."""
    yield importlib.import_module("piece_server")
    sys.modules.pop("piece_server")


@pytest.fixture
def export(tmp_path):
    """A folder with small, large, empty and oddly named files."""
    folder = tmp_path / "export"
    (folder / "deeper").mkdir(parents=True)
    for name, size in {"a": 10, "deeper/b": 3500, "c d#?%25": 1000, "empty": 0, "ü": 1001}.items():
        (folder / name).write_bytes(os.urandom(size))
    return folder


@pytest.fixture
def served(transfer, server, export, tmp_path):
    """Serve the export; gives what the server was started with."""
    servers = []

    def start(**more):
        listed = str(tmp_path / "list")
        transfer.make_list(argparse.Namespace(folder=str(export), to=listed))
        defaults = {
            "folder": str(export),
            "list": listed,
            "address": ME,
            "port": 0,
            "allow": [ME],
            "mbit": 0,
            "idle": 60,
        }
        running = server.Server(argparse.Namespace(**dict(defaults, **more)))
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((running, thread))
        running.url = f"http://{ME}:{running.server_port}"
        running.digest = hashlib.sha256(Path(listed).read_bytes()).hexdigest()
        running.list_bytes = Path(listed).stat().st_size
        running.thread = thread
        return running

    yield start
    for running, thread in servers:
        running.shutdown()
        running.server_close()
        thread.join()


@pytest.fixture
def fetch(transfer):
    """Fetch what a server offers into a folder."""

    def run(running, to, **more):
        options = {"url": running.url, "digest": running.digest, "list_bytes": running.list_bytes, "to": str(to)}
        transfer.fetch(argparse.Namespace(**{**options, "address": ME, **more}))

    return run
