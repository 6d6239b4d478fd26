# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a folder of any layout from one host to others over HTTP, checked block by block against a list of digests.

    piece_transfer.py list  --folder FOLDER --to LIST
    piece_transfer.py serve --folder FOLDER --list LIST --address IP --port N --allow IP … [--mbit N] [--idle SECONDS]
    piece_transfer.py fetch --url URL --digest SHA256 --to FOLDER [--address IP]
    piece_transfer.py check --folder FOLDER --list LIST

The list has a line per block, `sha256 offset length path`. Who fetches is given the digest of the list by somebody trusted; the way
that the bytes take need not be. Standard library only, Python 3.8 and newer.
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import hashlib
import http.client
import http.server
import os
import shutil
import sys
import threading
import time
import urllib.parse

BLOCK = 64 * 1024 * 1024
PART = 256 * 1024
LIST_PATH = "/list"
THREADS = 4
ATTEMPTS = 3
TIMEOUT = 60
# A full disk or a server that restarts: what is there stays, the next run goes on.
RETRY_SECONDS = 2


class TransferError(Exception):
    """Ends the program with a sentence."""


def say(words):
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


# --- the list -------------------------------------------------------------------------------------------------------------------------


def files_below(folder):
    """Relative paths of all files, sorted."""
    found = []
    for parent, _folders, names in os.walk(folder):
        found += [os.path.relpath(os.path.join(parent, name), folder) for name in names]
    strange = [path for path in found if "\n" in path]
    if strange:
        raise TransferError(f"{strange[0]!r}: file names with line breaks cannot be brought")
    return sorted(found)


def digests_of(path):
    """``(sha256, offset, length)`` of every block of a file; an empty file has one block."""
    with open(path, "rb") as file:
        offset = 0
        while True:
            digest, length = hashlib.sha256(), 0
            while length < BLOCK:
                data = file.read(min(PART, BLOCK - length))
                if not data:
                    break
                digest.update(data)
                length += len(data)
            if length or not offset:
                yield digest.hexdigest(), offset, length
            if length < BLOCK:
                return
            offset += length


def parse(text):
    """A list as ``{path: [(sha256, offset, length), …]}``."""
    blocks = collections.OrderedDict()
    for line in text.splitlines():
        digest, offset, length, path = line.split(" ", 3)
        if os.path.isabs(path) or ".." in path.split("/"):
            raise TransferError(f"the list names {path}, which is outside of the folder")
        blocks.setdefault(path, []).append((digest, int(offset), int(length)))
    return blocks


def read_list(path):
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return parse(file.read())


def total(blocks):
    return sum(length for entries in blocks.values() for _digest, _offset, length in entries)


def make_list(options):
    """Write the digests of all files. What stands in an older list and did not change since is not read again."""
    known, known_at = {}, 0
    if os.path.exists(options.to):
        known, known_at = read_list(options.to), os.stat(options.to).st_mtime_ns
    new, begun = options.to + ".new", time.time_ns()
    count = size = 0
    with open(new, "w", encoding="utf-8", errors="surrogateescape") as file:
        for path in files_below(options.folder):
            full = os.path.join(options.folder, path)
            found = os.stat(full)
            entries = known.get(path)
            if not entries or found.st_mtime_ns >= known_at or sum(entry[2] for entry in entries) != found.st_size:
                entries = digests_of(full)
            for digest, offset, length in entries:
                file.write(f"{digest} {offset} {length} {path}\n")
                size += length
            count += 1
            if count % 1000 == 0:
                say(f"{count} files, {size} bytes")
        file.flush()
        os.fsync(file.fileno())
    if not size:
        os.unlink(new)
        raise TransferError(f"{options.folder} holds no pieces")
    # A file that changes while others are read is newer than the list.
    os.utime(new, ns=(begun, begun))
    os.rename(new, options.to)
    say(f"{count} files, {size} bytes")


# --- the server -----------------------------------------------------------------------------------------------------------------------


