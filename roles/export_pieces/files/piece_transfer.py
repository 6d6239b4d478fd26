# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a folder of any layout from one host to others over HTTP, checked block by block against a list of digests.

    piece_transfer.py list  --folder FOLDER --to LIST
    piece_transfer.py fetch --url URL --digest SHA256 --list-bytes N --to FOLDER [--address IP]
    piece_transfer.py check --folder FOLDER --list LIST

The list has one line per block, `sha256 offset length path`. Who fetches is given size and digest of the list by
somebody trusted; neither the way that the bytes take nor the server need be: that is piece_server.py, beside this file.
Standard library only, Python 3.8 and newer.
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import errno
import hashlib
import http.client
import os
import re
import shutil
import socket
import stat
import sys
import threading
import time
import urllib.parse
from typing import Any, BinaryIO, Callable, Dict, Iterable, Iterator, List, NamedTuple, TypeVar

BLOCK = 64 * 1024 * 1024
PART = 256 * 1024
LIST_PATH = "/list"
PIECES_PATH = "/pieces/"
THREADS = 4
ATTEMPTS = 3
# Seconds in which a request must come, and in each of which LEAST bytes of an answer must.
TIMEOUT = 60
LEAST = 16 * 1024
# A full disk or a server that restarts: what is there stays, the next run goes on.
RETRY_SECONDS = 2
MAX_WORDS = 300
# Characters of a line of the list: more than a digest, two numbers and the longest path of a system have.
MAX_LINE = 16 * 1024

LINE = re.compile(r"([0-9a-f]{64}) (0|[1-9][0-9]{0,17}) (0|[1-9][0-9]{0,17}) ([^\n]+)\Z")

Item = TypeVar("Item")
Result = TypeVar("Result")


class TransferError(Exception):
    """Ends the program with a sentence."""


class NotAFile(OSError):
    """A path leads to a link, a pipe or a device."""


class Block(NamedTuple):
    """A part of a file and its digest."""

    digest: str
    offset: int
    length: int


Blocks = Dict[str, List[Block]]


def say(words: str) -> None:
    """Write a line at once, whatever reads it."""
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


# --- files ------------------------------------------------------------------------------------------------------------


def open_file(path: str, flags: int = os.O_RDONLY) -> BinaryIO:
    """Open a regular file; a link is not followed and a pipe is not waited for."""
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise NotAFile(f"{path} is no regular file") from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotAFile(f"{path} is no regular file")
    return os.fdopen(descriptor, "rb" if flags == os.O_RDONLY else "r+b")


def entries_below(folder: str) -> Iterator[str]:
    """Yield the relative paths of everything below a folder but folders; a link to one is no folder."""
    for parent, folders, names in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        for name in names + links:
            yield os.path.relpath(os.path.join(parent, name), folder)


def files_below(folder: str) -> list[str]:
    """Return the relative paths of all files, sorted; what is no file cannot be brought."""
    found = sorted(entries_below(folder))
    for path in found:
        if "\n" in path:
            raise TransferError(f"{path!r}: file names with line breaks cannot be brought")
        if not stat.S_ISREG(os.lstat(os.path.join(folder, path)).st_mode):
            raise TransferError(f"{path!r} in {folder} is no regular file, and only files can be brought: remove it")
    return found


def digest_at(file: BinaryIO, offset: int, length: int) -> str | None:
    """Return the digest of a part of a file, None when it is not long enough."""
    digest = hashlib.sha256()
    file.seek(offset)
    while length:
        data = file.read(min(PART, length))
        if not data:
            return None
        digest.update(data)
        length -= len(data)
    return digest.hexdigest()


# --- the list ---------------------------------------------------------------------------------------------------------


def digests_of(path: str) -> Iterator[Block]:
    """Yield every block of a file; an empty file has one block."""
    with open_file(path) as file:
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
                yield Block(digest.hexdigest(), offset, length)
            if length < BLOCK:
                return
            offset += length


def parse(lines: Iterable[str]) -> Blocks:
    """Return a list as blocks by path: those of a file follow each other, and none lies on another."""
    blocks: Blocks = {}
    last = None
    for line in lines:
        match = LINE.match(line[:-1] if line.endswith("\n") else line)
        if not match:
            raise TransferError(f"the list has a line that is none: {line[:MAX_WORDS]!r}")
        digest, offset, length, path = match[1], int(match[2]), int(match[3]), match[4]
        if not all(part not in ("", ".", "..") for part in path.split("/")) or "\0" in path:
            raise TransferError(f"the list names {path!r}, which is no path or outside of the folder")
        entries = blocks.setdefault(path, [])
        end = entries[-1].offset + entries[-1].length if entries else 0
        if offset != end or (entries and path != last) or (entries and not length):
            raise TransferError(f"the list names bytes of {path!r} twice, or leaves some out")
        entries.append(Block(digest, offset, length))
        last = path
    return blocks


