# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake of the API of AWX 24.6.1, which records what it is asked.

It has the endpoints and fields of api.yml and refuses every other one, with the answers that AWX gives: 400 with the
field's name for what is unknown, wrong, or twice there; `OPTIONS`; associations; surveys; and an approval, which can
only be made of a node without a template. It starts no jobs.
"""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonschema
import yaml

API = yaml.safe_load(Path(__file__).with_name("api.yml").read_text(encoding="utf-8"))
SCHEMAS = {
    name: {
        "type": "object",
        "additionalProperties": False,
        "required": each["required"],
        "properties": each["properties"],
    }
    for name, each in API.items()
}
TEMPLATES = ("job_templates", "workflow_job_templates", "projects", "workflow_approval_templates")
TOKEN = "a-token"
# Where AWX tells things apart by more than their names.
UNIQUE = {"workflow_job_template_nodes": ("identifier", "workflow_job_template"), "credential_types": ("name", "kind")}

Item = dict[str, Any]


class Refused(Exception):
    """An answer that says no."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(body)
        self.status, self.body = status, body


class FakeAwx:
    """What is in AWX, and the requests that came."""

    def __init__(self, playbooks: set[str]) -> None:
        self.items: dict[str, dict[int, Item]] = {name: {} for name in API if name != "survey_spec"}
        self.associations: dict[tuple[str, int, str], list[int]] = {}
        self.surveys: dict[tuple[str, int], Item] = {}
        self.requests: list[tuple[str, str, Any]] = []
        self._playbooks = playbooks
        self._lock = threading.Lock()
        self.create("organizations", {"name": "Default"})

    @property
    def writes(self) -> list[tuple[str, str, Any]]:
        """The requests that changed something."""
        return [request for request in self.requests if request[0] not in ("GET", "OPTIONS")]

    def named(self, kind: str, name: str) -> Item:
        """The only thing of a kind with a name."""
        [found] = [item for item in self.items[kind].values() if name in (item.get("name"), item.get("identifier"))]
        return found

    def answer(self, method: str, target: str, body: Any) -> tuple[int, Any]:
        """Answer a request."""
        parts = urlsplit(target)
        self.requests.append((method, parts.path, body))
        try:
            with self._lock:
                return self._route(method, parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)), body)
        except Refused as refused:
            return refused.status, refused.body

    def _route(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        match = re.fullmatch(r"/api/v2/(\w+)/(?:(\d+)/(?:(\w+)/)?)?", path)
        if path in ("/api/", "/api/v2/"):
            return 200, {"current_version": "/api/v2/"}
        if not match:
            raise Refused(404, {"detail": "Not found."})
        kind, number, part = match[1], int(match[2]) if match[2] else None, match[3]
        if kind == "unified_job_templates" and number is None:
            return 200, self._listed([item for name in TEMPLATES for item in self.items[name].values()], query)
        if kind not in self.items:
            raise Refused(404, {"detail": "Not found."})
        if method == "OPTIONS":
            return 200, {"actions": {"POST": SCHEMAS[kind]["properties"], "GET": SCHEMAS[kind]["properties"]}}
        if number is None:
            if method == "POST":
                if kind == "workflow_approval_templates":
                    raise Refused(405, {"detail": 'Method "POST" not allowed.'})
                return 201, self.create(kind, body)
            return 200, self._listed(self.items[kind].values(), query)
        if number not in self.items[kind]:
            raise Refused(404, {"detail": "Not found."})
        if part:
            return self._part(method, kind, number, part, body)
        if method == "PATCH":
            self._validate(kind, {**self._posted(kind, number), **body}, number)
            self.items[kind][number].update(body)
        return 200, self.items[kind][number]

    def _part(self, method: str, kind: str, number: int, part: str, body: Any) -> tuple[int, Any]:
        if part == "survey_spec" and API[kind].get("survey"):
            if method == "POST":
                self._schema("survey_spec", body)
                names = [question["variable"] for question in body["spec"]]
                if len(names) != len(set(names)):
                    raise Refused(400, {"error": "'variable' duplicated in survey."})
                self.surveys[kind, number] = body
                return 200, {}
            return 200, self.surveys.get((kind, number), {})
        if part == "create_approval_template" and kind == "workflow_job_template_nodes":
            node = self.items[kind][number]
            if node.get("unified_job_template"):
                raise Refused(400, {"detail": "This node already has a template."})
            made = self.create("workflow_approval_templates", body)
            node["unified_job_template"] = made["id"]
            node["related"]["unified_job_template"] = made["url"]
            return 201, made
        if part not in API[kind].get("associations", []):
            raise Refused(404, {"detail": "Not found."})
        linked = self.associations.setdefault((kind, number, part), [])
        target = (
            "notification_templates" if part.startswith("notification_") else kind if part.endswith("_nodes") else part
        )
        if method == "POST":
            if set(body) - {"id", "disassociate"} or body["id"] not in self.items[target]:
                raise Refused(400, {"id": ["does not exist"]})
            if body.get("disassociate"):
                linked.remove(body["id"])
            elif body["id"] not in linked:
                linked.append(body["id"])
            return 204, None
        return 200, self._listed([self.items[target][each] for each in linked], {})

    def create(self, kind: str, body: Item) -> Item:
        """Make something, as a POST does."""
        self._validate(kind, body, None)
        number = 1 + max((each for items in self.items.values() for each in items), default=0)
        url = f"/api/v2/{kind}/{number}/"
        related = {part: f"{url}{part}/" for part in API[kind].get("associations", [])}
        if API[kind].get("survey"):
            related["survey_spec"] = f"{url}survey_spec/"
        singular = "inventory" if kind == "inventories" else kind[:-1]
        made = {"id": number, "type": singular, "url": url, "related": related, "summary_fields": {}}
        if kind == "projects":
            made.update(scm_revision="", status="successful")
        if kind == "inventories" and body.get("kind") is None:
            made["kind"] = ""
        self.items[kind][number] = {**body, **made}
        return self.items[kind][number]

    def _posted(self, kind: str, number: int) -> Item:
        known = SCHEMAS[kind]["properties"]
        return {name: value for name, value in self.items[kind][number].items() if name in known}

    def _validate(self, kind: str, body: Any, number: int | None) -> None:
        self._schema(kind, body)
        keys = UNIQUE.get(kind, ("name", "organization"))
        for other, item in self.items[kind].items():
            if (
                other != number
                and kind != "workflow_approval_templates"
                and all(item.get(key) == body.get(key) for key in keys)
            ):
                raise Refused(400, {"__all__": [f"{kind} with this {' and '.join(keys)} already exists."]})
        if kind == "job_templates" and body["playbook"] not in self._playbooks:
            raise Refused(400, {"playbook": ["Playbook not found for project."]})
        for field in ("organization", "project", "inventory", "workflow_job_template"):
            kinds = {"inventory": "inventories"}.get(field, f"{field}s")
            if body.get(field) is not None and body[field] not in self.items[kinds]:
                raise Refused(400, {field: [f'Invalid pk "{body[field]}" - object does not exist.']})

    @staticmethod
    def _schema(kind: str, body: Any) -> None:
        errors = list(jsonschema.Draft202012Validator(SCHEMAS[kind]).iter_errors(body))
        if errors:
            raise Refused(400, {".".join(map(str, each.path)) or "detail": [each.message] for each in errors})

    @staticmethod
    def _listed(items: Any, query: dict[str, str]) -> Item:
        query = {name: value for name, value in query.items() if name not in ("page_size", "order_by")}
        alternatives = {name[4:]: value for name, value in query.items() if name.startswith("or__")}
        exact = {name: value for name, value in query.items() if not name.startswith("or__")}
        found = [
            item
            for item in items
            if all(str(item.get(name)) == value or value == "None" for name, value in exact.items())
            and (not alternatives or any(str(item.get(name)) == value for name, value in alternatives.items()))
        ]
        return {"count": len(found), "next": None, "previous": None, "results": found}


class _Handler(BaseHTTPRequestHandler):
    awx: FakeAwx

    def _any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"null")
        if self.headers.get("Authorization") == f"Bearer {TOKEN}":
            status, answer = self.awx.answer(self.command, self.path, body)
        else:
            status, answer = 401, {"detail": "Authentication credentials were not provided."}
        raw = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-API-Product-Name", "AWX")
        self.send_header("X-API-Product-Version", "24.6.1")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_POST = do_PATCH = do_DELETE = do_OPTIONS = _any

    def log_message(self, *_arguments: object) -> None:
        """Say nothing: the requests are recorded."""


def serve(awx: FakeAwx) -> ThreadingHTTPServer:
    """Serve a fake on a free port of this machine; its `server_port` says which."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"awx": awx}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
