# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The text of supervisord's configuration files: rendering, quoting and reading. Pure functions, no I/O.

A value passes through four readers before a program sees it: the INI parser (which knows no quotes: a ``;`` or ``#``
after white space begins a comment anywhere), the replacement of ``%(here)s`` (which knows no ``%%``), the ``%`` expansion,
and ``shlex``. What cannot pass all four unchanged is refused by name with :class:`ConfError`.
"""

from __future__ import annotations

import configparser
import fnmatch
import os
import re
import shlex
from collections import OrderedDict, namedtuple

from .._cpuset import CpuSetError, parse_cpu_list

HEADER = "; Managed by Ansible (autonomys.cluster): changes made by hand are overwritten."
LEAVING = "; Still to be stopped and removed: "
HELD = "; Kept stopped: only a run with its definition starts it."

NAME_RE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]*\Z")
_KEY_RE = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*\Z")
_BYTES_RE = re.compile(r"^[0-9]+(KB|MB|GB)?\Z", re.IGNORECASE)
_BARE_RE = re.compile(r"^[A-Za-z0-9_@%+=:,./-]+\Z")
_COMMENT_RE = re.compile(r"(?<=\s)(?=[;#])")
_SECRET_RE = re.compile(
    r"pass(wd|word|phrase)?|secret|token|credential|(api|private|access|auth)[_-]?key", re.IGNORECASE
)
_USERINFO_RE = re.compile(r"://[^/\s:@]*:([^/\s@]+)@")
_PROGRAM_KINDS = ("program:", "fcgi-program:", "eventlistener:")
# Shorter "secrets" are words like "true"; masking them would make the output unreadable without hiding anything.
_SHORTEST_SECRET = 4

Settings = namedtuple("Settings", ["socket", "username", "password", "folder", "suffix", "patterns", "logfile"])


class ConfError(ValueError):
    """A value that supervisord's format cannot carry, or a text that it cannot read."""


# --- writing -----------------------------------------------------------------------------------------------------------


def _check_characters(what, value):
    for character in value:
        if character in "\n\r\0":
            raise ConfError(f"{what}: {value!r} has a line break or NUL character, which supervisord cannot pass on")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as exc:
        raise ConfError(f"{what}: {value!r} is not valid text") from exc


def _quoted(piece):
    return "'" + piece.replace("'", "'\"'\"'") + "'"


def quote_argument(argument, what="command"):
    """Write one argument so that supervisord's four readers give back exactly *argument*."""
    _check_characters(what, argument)
    escaped = argument.replace("%", "%%")
    if _BARE_RE.match(escaped):
        return escaped
    # Closing and opening the quotes puts a ' before a ; or # that follows white space, so the INI parser sees no comment.
    text = "".join(_quoted(piece) for piece in _COMMENT_RE.split(escaped)) if argument else "''"
    return text.replace("%(here)s", "%(he''re)s")


def quote_command(arguments, what="command"):
    """Write an argument list as the value of ``command``."""
    if not arguments or not arguments[0]:
        raise ConfError(f"{what}: the command is empty")
    return " ".join(quote_argument(argument, what) for argument in arguments)


def environment_text(value):
    """Give the string that a program sees for an environment value of YAML."""
    if value is None:
        raise ConfError('an environment value must not be null; write "" for an empty one')
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        raise ConfError(f"an environment value must be text or a number, not {value!r}")
    return str(value)


def quote_environment(environment, what="environment"):
    """Write a dictionary as the value of ``environment``; sorted, always quoted."""
    parts = []
    for key in sorted(environment):
        name = f"{what}: {key}"
        if not _KEY_RE.match(key):
            raise ConfError(f"{name}: not a name that supervisord can set (letters, digits and _)")
        try:
            value = environment_text(environment[key])
        except ConfError as exc:
            raise ConfError(f"{name}: {exc}") from exc
        _check_characters(name, value)
        if _COMMENT_RE.search(value):
            raise ConfError(f"{name}: supervisord reads a ; or # after white space as a comment: {value!r}")
        if "%(here)s" in value:
            raise ConfError(f"{name}: supervisord always replaces %(here)s: {value!r}")
        if value[:1] in ("'", '"') or value[-1:] in ("'", '"'):
            raise ConfError(f"{name}: supervisord drops quotes at the edges of a value: {value!r}")
        if "'" in value and '"' in value:
            raise ConfError(f"{name}: supervisord cannot hold both kinds of quotes in one value: {value!r}")
        quote = "'" if '"' in value else '"'
        escaped = value.replace("%", "%%")
        parts.append(f"{key}={quote}{escaped}{quote}")
    return ",".join(parts)


