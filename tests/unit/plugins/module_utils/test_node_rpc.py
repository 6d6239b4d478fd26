# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from ansible_collections.autonomys.cluster.plugins.module_utils._node_rpc import (
    METHODS,
    ask_node,
    genesis_hash,
    reading,
)

RESULTS = {
    "system_chain": "Autonomys Mainnet",
    "system_version": "0.1.0-abc",
    "system_health": {"peers": 40, "isSyncing": False, "shouldHavePeers": True},
    "system_syncState": {"startingBlock": 1, "currentBlock": 700, "highestBlock": 701},
    "subspace_getFarmerAppInfo": {
        "genesisHash": "66455a580aabff303720aa83adbe6c44502922251c03ba73686d5245da9e21bd",
        "syncing": True,
        "protocolInfo": {"maxPiecesInSector": 1000, "historySize": 1234},
    },
}


class Node(BaseHTTPRequestHandler):
    """Answers like a node; the server holds what to answer."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((request["method"], self.client_address))
        answer = self.server.answer(request)
        if answer is None:
            self.close_connection = True
            return
        status, body = answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def node():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Node)
    server.asked = []
    server.results = dict(RESULTS)
    server.answer = lambda request: (200, json.dumps({"id": 1, "result": server.results[request["method"]]}).encode())
    server.url = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("block", "archive"),
    [({"block": {"header": {}, "extrinsics": []}}, True), (None, False)],
    ids=["there", "pruned"],
)
def test_an_archive_has_the_body_of_the_first_block(node, block, archive):
    node.results.update(chain_getBlockHash="0x12", chain_getBlock=block)
    asked = []

    def answer(request):
        asked.append((request["method"], request["params"]))
        return 200, json.dumps({"id": 1, "result": node.results[request["method"]]}).encode()

    node.answer = answer
    assert ask_node(f"http://{node.url}", 5, archive=True)["archive"] is archive
    assert asked[-2:] == [("chain_getBlockHash", [1]), ("chain_getBlock", ["0x12"])]


def test_a_node_that_refuses_to_show_its_first_block_has_said_nothing(node):
    answer = node.answer
    node.results["chain_getBlockHash"] = "0x12"
    error = json.dumps({"error": {"code": 4003, "message": "discarded"}}).encode()
    node.answer = lambda request: (200, error) if request["method"] == "chain_getBlock" else answer(request)
    result = ask_node(f"http://{node.url}", 5, archive=True)
    assert (result["archive"], result["error"]) == (None, "chain_getBlock: discarded (code 4003)")


@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_everything_is_asked_over_one_connection(node, scheme):
    result = ask_node(f"{scheme}://{node.url}", 5)
    assert result == {
        "reachable": True,
        "error": None,
        "chain": "Autonomys Mainnet",
        "version": "0.1.0-abc",
        "peers": 40,
        "syncing": False,
        "best": 700,
        "target": 701,
        "pieces_in_sector": 1000,
        "history_segments": 1234,
        "archive": None,
        "genesis_hash": "0x66455a580aabff303720aa83adbe6c44502922251c03ba73686d5245da9e21bd",
    }
    assert [method for method, _client in node.asked] == list(METHODS)
    assert len({client for _method, client in node.asked}) == 1


def test_the_proxy_of_the_environment_is_not_used(node, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert ask_node(f"http://{node.url}", 5)["reachable"]


def test_a_method_that_is_refused_is_named_and_the_rest_is_there(node):
    good = node.answer

    def answer(request):
        if request["method"] == "subspace_getFarmerAppInfo":
            return 200, json.dumps({"error": {"code": -32601, "message": "Method not found"}}).encode()
        return good(request)

    node.answer = answer
    result = ask_node(f"http://{node.url}", 5)
    assert result["reachable"]
    assert result["error"] == "subspace_getFarmerAppInfo: Method not found (code -32601)"
    assert (result["pieces_in_sector"], result["genesis_hash"], result["peers"]) == (None, None, 40)


def test_what_is_no_rpc_server_is_not_reachable(node):
    node.answer = lambda request: (404, b"<html>")
    result = ask_node(f"http://{node.url}", 5)
    assert not result["reachable"]
    assert result["error"] == f"http://{node.url} answered with status 404 and no JSON object"
    node.answer = lambda request: (200, b"[1]")
    assert not ask_node(f"http://{node.url}", 5)["reachable"]


def test_a_server_that_answers_other_json_is_not_taken_for_a_node(node):
    node.answer = lambda request: (403, b'{"status": "forbidden"}')
    result = ask_node(f"http://{node.url}", 5)
    assert not result["reachable"]
    assert result["error"] == "system_chain: the answer (HTTP status 403) is no JSON-RPC answer"


def test_a_server_that_hangs_up(node):
    node.answer = lambda request: None
    result = ask_node(f"http://{node.url}", 5)
    assert not result["reachable"]
    assert f"http://{node.url} did not answer" in result["error"]


def test_nobody_listens():
    result = ask_node("ws://127.0.0.1:1", 5)
    assert result == reading({}, ["ws://127.0.0.1:1 did not answer: [Errno 111] Connection refused"], reachable=False)


def test_a_server_that_never_answers(node):
    stop = threading.Event()
    node.answer = lambda request: stop.wait(10) and None
    result = ask_node(f"http://{node.url}", 1)
    stop.set()
    assert result["error"] == f"http://{node.url} did not answer: timed out"


@pytest.mark.parametrize("url", ["127.0.0.1:9944", "ftp://x", "http://", "http://x:port", "http://[::1"])
def test_what_is_no_url(url):
    result = ask_node(url, 5)
    assert not result["reachable"]
    assert "is no URL" in result["error"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0xAB", "0xab"),
        ("ab", "0xab"),
        ([171, 1], "0xab01"),
        ([999], None),
        (["x"], None),
        ("", None),
        (None, None),
        (5, None),
    ],
)
def test_spellings_of_a_hash(value, expected):
    assert genesis_hash(value) == expected


def test_a_node_that_answers_nonsense_is_read_without_an_error():
    result = reading({"system_health": None, "system_syncState": [], "subspace_getFarmerAppInfo": "x"})
    assert result["peers"] is None and result["best"] is None and result["pieces_in_sector"] is None
    assert result["error"] == "system_syncState is not an object; subspace_getFarmerAppInfo is not an object"


@pytest.mark.parametrize(
    ("method", "wrong", "words"),
    [
        ("system_chain", {}, "system_chain is not text"),
        ("system_health", {"peers": -1, "isSyncing": False}, "peers is not a whole number"),
        ("system_health", {"peers": True, "isSyncing": False}, "peers is not a whole number"),
        ("system_health", {"peers": 1, "isSyncing": "no"}, "isSyncing is neither true nor false"),
    ],
)
def test_what_cannot_be_is_named_and_counts_as_not_told(node, method, wrong, words):
    node.results[method] = wrong
    assert ask_node(f"http://{node.url}", 5)["error"] == words


def test_syncing_is_taken_from_the_farmer_info_when_health_does_not_tell():
    assert reading({"subspace_getFarmerAppInfo": RESULTS["subspace_getFarmerAppInfo"]})["syncing"] is True