def read_list(path: str) -> Blocks:
    """Return the blocks of a list. Only a line feed ends a line: names may hold what else looks like an end."""
    with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        return parse(iter(lambda: file.readline(MAX_LINE), ""))


def size_of(entries: list[Block]) -> int:
    """Return the bytes of a file."""
    return entries[-1].offset + entries[-1].length


def make_list(options: argparse.Namespace) -> None:
    """Write the digests of all files. What an older list names and did not change since is not read again."""
    known: Blocks = {}
    known_at = 0
    if os.path.exists(options.to):
        try:
            known, known_at = read_list(options.to), os.stat(options.to).st_mtime_ns
        except TransferError as error:
            say(f"The older list is not used: {error}")
    new, begun = options.to + ".new", time.time_ns()
    count = size = 0
    with open(new, "w", encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        for path in files_below(options.folder):
            full = os.path.join(options.folder, path)
            found = os.lstat(full)
            entries: Iterable[Block] = known.get(path, [])
            if not entries or found.st_mtime_ns >= known_at or size_of(known[path]) != found.st_size:
                entries = digests_of(full)
            for block in entries:
                file.write(f"{block.digest} {block.offset} {block.length} {path}\n")
                size += block.length
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


class Watch:
    """Ends connections on which too little happens: a byte now and then lets no limit per read expire."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since: dict[socket.socket, tuple[float, int]] = {}

    def begin(self, connection: socket.socket) -> None:
        """Give a connection TIMEOUT seconds from now."""
        with self._lock:
            self._since[connection] = (time.monotonic(), 0)

    def count(self, connection: socket.socket, size: int) -> None:
        """Give it as many again when LEAST bytes came."""
        with self._lock:
            since, before = self._since.get(connection, (time.monotonic(), 0))
            came = before + size
            self._since[connection] = (time.monotonic(), 0) if came >= LEAST else (since, came)

    def end(self, connection: socket.socket) -> None:
        """Let a connection be."""
        with self._lock:
            self._since.pop(connection, None)

    def check(self) -> None:
        """End those whose time is over; who reads from them sees the end of all bytes."""
        with self._lock:
            now = time.monotonic()
            late = [connection for connection, begun in self._since.items() if now - begun[0] > TIMEOUT]
            for connection in late:
                del self._since[connection]
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue


# --- fetching ---------------------------------------------------------------------------------------------------------


class Source:
    """The server, with a connection for each thread."""

    def __init__(self, url: str, address: str | None) -> None:
        parts = urllib.parse.urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port
        self._address = (address, 0) if address else None
        self._own = threading.local()
        self._watch = Watch()
        threading.Thread(target=self._check, daemon=True).start()

    def _check(self) -> None:
        while True:
            time.sleep(min(1, TIMEOUT / 4))
            self._watch.check()

    def get(self, path: str, length: int, first: int | None = None) -> Iterator[bytes]:
        """Yield exactly so many bytes, in parts; whatever a server does beside that is an error."""
        connection = self._own.__dict__.pop("connection", None) or self._connect()
        own: socket.socket = connection.sock
        self._watch.begin(own)
        try:
            yield from self._answer(connection, own, path, length, first)
        except (OSError, ValueError, http.client.HTTPException) as error:
            words = (str(error) or type(error).__name__)[:MAX_WORDS]
            raise ConnectionError(f"{self._host}:{self._port}: {words}") from error
        else:
            if connection.sock:
                self._own.connection = connection
        finally:
            self._watch.end(own)
            if "connection" not in self._own.__dict__:
                connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(self._host, self._port, TIMEOUT, self._address)
        try:
            connection.connect()
        except OSError as error:
            raise ConnectionError(f"{self._host}:{self._port}: {error}") from error
        return connection

    def _answer(
        self, connection: http.client.HTTPConnection, own: socket.socket, path: str, length: int, first: int | None
    ) -> Iterator[bytes]:
        headers = {} if first is None else {"Range": f"bytes={first}-{first + length - 1}"}
        connection.request("GET", urllib.parse.quote(path, errors="surrogateescape"), headers=headers)
        answer = connection.getresponse()
        if answer.status == 503:
            raise ConnectionError("it has too many connections")
        if answer.status != (200 if first is None else 206):
            words = answer.read(MAX_WORDS).decode("utf-8", "replace")
            raise TransferError(f"{self._host}:{self._port} answers {answer.status}: {words}")
        if answer.length != length or answer.chunked:
            raise ConnectionError(f"it sends {answer.length} bytes instead of {length}")
        left = length
        while left:
            data = answer.read(min(LEAST, left))
            if not data:
                raise ConnectionError(f"the answer ended {left} bytes too early")
            self._watch.count(own, len(data))
            left -= len(data)
            yield data


def fetch_block(source: Source, path: str, full: str, block: Block) -> int:
    """Bring one block, unless it is there and whole; return the number of bytes that came."""
    with open_file(full, os.O_RDWR) as file:
        if digest_at(file, block.offset, block.length) == block.digest:
            return 0
        for attempt in range(1, ATTEMPTS + 1):
            try:
                file.seek(block.offset)
                for data in source.get(PIECES_PATH + path, block.length, block.offset):
                    file.write(data)
                file.flush()
                # What counts is what lies in the file, not what came.
                if digest_at(file, block.offset, block.length) == block.digest:
                    return block.length
                words = f"bytes {block.offset} to {block.offset + block.length} of {path} do not have their digest"
            except ConnectionError as error:
                words = str(error)
            say(f"Attempt {attempt} of {ATTEMPTS}: {words}")
            time.sleep(RETRY_SECONDS)
    raise TransferError(words)


def prepare(folder: str, blocks: Blocks) -> None:
    """Make all files, as long as they will be at most, and remove what the list does not name or what is no file."""
    for path in list(entries_below(folder)):
        full = os.path.join(folder, path)
        if path not in blocks or not stat.S_ISREG(os.lstat(full).st_mode):
            os.unlink(full)
    for path, entries in blocks.items():
        full = os.path.join(folder, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open_file(full, os.O_RDWR | os.O_CREAT) as file:
            if file.seek(0, os.SEEK_END) > size_of(entries):
                file.truncate(size_of(entries))


def fetch_list(source: Source, path: str, digest: str, length: int) -> None:
    """Bring the list into a file, no more of it than there is, and compare its digest before anything is made of it."""
    seen = hashlib.sha256()
    try:
        with open(path, "wb") as file:
            for data in source.get(LIST_PATH, length):
                seen.update(data)
                file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if seen.hexdigest() != digest:
            raise TransferError("the list of digests is not the one of this export; nothing was brought")
    except ConnectionError as error:
        os.unlink(path)
        raise TransferError(f"the export cannot be read: {error}") from error
    except TransferError:
        os.unlink(path)
        raise


def fetch(options: argparse.Namespace) -> None:
    """Bring all blocks into the folder, then the list beside it: it says that the folder is complete."""
    source = Source(options.url, options.address)
    pieces, listed = os.path.join(options.to, "pieces"), os.path.join(options.to, "list")
    os.makedirs(options.to, exist_ok=True)
    fetch_list(source, listed + ".new", options.digest, options.list_bytes)
    blocks = read_list(listed + ".new")
    os.makedirs(pieces, exist_ok=True)
    if os.path.exists(listed):
        os.unlink(listed)
    prepare(pieces, blocks)
    work = ((path, block) for path, entries in blocks.items() for block in entries)
    came = in_parallel(lambda item: fetch_block(source, item[0], os.path.join(pieces, item[0]), item[1]), work)
    for path, entries in blocks.items():
        if os.lstat(os.path.join(pieces, path)).st_size != size_of(entries):
            raise TransferError(f"{path} is not as long as the list says; run the same command again")
    os.sync()
    os.rename(listed + ".new", listed)
    total = sum(size_of(entries) for entries in blocks.values())
    say(f"{len(blocks)} files, {total} bytes, of which {sum(came)} came now; every block has its digest")


def in_parallel(function: Callable[[Item], Result], work: Iterable[Item]) -> list[Result]:
    """Return the results of a function over much work, a little of it at a time; the first error ends it."""
    results: list[Result] = []
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        waiting: collections.deque[concurrent.futures.Future[Result]] = collections.deque()
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


def check(options: argparse.Namespace) -> None:
    """Compare a folder with a list."""
    blocks = read_list(options.list)

    def problem(item: tuple[str, list[Block]]) -> str | None:
        path, entries = item
        try:
            with open_file(os.path.join(options.folder, path)) as file:
                good = all(digest_at(file, block.offset, block.length) == block.digest for block in entries)
                return None if good and file.seek(0, os.SEEK_END) == size_of(entries) else path
        except (FileNotFoundError, NotAFile):
            return path

    bad = [path for path in in_parallel(problem, blocks.items()) if path]
    say(f"{len(blocks) - len(bad)} of {len(blocks)} files have the digests of the export")
    if bad:
        raise TransferError(f"{len(bad)} files are missing or differ: {', '.join(bad[:10])}")


def main() -> int:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)

    def command(name: str, function: Callable[[argparse.Namespace], None], **options: dict[str, Any]) -> None:
        part = commands.add_parser(name)
        part.set_defaults(function=function)
        for option, more in options.items():
            part.add_argument("--" + option.replace("_", "-"), **{"required": True, **more})

    command("list", make_list, folder={}, to={})
    command("fetch", fetch, url={}, digest={}, list_bytes={"type": int}, to={}, address={"required": False})
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
