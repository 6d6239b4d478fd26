# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What a command line really runs: the program behind the launchers that people put before it. Pure functions, no I/O.

Launchers are programs that change something about their process and then become the program that follows them: numactl,
taskset, env, nice, sudo, a shell with ``-c`` and the like. What they say about CPUs and environment is kept.
"""

from __future__ import annotations

import re
import shlex
from typing import Callable, Mapping, NamedTuple, Optional, Sequence

from .._cpuset import CpuSetError, format_cpu_list, parse_cpu_list, parse_cpu_mask
from .._foreign import reads_foreign
from .launcher_options import LAUNCHERS, Launcher, Options, UnknownCommandError, read_options

Known = Callable[[str], bool]
"""Tells whether the path or name of a program is one that is looked for."""

ScriptOf = Callable[[str], Optional[str]]
"""Gives the text of a script by its path, None for whatever is not a script of a shell."""

_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)\Z", re.DOTALL)
# A digit that belongs to a redirection, as in 2>&1.
_DESCRIPTOR = re.compile(r"(?<!\S)[0-9](?=[<>])")
# A variable in a script, maybe with what it is where nobody sets it.
_VARIABLE = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?::?-([^{}]*))?\})")
_COMMENT = re.compile(r"(?m)(?:^|(?<=\s))#.*$")
# Scripts that are started by scripts.
_MAX_SCRIPTS = 4
_SEPARATORS = frozenset([";", "&", "&&", "|", "||", "(", ")", "{", "}", "\n", ";;"])
# What a shell does itself on the way to the program.
_BUILTINS = frozenset(
    ". [ alias cd declare echo eval export false hash local mkdir printf read readonly rm set shopt sleep source test "
    "touch trap true type typeset ulimit umask unset wait".split()
)
_CLEARING = frozenset([("env", "i"), ("env", "ignore-environment"), ("setpriv", "reset-env")])
_SHELL_WORDS = frozenset("if then else elif fi for while until do done case esac in ! time".split())
_SHELLS = frozenset("sh bash dash ash zsh ksh busybox-sh".split())


def _no_script(_path: str) -> str | None:
    return None


class Launched(NamedTuple):
    """A program, and what its launchers say.

    ``command`` is empty where no program could be told. ``cpus`` is a list in the kernel's format, ``nodes`` one of
    NUMA nodes whose CPUs it is bound to; None where nothing binds it or the text is none. ``cleared`` tells that the
    environment that was there before is dropped, ``unset`` what of it is.
    """

    command: list[str]
    cpus: str | None
    nodes: str | None
    environment: dict[str, str]
    unset: frozenset[str]
    cleared: bool

    def variable(self, name: str, before: Mapping[str, str]) -> str | None:
        """Return a variable of the program's environment, of which ``before`` is what its launchers are given."""
        if name in self.environment:
            return self.environment[name]
        return None if self.cleared or name in self.unset else before.get(name)


@reads_foreign
def unwrap(words: Sequence[str], known: Known, script_of: ScriptOf = _no_script) -> Launched:
    """Return the program that a command line runs, and what its launchers, and the start script, say about it."""
    way = _Way(known, script_of)
    try:
        command = way.follow(list(words))
    except UnknownCommandError:
        command = []
    return Launched(command, way.cpus, way.nodes, way.environment, frozenset(way.unset), way.cleared)


