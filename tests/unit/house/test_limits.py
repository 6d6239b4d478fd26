# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing is waited for without end, and nothing is read without a size.

Commands, sockets and HTTP are used in few files, which put limits around them. Everywhere else they are not imported,
a read names the number of bytes, and a wait the number of seconds.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
UTILS, PIECES = "plugins/module_utils/", "roles/export_pieces/files/"

# What can hang or never end, and the files that may use it, since they put limits around it.
OWNERS = {
    "subprocess": {UTILS + "_host/commands.py", UTILS + "_release/trial.py"},
    "socket": {
        UTILS + "_http.py",
        UTILS + "_supervisor/rpc.py",
        PIECES + "piece_transfer.py",
        PIECES + "piece_server.py",
    },
    "select": {UTILS + "_host/disks.py"},
    "selectors": {UTILS + "_host/commands.py"},
    "ssl": {UTILS + "_http.py", UTILS + "_release/download.py"},
    "http": {
        UTILS + "_http.py",
        UTILS + "_release/download.py",
        UTILS + "_supervisor/rpc.py",
        PIECES + "piece_transfer.py",
        PIECES + "piece_server.py",
    },
    "urllib.request": {UTILS + "_release/download.py"},
    "xmlrpc": {UTILS + "_supervisor/rpc.py"},
    "concurrent": {PIECES + "piece_transfer.py"},
    **dict.fromkeys(
        ["asyncio", "ftplib", "multiprocessing", "pexpect", "pty", "requests", "smtplib", "socketserver", "telnetlib"],
        set(),
    ),
    **dict.fromkeys(["ansible.module_utils.urls", "ansible.module_utils.connection"], set()),
}
# What other files may use of them: questions that are answered at once.
HARMLESS = {
    ("plugins/plugin_utils/_lock.py", "socket"): {"gethostname"},
    ("plugins/plugin_utils/_lock.py", "multiprocessing"): {"parent_process"},
}
RUNNERS = {"run_command", "_low_level_execute_command", "exec_command"}
OS_RUNNERS = {"system", "popen", "posix_spawn", "posix_spawnp", "wait", "wait3", "wait4"}
CONNECTIONS = {"HTTPConnection", "HTTPSConnection", "create_connection", "urlopen"}

# What looks as if it had no limit and has one: file and function.
EXPLAINED = {
    ("plugins/plugin_utils/_cluster/role_files.py", "_text"): "a file of this collection itself",
    (
        UTILS + "_host/disks.py",
        "ask",
    ): "waits for a child that has closed its pipe, which is the last thing that it does",
}


def files():
    found = [*(ROOT / "plugins").rglob("*.py"), *ROOT.glob("roles/*/files/*.py")]
    return sorted(str(path.relative_to(ROOT)) for path in found)


def imports(tree):
    """Pairs of line and dotted name of all modules that are imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def used(tree, module):
    """What a file uses of a module that it imports by its name; the module itself where it is named in another way."""
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    found = {node.attr for node in nodes if ast.unparse(node.value) == module}
    plain = any(isinstance(node, ast.Import) and ast.unparse(node) == f"import {module}" for node in ast.walk(tree))
    return found if plain and found else {module}


def opened(function):
    """The names under which a function opens files."""
    for node in ast.walk(function):
        if isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                call = item.context_expr
                if isinstance(call, ast.Call) and isinstance(item.optional_vars, ast.Name):
                    if getattr(call.func, "id", getattr(call.func, "attr", "")) in ("open", "open_file", "fdopen"):
                        yield item.optional_vars.id


def has_timeout(call):
    """Whether a call gives a time-out, by name or among options, or as the third argument."""
    return len(call.args) > 2 or any(keyword.arg in ("timeout", None) for keyword in call.keywords)


def without_limit(call):
    """Why a call has no limit, None where it has one."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    method, of = isinstance(call.func, ast.Attribute), getattr(getattr(call.func, "value", None), "id", "")
    bare = not call.args and not call.keywords
    first = ast.unparse(call.args[0]) if call.args else ""
    if method and bare and name in ("read", "readline", "readlines", "readall"):
        return f".{name}() without a size"
    if method and name == "readlines" or (method and name == "read" and first in ("None", "-1")):
        return f".{name}() without a size"
    if method and name in ("read_text", "read_bytes"):
        return f".{name}() reads all of a file: read_text or read_bytes of _host/files.py do not"
    if name == "load" and of in ("json", "yaml", "pickle", "marshal", "tomllib"):
        return f"{of}.load reads all of a file"
    if method and (name in RUNNERS or (of == "os" and (name in OS_RUNNERS or name.startswith(("exec", "spawn"))))):
        return f"{name} runs a command: run_command of _host/commands.py ends it"
    if of == "os" and name == "waitpid":
        return "os.waitpid waits without end"
    if method and name in ("wait", "join", "communicate", "result", "select", "acquire") and bare:
        return f".{name}() waits without end"
    if name in CONNECTIONS and not has_timeout(call):
        return f"{name} without a time-out"
    if name == "ServerProxy" and not any(keyword.arg == "transport" for keyword in call.keywords):
        return "ServerProxy without a transport of its own"
    if of == "select" and name == "select" and len(call.args) < 4:
        return "select.select waits without end"
    if method and (name, first) in (("settimeout", "None"), ("setblocking", "True")):
        return f".{name}({first}) takes the limit away"
    if name in ("flock", "lockf") and "LOCK_NB" not in ast.unparse(call):
        return f"{name} waits for a lock without end"
    return None