def plain_value(value, what):
    """Write a value that has no quoting in supervisord's format (a path, a user)."""
    _check_characters(what, value)
    if not value or value != value.strip():
        raise ConfError(f"{what}: {value!r} is empty or has white space at its edges")
    if _COMMENT_RE.search(value) or value[0] in ";#":
        raise ConfError(f"{what}: supervisord reads a ; or # after white space as a comment: {value!r}")
    if "%(here)s" in value:
        raise ConfError(f"{what}: supervisord always replaces %(here)s: {value!r}")
    return value.replace("%", "%%")


def full_command(program):
    """Give the argument list that supervisord starts: the program's own, behind ``numactl`` when it is bound to CPUs."""
    if program.get("cpus"):
        return ["numactl", "-C", program["cpus"], "-l", *program["command"]]
    return list(program["command"])


def _boolean(value):
    return "true" if value else "false"


def _absolute(value, what):
    if not value.startswith("/"):
        raise ConfError(f"{what}: {value!r} is not an absolute path")
    return plain_value(value, what)


def _render_program(program, autostart):
    name = program["name"]
    if not NAME_RE.match(name):
        raise ConfError(
            f"program name {name!r}: only letters, digits, '.', '_' and '-', beginning with a letter or digit"
        )
    what = f"program {name}: "
    try:
        parse_cpu_list(program.get("cpus"))
    except CpuSetError as exc:
        raise ConfError(f"{what}cpus: {exc}") from exc
    command = quote_command(full_command(program), f"{what}command")
    lines = [f"[program:{name}]", f"command={command}"]
    if program.get("directory"):
        directory = _absolute(program["directory"], f"{what}directory")
        lines.append(f"directory={directory}")
    for key in ("startsecs", "startretries", "stopwaitsecs"):
        if program[key] < 0:
            raise ConfError(f"{what}{key}: {program[key]} is negative")
    held = not program.get("autostart", True)
    lines += [
        *([HELD] if held else []),
        f"autostart={_boolean(autostart and not held)}",
        f"autorestart={_boolean(program['autorestart'])}",
        f"startsecs={program['startsecs']}",
        f"startretries={program['startretries']}",
        f"stopsignal={program['stopsignal']}",
        f"stopwaitsecs={program['stopwaitsecs']}",
        # The final SIGKILL must reach helpers of the program too: one that survives would keep its ports and its GPU.
        "killasgroup=true",
    ]
    if program.get("user"):
        user = plain_value(program["user"], f"{what}user")
        lines.append(f"user={user}")
    if program.get("environment"):
        environment = quote_environment(program["environment"], f"{what}environment")
        lines.append(f"environment={environment}")
    lines.append("redirect_stderr=true")
    log = program.get("log")
    if log:
        if not _BYTES_RE.match(log["max_bytes"]):
            raise ConfError(f"{what}log.max_bytes: {log['max_bytes']!r} is not a size like 100MB")
        if log["backups"] < 0:
            raise ConfError(f"{what}log.backups: {log['backups']} is negative")
        # supervisord expands % twice in the name of a log file
        path = _absolute(log["path"], f"{what}log.path").replace("%%", "%%%%")
        lines += [
            f"stdout_logfile_maxbytes={log['max_bytes']}",
            f"stdout_logfile_backups={log['backups']}",
            f"stdout_logfile={path}",
        ]
    return "\n".join(lines) + "\n"


def render(programs, autostart=True):
    """Give the text of a file with *programs* (dictionaries as in the module's option), each in its own section."""
    seen = set()
    for program in programs:
        if program["name"] in seen:
            raise ConfError(f"program {program['name']} is given twice")
        seen.add(program["name"])
    return "\n".join([HEADER + "\n"] + [_render_program(program, autostart) for program in programs])


def set_autostart(text, value, only=None):
    """Change ``autostart`` of every program in *text* (or of *only* these) that is not kept stopped, and leave everything else as it is."""
    lines = []
    kept = held(text)
    in_program = False
    header = None

    def finish():
        if header is not None and not value:
            lines.insert(header + 1, "autostart=false")

    for line in text.splitlines():
        section = re.match(r"^\[([^\]]+)\]", line)
        if section:
            finish()
            kind, _colon, name = section.group(1).partition(":")
            in_program = kind in ("program", "fcgi-program") and name not in kept and (only is None or name in only)
            header = len(lines) if in_program else None
        elif in_program and re.match(r"(?i)^autostart\s*[=:]", line):
            header = None
            line = f"autostart={_boolean(value)}"
        lines.append(line)
    finish()
    return "\n".join(lines) + "\n"