class _Way:
    """The way from the first word of a command line to its program."""

    def __init__(self, known: Known, script_of: ScriptOf) -> None:
        self.known = known
        self.script_of = script_of
        self.scripts = 0
        self.cpus: str | None = None
        self.nodes: str | None = None
        self.environment: dict[str, str] = {}
        self.unset: set[str] = set()
        self.cleared = False

    def follow(self, words: list[str]) -> list[str]:
        """Return the program and its arguments."""
        while words:
            name = words[0].rpartition("/")[2]
            if self.known(words[0]):
                return words
            if name in _SHELLS:
                return self._shell(words)
            launcher = LAUNCHERS.get(name)
            if launcher is None:
                return self._of_file(self._behind_others(words))
            if name in ("su", "runuser"):
                words = self._other_user(name, words[1:], launcher)
                continue
            options, words = read_options(words[1:], launcher)
            if name == "env":
                options, words = _split_strings(options, words)
            words = self._note(name, options, words)
        raise UnknownCommandError("no program")

    def _behind_others(self, words: list[str]) -> list[str]:
        """Return the program behind something that is not known here, or that something itself."""
        found = (number for number, word in enumerate(words) if "/" in word and self.known(word))
        return words[next(found, 0) :]

    def _of_file(self, words: list[str]) -> list[str]:
        """Return the program that a start script runs, and the words themselves where they are not one's."""
        script = None if self.known(words[0]) or self.scripts == _MAX_SCRIPTS else self.script_of(words[0])
        if script is None:
            return words
        self.scripts += 1
        found = self.follow(self._script(_COMMENT.sub("", script), words[1:]))
        if not self.known(found[0]):
            raise UnknownCommandError(f"{words[0]} runs something else")
        return found

    def _expanded(self, word: str) -> str:
        """Return a word with the variables in it that are known."""

        def value(found: re.Match[str]) -> str:
            return self.environment.get(found[1] or found[2], found[0] if found[3] is None else found[3])

        return _VARIABLE.sub(value, word)

    def _assign(self, words: list[str]) -> list[str]:
        """Take the assignments before a program."""
        for number, word in enumerate(words):
            match = _ASSIGNMENT.match(word)
            if not match:
                return words[number:]
            self.environment[match.group(1)] = match.group(2)
            self.unset.discard(match.group(1))
        return []

    def _note(self, name: str, options: Options, words: list[str]) -> list[str]:
        """Note what a launcher says; return the words behind its own."""
        launcher = LAUNCHERS[name]
        if launcher.keeps and not any(option in launcher.keeps for option, _value in options):
            self._clear()
        for option, value in options:
            self._note_option(name, option, value)
        if launcher.assigns:
            words = self._assign(words)
        count = launcher.words
        if name == "chrt" and not re.match(r"[0-9]+\Z", words[0] if words else ""):
            count = 0
        own, words = words[:count], words[count:]
        if len(own) < count:
            raise UnknownCommandError(f"{name} has no program")
        if name == "flock" and words[:1] in (["-c"], ["--command"]):
            return self._script(words[1] if len(words) > 1 else "")
        if name == "taskset":
            listed = {"c", "cpu-list"}.intersection(option for option, _value in options)
            self._bind(_strided(own[0]) if listed else _masked(own[0]))
        return words

    def _note_option(self, name: str, option: str, value: str) -> None:
        if (name, option) in (("numactl", "C"), ("numactl", "physcpubind")):
            self._bind(_plain(value))
        elif name == "numactl" and option in ("N", "cpunodebind", "c", "cpubind"):
            self._bind(None)
            self.nodes = _plain(value)
        elif (name, option) == ("schedtool", "a"):
            self._bind(_masked(value) if value.startswith("0x") else _plain(value))
        elif name == "systemd-run" and option in ("p", "property"):
            key, _equals, text = value.partition("=")
            if key in ("AllowedCPUs", "CPUAffinity"):
                self._bind(_plain(",".join(text.replace(",", " ").split())))
        elif name == "systemd-run" and option in ("E", "setenv"):
            self._assign([value])
        elif (name, option) in _CLEARING:
            self._clear()
        elif name == "env" and option in ("u", "unset"):
            self.environment.pop(value, None)
            self.unset.add(value)

    def _clear(self) -> None:
        self.environment.clear()
        self.cleared = True

    def _bind(self, cpus: str | None) -> None:
        self.cpus, self.nodes = cpus, None

    def _other_user(self, name: str, words: list[str], launcher: Launcher) -> list[str]:
        """Return the words behind su or runuser, which take the user's name and a script anywhere."""
        options, rest = read_options(words, launcher)
        if name == "runuser" and any(option in ("u", "user") for option, _value in options):
            return rest
        if rest[:1] == ["-"]:
            options, rest = [*options, ("l", "")], rest[1:]
        more, rest = read_options(rest[1:], launcher)
        # Behind -- the shell gets the words, and its own -c may be there.
        last, rest = read_options(rest, launcher)
        given = dict([*options, *more, *last])
        if {"l", "login"}.intersection(given):
            self._clear()
        for option in ("c", "command", "session-command"):
            if option in given:
                return self._script(given[option])
        raise UnknownCommandError(f"{name} starts a shell")

    def _shell(self, words: list[str]) -> list[str]:
        """Return the program that a shell runs: of its script, or the script's own path."""
        options, rest = read_options(words[1:], Launcher("oO", ("rcfile", "init-file")))
        if not rest:
            raise UnknownCommandError("a shell without a script")
        if any(option == "c" for option, _value in options):
            return self.follow(self._script(rest[0]))
        return self._of_file(self._behind_others(rest))

    def _script(self, script: str, arguments: Sequence[str] = ()) -> list[str]:
        """Return the words of the command of a script that is looked for, else of its last one."""
        shell = self.environment
        last: list[str] | None = None
        for words in _commands(script):
            self.environment = dict(shell)
            words = [each for word in words for each in (arguments if word in ("$@", "$*") else [self._expanded(word)])]
            words = self._assign(words)
            if not words or words[0] in ("export", "unset"):
                self._assign(words[1:])
                for name in words[1:] if words[:1] == ["unset"] else []:
                    self.environment.pop(name, None)
                    self.unset.add(name)
                shell = self.environment
            elif words[0] not in _BUILTINS:
                last = words
                if self._leads_to_known(words):
                    break
        if last is None:
            raise UnknownCommandError("a script without a program")
        return last

    def _leads_to_known(self, words: list[str]) -> bool:
        command = unwrap(words, self.known, _no_script if self.scripts else self.script_of).command
        return bool(command) and self.known(command[0])


