# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A headless Chromium, driven through its DevTools.

Pages at a width and in a colour scheme, what they log, what they request.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from websockets.sync.client import connect

COMMANDS = ("chromium", "chromium-browser", "google-chrome")


def command():
    """The browser's path, None where there is none."""
    return next(filter(None, map(shutil.which, COMMANDS)), None)


class Browser:
    """One tab of one browser."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="browser-")
        options = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-extensions",
            "--hide-scrollbars",
        ]
        options += [
            "--disable-background-networking",
            "--disable-component-update",
            "--remote-debugging-port=0",
            f"--user-data-dir={self.folder}",
        ]
        self.process = subprocess.Popen(
            [command(), *options, "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=dict(os.environ, HOME=self.folder),
        )
        try:
            # It may be busy for long on a slow machine, and is on this one whatever proxy the environment names.
            self.socket = connect(self._page(), max_size=None, open_timeout=60, ping_interval=None, proxy=None)
            self.number = 0
            self.requests, self.errors, self.loaded = [], [], set()
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.call(f"{domain}.enable")
            self.call("Page.setLifecycleEventsEnabled", enabled=True)
        except BaseException:
            self.close()
            raise

    def _page(self):
        """The address of the only tab."""
        import urllib.request

        port = Path(self.folder) / "DevToolsActivePort"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if port.exists() and port.read_text().count("\n"):
                number = port.read_text().split()[0]
                with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                    f"http://127.0.0.1:{number}/json", timeout=60
                ) as answer:
                    pages = [target for target in json.load(answer) if target["type"] == "page"]
                if pages:
                    return pages[0]["webSocketDebuggerUrl"]
            assert self.process.poll() is None, "the browser ended"
            time.sleep(0.1)
        raise AssertionError("the browser does not answer")

    def call(self, method, **params):
        """Ask DevTools something; events that come meanwhile are kept."""
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": params}))
        while True:
            message = json.loads(self.socket.recv(timeout=60))
            self._note(message)
            if message.get("id") == self.number:
                assert "error" not in message, (method, message)
                return message["result"]

    def _note(self, message):
        params = message.get("params", {})
        if message.get("method") == "Network.requestWillBeSent" and not params["request"]["url"].startswith("data:"):
            self.requests.append(params["request"]["url"])
        if message.get("method") == "Runtime.exceptionThrown":
            self.errors.append(params["exceptionDetails"]["text"])
        if message.get("method") == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.errors.append(str(params["args"]))
        if message.get("method") == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.errors.append(params["entry"]["text"])
        if message.get("method") == "Page.lifecycleEvent" and params["name"] == "load":
            self.loaded.add(params["loaderId"])

    def open(self, path, width, dark=False, scripts=True):
        """Show a file in a window of that width."""
        self.requests, self.errors = [], []
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}],
        )
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        # This page, and not the one before, whose end may be told late.
        page = self.call("Page.navigate", url=Path(path).resolve().as_uri())["loaderId"]
        while page not in self.loaded:
            self._note(json.loads(self.socket.recv(timeout=60)))

    def evaluate(self, expression):
        """The value of a JavaScript expression in the page."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def screenshot(self, path, whole=True):
        """Save what the page looks like."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {
            "x": 0,
            "y": 0,
            "width": size["width"],
            "height": min(size["height"], 16000) if whole else 900,
            "scale": 1,
        }
        Path(path).write_bytes(
            base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"])
        )

    def close(self):
        """End the browser."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