def held(text):
    """Give the names of the programs that *text* keeps stopped, whatever the state of the others."""
    names = set()
    section = ""
    for line in (text or "").splitlines():
        found = re.match(r"^\[(?:[^\]:]+:)?([^\]]+)\]", line)
        section = found.group(1) if found else section
        if line == HELD:
            names.add(section)
    return names


def leaving(text):
    """Give the names that *text* remembers as still to be stopped and removed."""
    for line in (text or "").splitlines():
        if line.startswith(LEAVING):
            return [name for name in re.split(r"[,\s]+", line[len(LEAVING) :]) if name]
    return []


def with_leaving(text, names):
    """Give *text* remembering exactly *names*: what has left the file is known nowhere else when a run is interrupted."""
    lines = [line for line in (text or HEADER).splitlines() if not line.startswith(LEAVING)]
    while lines and not lines[-1]:
        lines.pop()
    if names:
        lines += ["", LEAVING + ", ".join(sorted(names))]
    return "\n".join(lines) + "\n"


# --- reading -----------------------------------------------------------------------------------------------------------


def parse(text, path="the file"):
    """Read *text* the way supervisord does: an ordered dictionary of sections, each one of options."""
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";", "#"), strict=False)
    try:
        parser.read_string(text, source=path)
    except configparser.Error as exc:
        reason = str(exc).replace("\n", " ")
        raise ConfError(f"{path} cannot be read: {reason}") from exc
    return OrderedDict((section, OrderedDict(parser.items(section))) for section in parser.sections())