class Limit:
    """So many bytes a second for all connections together."""

    def __init__(self, bytes_per_second):
        self._rate = bytes_per_second
        self._lock = threading.Lock()
        self._free_at = 0.0

    def take(self, count):
        """Wait until so many bytes may be sent."""
        if not self._rate:
            return
        with self._lock:
            now = time.monotonic()
            start = max(now, self._free_at)
            self._free_at = start + count / self._rate
        time.sleep(start - now)


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers GET for the list and for ranges of the files that it names."""

    protocol_version = "HTTP/1.1"
    timeout = TIMEOUT

    def do_GET(self):
        server = self.server
        server.last_used = time.monotonic()
        if self.client_address[0] not in server.allowed:
            return self.refuse(403, f"{self.client_address[0]} is not one of the hosts that the pieces are for")
        path = urllib.parse.unquote(self.path, errors="surrogateescape")
        if path == LIST_PATH:
            full, first, length = server.list, 0, os.path.getsize(server.list)
        elif path[1:] in server.blocks:
            full = os.path.join(server.folder, path[1:])
            first, last = (
                int(number) for number in self.headers.get("Range", "bytes=0-0").partition("=")[2].split("-")
            )
            length = last - first + 1
        else:
            return self.refuse(404, f"there is no {path}")
        try:
            with open(full, "rb") as file:
                file.seek(first)
                self.send_response(200 if path == LIST_PATH else 206)
                self.send_header("Content-Length", str(length))
                self.end_headers()
                self.send(file, length)
        except OSError as error:
            say(f"{path} to {self.client_address[0]}: {error}")
            self.close_connection = True
        return None

    def send(self, file, length):
        while length:
            data = file.read(min(PART, length))
            if not data:
                raise OSError("the file is shorter than the list says")
            self.server.limit.take(len(data))
            self.wfile.write(data)
            self.server.last_used = time.monotonic()
            length -= len(data)

    def refuse(self, status, words):
        body = words.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """A line for each of a million blocks helps nobody."""


class Server(http.server.ThreadingHTTPServer):
    """What all connections share."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, options):
        self.folder, self.list, self.blocks = options.folder, options.list, read_list(options.list)
        self.allowed, self.limit = set(options.allow), Limit(options.mbit * 1e6 / 8)
        self.last_used = time.monotonic()
        self._idle = options.idle
        super().__init__((options.address, options.port), Handler)

    def service_actions(self):
        if time.monotonic() - self.last_used > self._idle:
            say(f"Nobody asked for {self._idle} s: the server ends")
            threading.Thread(target=self.shutdown, daemon=True).start()
            self.last_used = time.monotonic()


def serve(options):
    try:
        server = Server(options)
    except OSError as error:
        raise TransferError(f"cannot listen on {options.address} port {options.port}: {error}") from error
    with server:
        say(f"Serving {options.folder} on {options.address} port {options.port} for {', '.join(options.allow)}")
        server.serve_forever()


# --- fetching -------------------------------------------------------------------------------------------------------------------------


class Source:
    """The server, with a connection for each thread."""

    def __init__(self, url, address):
        parts = urllib.parse.urlsplit(url)
        self._where = (parts.hostname, parts.port)
        self._address = (address, 0) if address else None
        self._own = threading.local()

    def get(self, path, first=None, length=None):
        """Yield the bytes of an answer in parts."""
        if not hasattr(self._own, "connection"):
            self._own.connection = http.client.HTTPConnection(
                *self._where, timeout=TIMEOUT, source_address=self._address
            )
        connection = self._own.connection
        headers = {} if first is None else {"Range": f"bytes={first}-{first + length - 1}"}
        try:
            connection.request("GET", urllib.parse.quote(path, errors="surrogateescape"), headers=headers)
            answer = connection.getresponse()
            if answer.status not in (200, 206):
                raise TransferError(
                    "%s:%d answers %d: %s" % (*self._where, answer.status, answer.read().decode("utf-8", "replace"))
                )
            while True:
                data = answer.read(PART)
                if not data:
                    return
                yield data
        except (OSError, http.client.HTTPException) as error:
            del self._own.connection
            raise ConnectionError("%s:%d: %s" % (*self._where, error or type(error).__name__)) from error


def digest_at(file, offset, length):
    """The digest of a part of a file, None when it is not long enough."""
    digest = hashlib.sha256()
    file.seek(offset)
    while length:
        data = file.read(min(PART, length))
        if not data:
            return None
        digest.update(data)
        length -= len(data)
    return digest.hexdigest()