def faults(name, source):
    """What a file uses without a limit, as texts with lines."""
    tree = ast.parse(source)
    for line, module in imports(tree):
        for owned, owners in OWNERS.items():
            owns = name in owners or used(tree, owned) <= HARMLESS.get((name, module), set())
            if (module == owned or module.startswith(owned + ".")) and not owns:
                yield f"{name}:{line} imports {module}, which belongs to {', '.join(sorted(owners)) or 'nobody'}"
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    explained = {id(node) for each in functions if (name, each.name) in EXPLAINED for node in ast.walk(each)}
    handles = {id(each): set(opened(each)) for each in functions}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and id(node) not in explained:
            why = without_limit(node)
            # The results of a pool of threads are waited for where the threads have limits of their own.
            if why and not (why.startswith(".result()") and name in OWNERS["concurrent"]):
                yield f"{name}:{node.lineno} {why}"
    for each in functions:
        loops = [node.iter for node in ast.walk(each) if isinstance(node, (ast.For, ast.comprehension))]
        for loop in loops:
            if isinstance(loop, ast.Name) and loop.id in handles[id(each)]:
                yield f"{name}:{loop.lineno} takes a file line by line, however long a line is"


@pytest.mark.parametrize("name", files())
def test_nothing_is_without_a_limit(name):
    assert list(faults(name, (ROOT / name).read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("name, function", EXPLAINED)
def test_what_is_explained_is_there_and_needs_it(name, function, monkeypatch):
    monkeypatch.delitem(EXPLAINED, (name, function))
    assert list(faults(name, (ROOT / name).read_text(encoding="utf-8")))


@pytest.mark.parametrize("source", ["import socket\nsocket.create_server(('', 1))", "from socket import gethostname"])
def test_who_may_use_a_part_may_not_use_the_rest(source):
    assert list(faults("plugins/plugin_utils/_lock.py", "import socket\nsocket.gethostname()")) == []
    assert list(faults("plugins/plugin_utils/_lock.py", source))


@pytest.mark.parametrize("module", [module for module in OWNERS if OWNERS[module]])
def test_owners_use_what_they_own(module):
    for name in OWNERS[module]:
        used = {found for _line, found in imports(ast.parse((ROOT / name).read_text(encoding="utf-8")))}
        assert any(found == module or found.startswith(module + ".") for found in used), name


@pytest.mark.parametrize(
    "source",
    [
        "import subprocess",
        "from subprocess import run",
        "import http.client as client",
        "from urllib import request",
        "from urllib.request import urlopen",
        "from ansible.module_utils.urls import open_url",
        "def f():\n    import socket",
        "module.run_command(['x'])",
        "self._low_level_execute_command('x')",
        "os.system('x')",
        "os.popen('x')",
        "os.execvp('x', [])",
        "os.waitpid(1, 0)",
        "process.communicate()",
        "process.wait()",
        "thread.join()",
        "lock.acquire()",
        "selector.select()",
        "select.select([a], [], [])",
        "future.result()",
        "open('x').read()",
        "file.read(-1)",
        "file.read(None)",
        "file.readline()",
        "file.readlines()",
        "file.readlines(5)",
        "Path('x').read_text(encoding='utf-8')",
        "Path('x').read_bytes()",
        "json.load(file)",
        "yaml.load(file)",
        "HTTPConnection('h', 1)",
        "socket.create_connection(('h', 1))",
        "urlopen('http://h')",
        "xmlrpc.client.ServerProxy('http://h')",
        "sock.settimeout(None)",
        "sock.setblocking(True)",
        "fcntl.flock(handle, fcntl.LOCK_EX)",
        "def f():\n    with open('x') as file:\n        for line in file:\n            pass",
        "def f():\n    with open('x') as file:\n        return [line for line in file]",
    ],
)
def test_what_has_no_limit_is_seen(source):
    assert list(faults("plugins/modules/planted.py", source))


@pytest.mark.parametrize(
    "source",
    [
        "import urllib.parse",
        "run_command(['x'], 5)",
        "process.communicate(timeout=5)",
        "process.wait(5)",
        "thread.join(5)",
        "', '.join(words)",
        "selector.select(5)",
        "select.select([a], [], [], 5)",
        "file.read(5)",
        "host.read('/proc/meminfo')",
        "file.readline(5)",
        "read_text('x')",
        "read_bytes('x', 5)",
        "json.loads(text)",
        "HTTPConnection('h', 1, timeout=5)",
        "HTTPConnection('h', **options)",
        "ServerProxy('http://h', transport=own)",
        "sock.settimeout(5)",
        "fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        "def f():\n    for line in text.split('\\n'):\n        pass",
    ],
)
def test_what_has_a_limit_passes(source):
    assert list(faults("plugins/modules/planted.py", source)) == []