def _split_strings(options: Options, words: list[str]) -> tuple[Options, list[str]]:
    """Return the options and words of an ``env`` whose ``-S`` and ``-`` are resolved."""
    if words[:1] == ["-"]:
        options, words = [*options, ("i", "")], words[1:]
    for option, value in options:
        if option in ("S", "split-string"):
            more, rest = read_options([*_split(value), *words], LAUNCHERS["env"])
            return [*(pair for pair in options if pair != (option, value)), *more], rest
    return options, words


def _commands(script: str) -> list[list[str]]:
    """Return the simple commands of a script, without redirections and without the words that control them."""
    script = script.replace("\\\n", " ").replace("\n", " ; ")
    lexer = shlex.shlex(_DESCRIPTOR.sub("", script), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        tokens = list(lexer)
    except ValueError as error:
        raise UnknownCommandError(f"the script {script!r}: {error}") from error
    commands: list[list[str]] = [[]]
    skip = False
    for token in tokens:
        if skip:
            skip = False
        elif token in _SEPARATORS or (token in _SHELL_WORDS and not commands[-1]):
            commands.append([])
        elif re.match(r"[<>]+[&|]?\Z|&>+\Z", token):
            skip = True
        else:
            commands[-1].append(token)
    return [command for command in commands if command]


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UnknownCommandError(f"{text!r}: {error}") from error


def _plain(text: str) -> str | None:
    """Return a list of CPUs in the kernel's format, None when the text is something else, such as ``all``."""
    try:
        return text if text and parse_cpu_list(text) else None
    except CpuSetError:
        return None


def _masked(text: str) -> str | None:
    """Return the list of a mask of CPUs."""
    try:
        return format_cpu_list(parse_cpu_mask(text)) or None
    except CpuSetError:
        return None


def _strided(text: str) -> str | None:
    """Return the list of CPUs that taskset makes of its own format, which knows strides such as ``0-31:2``."""
    cpus: set[int] = set()
    for part in text.split(","):
        match = re.match(r"([0-9]{1,9})-([0-9]{1,9}):([1-9][0-9]{0,8})\Z", part)
        try:
            every = parse_cpu_list(f"{match.group(1)}-{match.group(2)}" if match else part)
        except CpuSetError:
            return None
        cpus.update(sorted(every)[:: int(match.group(3)) if match else 1])
    return format_cpu_list(cpus) or None