def decode(data, path):
    """Decode the bytes of the file *path*."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise ConfError(f"{path} cannot be read: {exc}") from exc


def groups(sections):
    """Give what supervisord makes of *sections*: process groups, each with the names of its program sections.

    A program that no ``[group:]`` of these sections names is a group of its own.
    """
    result = OrderedDict()
    members = set()
    for section, options in sections.items():
        if section.startswith("group:"):
            names = [name.strip() for name in (options.get("programs") or "").split(",") if name.strip()]
            result[section[len("group:") :].strip()] = names
            members.update(names)
    for section in sections:
        for kind in _PROGRAM_KINDS:
            if section.startswith(kind):
                name = section[len(kind) :].strip()
                if name not in members:
                    result[name] = [name]
    return result


def program_names(sections):
    """Give the names of all programs of *sections*."""
    return [section[len(kind) :].strip() for section in sections for kind in _PROGRAM_KINDS if section.startswith(kind)]


def on_hold(text):
    """Give the groups of *text* that are stopped as a whole, apart from programs that are kept stopped."""
    sections = parse(text or "")
    kept = held(text)
    return {
        group
        for group, members in groups(sections).items()
        if any(name not in kept and options_of(sections, name).get("autostart") == "false" for name in members)
    }


def group_texts(text):
    """Give the text of every group of *text*: its sections as they stand, in one piece."""
    pieces = OrderedDict()
    lines = []
    for line in with_leaving(text, []).splitlines():
        found = re.match(r"^\[([^\]]+)\]", line)
        if found:
            lines = pieces.setdefault(found.group(1).strip(), [])
        lines.append(line)
    result = OrderedDict()
    for group, members in groups(parse(text or "")).items():
        sections = [f"group:{group}", *(kind + member for member in members for kind in _PROGRAM_KINDS)]
        result[group] = "\n".join(
            "\n".join(pieces[section]).rstrip("\n") + "\n" for section in sections if section in pieces
        )
    return result


def compose(old, kept, now, former):
    """Give a text of the groups *now* of the text *old* and the groups *former* of the text *kept*, None without any."""
    texts, others = group_texts(old), group_texts(kept)
    if now == set(texts) and not former:
        return with_leaving(old, []) if now else None
    chosen = [
        texts[group] if group in now else others[group]
        for group in {**texts, **others}
        if group in now or group in former
    ]
    return "\n".join([HEADER + "\n", *chosen]) if chosen else None


def options_of(sections, program):
    """Give the options of *program*, an empty dictionary when there is no such program."""
    for kind in _PROGRAM_KINDS:
        if kind + program in sections:
            return sections[kind + program]
    return {}


def number(options, key, default):
    """Give a whole number among *options*, *default* when it is missing or unreadable."""
    try:
        return int(options.get(key, default))
    except (TypeError, ValueError):
        return default


def parse_environment(value):
    """Read the value of ``environment`` as supervisord does."""
    lexer = shlex.shlex(value)
    lexer.wordchars += "/.+-():"
    try:
        tokens = list(lexer)
    except ValueError as exc:
        raise ConfError(f"environment {value!r}: {exc}") from exc
    result = {}
    for index in range(0, len(tokens), 4):
        item = tokens[index : index + 3]
        if len(item) != 3 or item[1] != "=":
            raise ConfError(f"environment {value!r} is not a list of NAME=value")
        result[item[0]] = item[2].strip("'\"").replace("%%", "%")
    return result


def parse_command(value):
    """Read the value of ``command`` as supervisord does."""
    try:
        return [argument.replace("%%", "%") for argument in shlex.split(value)]
    except ValueError as exc:
        raise ConfError(f"command {value!r}: {exc}") from exc


def secrets(sections):
    """Give the values in *sections* that must not be shown: environment and arguments named like a password or token."""
    found = set()
    for options in sections.values():
        for key, reader in (("environment", parse_environment), ("command", parse_command)):
            try:
                value = reader(options.get(key) or "")
            except ConfError:
                continue
            if isinstance(value, dict):
                found.update(item for name, item in value.items() if _SECRET_RE.search(name))
                texts = list(value.values())
            else:
                texts = value
                found.update(_secret_arguments(value))
            for text in texts:
                found.update(_USERINFO_RE.findall(text))
    return {value for value in found if len(value) >= _SHORTEST_SECRET}


def _secret_arguments(arguments):
    for argument, following in zip(arguments, [*arguments[1:], ""]):
        if argument.startswith("-") and _SECRET_RE.search(argument.split("=", 1)[0]):
            if "=" in argument:
                yield argument.split("=", 1)[1]
            elif not following.startswith("-"):
                yield following


def _expand(value, expansions, what):
    try:
        return value % expansions
    except (KeyError, ValueError, TypeError) as exc:
        raise ConfError(f"{what}: {value!r} cannot be expanded ({exc})") from exc


def settings(sections, config, environ=None, node_name=""):
    """Read from supervisord's own configuration where its socket, its log and the folder of included files are.

    *config* is the path of the configuration, *sections* its parsed text. ``folder`` and ``suffix`` say where a file of
    programs belongs, ``patterns`` is everything that is included.
    """
    here = os.path.dirname(os.path.abspath(config))
    expansions = {"here": here, "host_node_name": node_name}
    for key, value in (environ or {}).items():
        expansions[f"ENV_{key}"] = value

    server = sections.get("unix_http_server")
    if not server or not server.get("file"):
        raise ConfError(
            f"{config} has no [unix_http_server] with file=: supervisord can only be asked through its socket"
        )
    include = sections.get("include", {}).get("files")
    if not include:
        raise ConfError(f"{config} has no [include] with files=: there is no folder for files of programs")

    patterns = [
        os.path.join(here, pattern) for pattern in _expand(include, expansions, f"{config}: include.files").split()
    ]
    candidates = []
    for pattern in patterns:
        folder, base = os.path.split(pattern)
        if not re.search(r"[*?\[]", folder) and base.startswith("*") and not re.search(r"[*?\[]", base[1:]):
            candidates.append((folder, base[1:] if base != "*" else ".conf"))
    if not candidates:
        raise ConfError(
            f"{config}: no pattern of [include] files is like conf.d/*.conf: there is no folder for files of programs"
        )
    folder, suffix = next((item for item in candidates if fnmatch.fnmatch("x.conf", "*" + item[1])), candidates[0])

    def text(options, key):
        value = options.get(key)
        return _expand(value, expansions, f"{config}: {key}") if value else None

    logfile = text(sections.get("supervisord", {}), "logfile")
    return Settings(
        socket=os.path.join(here, text(server, "file").strip()),
        username=text(server, "username"),
        password=text(server, "password"),
        folder=folder,
        suffix=suffix,
        patterns=patterns,
        logfile=logfile if logfile and logfile.startswith("/") else None,
    )
