# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""The text of a file of programs: quoting and rendering. Pure functions, no I/O.

A value passes through four readers before a program sees it: the INI parser (which knows no quotes: a ``;`` or ``#``
after white space begins a comment anywhere), the replacement of ``%(here)s`` (which knows no ``%%``), the ``%``
expansion, and ``shlex``. What cannot pass all four unchanged is refused by name with :class:`ConfError`.
"""

from __future__ import annotations

import re
from typing import Any, Mapping, Sequence

from .._cpuset import CpuSetError, parse_cpu_list
from .errors import ConfError
from .marks import HEADER, KEPT_STOPPED, boolean
from .programs import Log, Program

NAME_RE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]*\Z")
_KEY_RE = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*\Z")
_BYTES_RE = re.compile(r"^[0-9]+(KB|MB|GB)?\Z", re.IGNORECASE)
_BARE_RE = re.compile(r"^[A-Za-z0-9_@%+=:,./-]+\Z")
_COMMENT_RE = re.compile(r"(?<=\s)(?=[;#])")
# Whatever any reader of the file could take for the end of a line is among these. A tab is none of them.
_CONTROL_RE = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")


def _check_characters(what: str, value: str) -> None:
    """Refuse what a file cannot hold. The value itself may be a secret, and is in no message."""
    found = _CONTROL_RE.search(value)
    if found:
        raise ConfError(
            f"{what}: its character {found.start() + 1} (U+{ord(found.group()):04X}) is a line break or control "
            "character, which supervisord cannot pass on"
        )
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ConfError(f"{what}: its character {error.start + 1} is not valid text") from None


def _quoted(piece: str) -> str:
    return "'" + piece.replace("'", "'\"'\"'") + "'"


def quote_argument(argument: str, what: str = "command") -> str:
    """Write one argument so that supervisord's four readers give back exactly *argument*."""
    _check_characters(what, argument)
    escaped = argument.replace("%", "%%")
    if _BARE_RE.match(escaped):
        return escaped
    # Closing and opening the quotes puts a ' before a ; or # that follows white space: the INI parser sees no comment.
    text = "".join(_quoted(piece) for piece in _COMMENT_RE.split(escaped)) if argument else "''"
    return text.replace("%(here)s", "%(he''re)s")


def quote_command(arguments: Sequence[str], what: str = "command") -> str:
    """Write an argument list as the value of ``command``."""
    if not arguments or not arguments[0]:
        raise ConfError(f"{what}: the command is empty")
    return " ".join(quote_argument(argument, what) for argument in arguments)


def environment_text(value: Any) -> str:
    """Return the string that a program sees for an environment value of YAML."""
    if value is None:
        raise ConfError('an environment value must not be null; write "" for an empty one')
    if isinstance(value, bool):
        return boolean(value)
    if isinstance(value, (dict, list)):
        raise ConfError(f"an environment value must be text or a number, not a {type(value).__name__}")
    return str(value)


def quote_environment(environment: Mapping[str, Any], what: str = "environment") -> str:
    """Write a dictionary as the value of ``environment``; sorted, always quoted."""
    parts = []
    for key in sorted(environment):
        name = f"{what}: {key}"
        if not _KEY_RE.match(key):
            raise ConfError(f"{name}: not a name that supervisord can set (letters, digits and _)")
        try:
            value = environment_text(environment[key])
        except ConfError as error:
            raise ConfError(f"{name}: {error}") from error
        _check_characters(name, value)
        if _COMMENT_RE.search(value):
            raise ConfError(f"{name}: supervisord reads a ; or # after white space as a comment")
        if "%(here)s" in value:
            raise ConfError(f"{name}: supervisord always replaces %(here)s")
        if value[:1] in ("'", '"') or value[-1:] in ("'", '"'):
            raise ConfError(f"{name}: supervisord drops quotes at the edges of a value")
        if "'" in value and '"' in value:
            raise ConfError(f"{name}: supervisord cannot hold both kinds of quotes in one value")
        quote = "'" if '"' in value else '"'
        escaped = value.replace("%", "%%")
        parts.append(f"{key}={quote}{escaped}{quote}")
    return ",".join(parts)