def fetch_block(source, path, full, block):
    """Bring one block, unless it is there and whole. Gives the number of bytes that came."""
    digest, offset, length = block
    with open(full, "r+b") as file:
        if digest_at(file, offset, length) == digest:
            return 0
        for attempt in range(1, ATTEMPTS + 1):
            try:
                seen = hashlib.sha256()
                file.seek(offset)
                for data in source.get("/" + path, offset, length):
                    seen.update(data)
                    file.write(data)
                if seen.hexdigest() == digest:
                    return length
                words = f"bytes {offset} to {offset + length} of {path} do not have their digest"
            except ConnectionError as error:
                words = str(error)
            say(f"Attempt {attempt} of {ATTEMPTS}: {words}")
            time.sleep(RETRY_SECONDS)
    raise TransferError(words)


def prepare(folder, blocks):
    """Make all files, as long as they will be at most, and remove what the list does not name."""
    for path in set(files_below(folder)) - set(blocks):
        os.unlink(os.path.join(folder, path))
    for path, entries in blocks.items():
        full = os.path.join(folder, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "ab") as file:
            end = entries[-1][1] + entries[-1][2]
            if file.tell() > end:
                file.truncate(end)


def fetch(options):
    """Bring all blocks into the folder, then the list beside it: it says that the folder is complete."""
    source = Source(options.url, options.address)
    pieces, listed = os.path.join(options.to, "pieces"), os.path.join(options.to, "list")
    try:
        text = b"".join(source.get(LIST_PATH))
    except ConnectionError as error:
        raise TransferError(f"the export cannot be read: {error}") from error
    if hashlib.sha256(text).hexdigest() != options.digest:
        raise TransferError("the list of digests is not the one of this export; nothing was brought")
    blocks = parse(text.decode("utf-8", "surrogateescape"))
    os.makedirs(pieces, exist_ok=True)
    if os.path.exists(listed):
        os.unlink(listed)
    prepare(pieces, blocks)
    work = ((path, block) for path, entries in blocks.items() for block in entries)
    came = in_parallel(lambda item: fetch_block(source, item[0], os.path.join(pieces, item[0]), item[1]), work)
    os.sync()
    with open(listed + ".new", "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.rename(listed + ".new", listed)
    say(f"{len(blocks)} files, {total(blocks)} bytes, of which {sum(came)} came now; every block has its digest")


def in_parallel(function, work):
    """Results of a function over much work, a little of it at a time; the first error ends it."""
    results = []
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        waiting = collections.deque()
        try:
            for item in work:
                waiting.append(pool.submit(function, item))
                if len(waiting) >= 2 * THREADS:
                    results.append(waiting.popleft().result())
            results += [future.result() for future in waiting]
        except BaseException:
            for future in waiting:
                future.cancel()
            raise
    return results


def check(options):
    """Compare a folder with a list."""
    blocks = read_list(options.list)

    def problem(item):
        path, entries = item
        try:
            with open(os.path.join(options.folder, path), "rb") as file:
                return (
                    path
                    if any(digest_at(file, offset, length) != digest for digest, offset, length in entries)
                    else None
                )
        except FileNotFoundError:
            return path

    bad = [path for path in in_parallel(problem, blocks.items()) if path]
    say(f"{len(blocks) - len(bad)} of {len(blocks)} files have the digests of the export")
    if bad:
        raise TransferError(f"{len(bad)} files are missing or differ: {', '.join(bad[:10])}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)

    def command(name, function, **options):
        part = commands.add_parser(name)
        part.set_defaults(function=function)
        for option, more in options.items():
            part.add_argument("--" + option, **dict({"required": True}, **more))

    command("list", make_list, folder={}, to={})
    limits = {
        "mbit": {"type": float, "default": 0, "required": False},
        "idle": {"type": float, "default": 900, "required": False},
    }
    command("serve", serve, folder={}, list={}, address={}, port={"type": int}, allow={"nargs": "+"}, **limits)
    command("fetch", fetch, url={}, digest={}, to={}, address={"required": False})
    command("check", check, folder={}, list={})
    options = parser.parse_args()
    try:
        options.function(options)
    except TransferError as error:
        say(f"Error: {error}")
        return 1
    except OSError as error:
        free = shutil.disk_usage(getattr(options, "folder", None) or os.path.dirname(options.to) or "/").free
        say(f"Error: {error} ({free} bytes are free)")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
