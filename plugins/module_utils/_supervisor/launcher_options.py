# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""How the words of a launcher are read: its options, and how many words come before the program. Pure functions."""

from __future__ import annotations

from typing import Iterable, List, NamedTuple, Sequence, Tuple

Options = List[Tuple[str, str]]
"""Names without dashes, and values; a flag has an empty one."""


class UnknownCommandError(ValueError):
    """Words that no launcher understands."""


class Launcher(NamedTuple):
    """How the words of a launcher are read: which options have a value, and how many words come before the program."""

    short: str = ""
    long: tuple[str, ...] = ()
    words: int = 0
    # Whether NAME=value may come before the program.
    assigns: bool = False
    # Options that keep the environment; a launcher that has such drops it without them.
    keeps: tuple[str, ...] = ()


LAUNCHERS = {
    "numactl": Launcher(
        "CNmipPwcfoLMSI",
        (
            "physcpubind", "cpunodebind", "cpubind", "membind", "interleave", "weighted-interleave", "preferred",
            "preferred-many", "file", "offset", "length", "shmmode", "shm", "shmid",
        ),
    ),
    "taskset": Launcher(words=1),
    "schedtool": Launcher("apn"),
    "env": Launcher("uCSa", ("unset", "chdir", "split-string", "argv0"), assigns=True),
    "nice": Launcher("n", ("adjustment",)),
    "ionice": Launcher("cn", ("class", "classdata")),
    "chrt": Launcher("TPD", ("sched-runtime", "sched-period", "sched-deadline"), words=1),
    "stdbuf": Launcher("ioe", ("input", "output", "error")),
    "sudo": Launcher(
        "ugCDhpRTUrt",
        ("user", "group", "close-from", "chdir", "host", "prompt", "chroot", "command-timeout", "other-user", "role"),
        assigns=True,
        keeps=("E", "preserve-env"),
    ),
    "doas": Launcher("aCu", keeps=("no option does",)),
    "su": Launcher("cCgGswT", ("command", "session-command", "group", "supp-group", "shell", "whitelist-environment")),
    "runuser": Launcher(
        "ucgGsw", ("user", "command", "session-command", "group", "supp-group", "shell", "whitelist-environment")
    ),
    "setpriv": Launcher(
        "",
        (
            "reuid", "regid", "ruid", "rgid", "euid", "egid", "groups", "ambient-caps", "inh-caps", "bounding-set",
            "securebits", "pdeathsig", "selinux-label", "apparmor-profile", "ptracer", "landlock-access",
            "landlock-rule", "seccomp-filter",
        ),
    ),
    "setsid": Launcher(),
    "nohup": Launcher(),
    "exec": Launcher("a"),
    "command": Launcher(),
    "builtin": Launcher(),
    "timeout": Launcher("ks", ("kill-after", "signal"), words=1),
    "time": Launcher("fo", ("format", "output")),
    "prlimit": Launcher("o", ("output",)),
    "systemd-run": Launcher(
        "upEHM",
        (
            "unit", "property", "setenv", "host", "machine", "slice", "uid", "gid", "nice", "working-directory",
            "description", "service-type", "timer-property", "path-property", "socket-property", "background",
        ),
    ),
    "systemd-inhibit": Launcher("", ("what", "who", "why", "mode")),
    "unshare": Launcher(
        "SGRwl",
        ("setuid", "setgid", "root", "wd", "propagation", "setgroups", "map-user", "map-group", "monotonic"),
    ),
    "nsenter": Launcher("tSG", ("target", "setuid", "setgid")),
    "chroot": Launcher("", ("userspec", "groups"), words=1),
    "cgexec": Launcher("g"),
    "flock": Launcher("wE", ("wait", "timeout", "conflict-exit-code"), words=1),
    "chpst": Launcher("uUb/Cenmdopfcrtsl"),
    "softlimit": Launcher("adcflmoprst"),
    "setlock": Launcher(words=1),
    "setuidgid": Launcher(words=1),
    "envuidgid": Launcher(words=1),
    "envdir": Launcher(words=1),
    "s6-setuidgid": Launcher(words=1),
    "s6-envuidgid": Launcher("ugBN", words=1),
    "gosu": Launcher(words=1),
    "su-exec": Launcher(words=1),
    "tini": Launcher("ep"),
    "dumb-init": Launcher("r", ("rewrite",)),
    "catchsegv": Launcher(),
    "eatmydata": Launcher(),
    "unbuffer": Launcher(),
    "strace": Launcher("eopsuEPabIOSXU"),
    "ltrace": Launcher("eopsualnDx"),
    "proxychains": Launcher("f"),
    "proxychains4": Launcher("f"),
    "torsocks": Launcher("uaPp"),
    "busybox": Launcher(),
    "linux64": Launcher(),
    "setarch": Launcher(words=1),
    "choom": Launcher("np", ("adjust", "pid")),
    "uclampset": Launcher("mMp"),
    "coresched": Launcher(words=1),
}  # fmt: skip


def read_options(words: Sequence[str], launcher: Launcher) -> tuple[Options, list[str]]:
    """Return the options at the beginning of some words, and the other words."""
    options: Options = []
    rest = list(words)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        word = rest.pop(0)
        if word == "--":
            break
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            full = _full_name(name, launcher.long)
            if not equals and full in launcher.long:
                value = _value(rest, word)
            options.append((full, value))
            continue
        for number, letter in enumerate(word[1:], 2):
            if letter in launcher.short:
                options.append((letter, word[number:] or _value(rest, word)))
                break
            options.append((letter, ""))
    return options, rest


def _value(rest: list[str], option: str) -> str:
    if not rest:
        raise UnknownCommandError(f"{option} has no value")
    return rest.pop(0)


def _full_name(name: str, names: Iterable[str]) -> str:
    """Return the option that the beginning of its name stands for, as GNU's programs take it."""
    found = [full for full in names if full.startswith(name)] if len(name) > 2 else []
    return found[0] if len(found) == 1 and name not in names else name