def plain_value(value: str, what: str) -> str:
    """Write a value that has no quoting in supervisord's format (a path, a user)."""
    _check_characters(what, value)
    if not value or value != value.strip():
        raise ConfError(f"{what}: it is empty or has white space at its edges")
    if _COMMENT_RE.search(value) or value[0] in ";#":
        raise ConfError(f"{what}: supervisord reads a ; or # after white space as a comment")
    if "%(here)s" in value:
        raise ConfError(f"{what}: supervisord always replaces %(here)s")
    return value.replace("%", "%%")


def full_command(program: Program) -> list[str]:
    """Return the arguments that supervisord starts: the program's own, behind ``numactl`` when it is bound to CPUs."""
    cpus = program.get("cpus")
    bound = ["numactl", "-C", cpus, "-l"] if cpus else []
    return [*bound, *program["command"]]


def _absolute(value: str, what: str) -> str:
    if not value.startswith("/"):
        raise ConfError(f"{what}: it is not an absolute path")
    return plain_value(value, what)


def _check_program(program: Program, what: str) -> None:
    """Refuse numbers and CPUs that supervisord or numactl would refuse."""
    try:
        parse_cpu_list(program.get("cpus"))
    except CpuSetError as error:
        raise ConfError(f"{what}cpus: {error}") from error
    numbers = {key: program[key] for key in ("startsecs", "startretries", "stopwaitsecs")}
    for key, value in numbers.items():
        if value < 0:
            raise ConfError(f"{what}{key}: {value} is negative")


def _render_log(log: Log, what: str) -> list[str]:
    if not _BYTES_RE.match(log["max_bytes"]):
        raise ConfError(f"{what}log.max_bytes: it is not a size such as 100MB")
    if log["backups"] < 0:
        raise ConfError(f"{what}log.backups: {log['backups']} is negative")
    # supervisord expands % twice in the name of a log file
    path = _absolute(log["path"], f"{what}log.path").replace("%%", "%%%%")
    return [
        f"stdout_logfile_maxbytes={log['max_bytes']}",
        f"stdout_logfile_backups={log['backups']}",
        f"stdout_logfile={path}",
    ]


def _render_program(program: Program, autostart: bool) -> str:
    name = program["name"]
    if not NAME_RE.match(name):
        raise ConfError(
            f"program name {name!r}: only letters, digits, '.', '_' and '-', beginning with a letter or digit"
        )
    what = f"program {name}: "
    _check_program(program, what)
    command = quote_command(full_command(program), f"{what}command")
    lines = [f"[program:{name}]", f"command={command}"]
    directory, user, log = program.get("directory"), program.get("user"), program.get("log")
    if directory:
        lines.append(f"directory={_absolute(directory, f'{what}directory')}")
    stopped = not program.get("autostart", True)
    lines += [
        *([KEPT_STOPPED] if stopped else []),
        f"autostart={boolean(autostart and not stopped)}",
        f"autorestart={boolean(program['autorestart'])}",
        f"startsecs={program['startsecs']}",
        f"startretries={program['startretries']}",
        f"stopsignal={program['stopsignal']}",
        f"stopwaitsecs={program['stopwaitsecs']}",
        # The final SIGKILL must reach helpers of the program too: one that survives would keep its ports and its GPU.
        "killasgroup=true",
    ]
    if user:
        lines.append(f"user={plain_value(user, f'{what}user')}")
    if program.get("environment"):
        lines.append(f"environment={quote_environment(program['environment'], f'{what}environment')}")
    lines.append("redirect_stderr=true")
    lines += _render_log(log, what) if log else []
    return "\n".join(lines) + "\n"


def render(programs: Sequence[Program], autostart: bool = True) -> str:
    """Return the text of a file with *programs*, each in its own section."""
    seen = set()
    for program in programs:
        if program["name"] in seen:
            raise ConfError(f"program {program['name']} is given twice")
        seen.add(program["name"])
    return "\n".join([HEADER + "\n"] + [_render_program(program, autostart) for program in programs])
