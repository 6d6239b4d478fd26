# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""A file of programs on the host, with what is kept beside it, and the other files that supervisord reads."""

from __future__ import annotations

import glob
import hashlib
import os
import stat
import tempfile
from typing import Callable, Mapping, NamedTuple, Sequence

from .._host.files import MAX_FILE, read_bytes
from .errors import ConfError, ProgramError
from .read import Sections, decode, groups, parse, program_names

# Puts a file into the place of another one, whole or not at all.
Move = Callable[[str, str], object]


class ProgramFile:
    """A file of programs, and hidden beside it the definitions that ran before it was last changed.

    ``text`` and ``kept`` are what the two say now, None where there is no such file.
    """

    def __init__(self, name: str, folder: str, suffix: str) -> None:
        self.name = name
        self.path = os.path.join(folder, name + suffix)
        # hidden, because supervisord would read it too where it includes conf.d/*
        self.previous = os.path.join(folder, f".{name}{suffix}.previous")
        self.text: str | None = None
        self.kept: str | None = None

    def load(self) -> None:
        """Read both files."""
        self.text = read_text(self.path)
        self.kept = read_text(self.previous)

    def write(self, text: str | None, kept: str | None, move: Move) -> bool:
        """Give the two files these texts, each whole or not at all; None is no file.

        Return whether the file itself changed.
        """
        # The kept one goes first: a run that is cut off in between has changed nothing and forgotten nothing.
        targets = [(self.previous, kept)] if kept != self.kept else []
        changed = text != self.text
        targets += [(self.path, text)] if changed else []
        staged: dict[str, str] = {}
        # an environment may hold secrets, so the file is not for everybody's eyes; an existing one keeps its mode else
        mode = stat.S_IMODE(os.stat(self.path).st_mode) & ~0o007 if os.path.exists(self.path) else 0o640
        umask = os.umask(~mode & 0o777)
        try:
            for path, content in targets:
                if content is not None:
                    staged[path] = self._stage(content, mode)
            for path, content in targets:
                if content is not None:
                    # A file that is replaced gives its mode on.
                    if os.path.exists(path):
                        os.chmod(path, mode)
                    move(staged[path], path)
                elif os.path.lexists(path):
                    os.unlink(path)
        except OSError as error:
            raise ProgramError(f"{self.path} cannot be written: {error.strerror}; it is as before") from error
        finally:
            os.umask(umask)
            for temporary in staged.values():
                if os.path.exists(temporary):
                    os.unlink(temporary)
        self.text, self.kept = text, kept
        return changed

    def _stage(self, text: str, mode: int) -> str:
        """Write *text* to a new file in the folder and return its path."""
        # the suffix keeps supervisord from reading the file before it has its final name
        handle, temporary = tempfile.mkstemp(prefix=f".{self.name}.", suffix=".new", dir=os.path.dirname(self.path))
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(text.encode("utf-8"))
                stream.flush()
                os.fchmod(stream.fileno(), mode)
                os.fsync(stream.fileno())
        except OSError:
            os.unlink(temporary)
            raise
        return temporary


def read_text(path: str) -> str | None:
    """Return the text of a configuration file, None when there is none."""
    try:
        data = read_bytes(path, MAX_FILE + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ProgramError(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > MAX_FILE:
        raise ProgramError(f"{path} cannot be read: it is larger than {MAX_FILE} bytes, so it is no configuration file")
    return decode(data, path)


def lock_name(config: str) -> str:
    """Return the name of the lock for all runs that work with the supervisord of a configuration."""
    folder = os.path.realpath(os.path.dirname(config))
    return f"supervisor-{hashlib.sha256(folder.encode('utf-8', 'surrogateescape')).hexdigest()[:12]}"


class OtherFiles(NamedTuple):
    """The files of other people that supervisord reads: their sections by path, and why it cannot read the rest."""

    sections: Mapping[str, Sections]
    broken: Mapping[str, str]


def other_files(path: str, config: str, patterns: Sequence[str]) -> OtherFiles:
    """Read all files but *path* that supervisord reads."""
    found = {}
    broken = {}
    for other in [config, *sorted({path for pattern in patterns for path in glob.glob(pattern)})]:
        if os.path.realpath(other) != os.path.realpath(path):
            try:
                found[other] = parse(read_text(other) or "", other)
            except (ConfError, ProgramError) as error:
                broken[other] = str(error)
    return OtherFiles(found, broken)


def check_names(path: str, sections: Sections, others: OtherFiles) -> None:
    """Refuse programs that another file defines or puts into a group: the last file would win without a word."""
    own = set(program_names(sections))
    own_groups = set(groups(sections))
    for other, theirs in others.sections.items():
        for name in sorted(own & set(program_names(theirs))):
            raise ProgramError(f"program {name} is defined twice, in {path} and in {other}: remove it from one of them")
        for group, members in groups(theirs).items():
            if group in own_groups:
                raise ProgramError(
                    f"the group {group} is defined twice, in {path} and in {other}: remove it from one of them"
                )
            for name in sorted(own & set(members)):
                raise ProgramError(
                    f"program {name} of {path} is put into the group {group} by {other}: remove that group"
                )
