# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""What is a secret, and how to show things without it: names, URLs, environments, command lines, arguments of modules.

The only place that decides it. Values of an environment are secret unless their name is known to be harmless; arguments
are secret when their option is named like a secret; of URLs, who may come in and what is asked for is secret.
Pure functions.
"""

from __future__ import annotations

import re
from typing import Any, Iterable, Iterator, Mapping, Sequence
from urllib.parse import unquote

MASK = "********"

# Words that make a name one of a secret wherever they are in it, in the plural too.
_ALWAYS = frozenset("apikey credential mnemonic nkey passphrase passwd password secret suri token".split())
# Words that do so only at its end.
_AT_THE_END = frozenset(
    "auth authentication authorization bearer cookie cred creds jwt licence license pass phrase pwd seed".split()
)
# A key is a secret when it is one of these.
_KEYS = frozenset(
    "access api auth client cluster deploy encryption host license master node priv private push secret server session "
    "signing ssh tls wallet".split()
)
# A name with one of these at its end tells something about a secret, such as the file that it is in.
_ABOUT = frozenset(
    "age algorithm bytes count dir directory enabled endpoint expiry file filename files folder format host id length "
    "lifetime limit name path policy port required size stdin timeout ttl type uri url user username".split()
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

# Variables of an environment whose values may be shown. Whatever is not here may be a secret.
_HARMLESS = re.compile(
    r"""(CUDA|GPU|NVIDIA|LC|MALLOC|OMP|RAYON|SUPERVISOR|TOKIO|XDG)_[A-Z0-9_]+
    | RUST_(LOG|BACKTRACE|MIN_STACK|LOG_STYLE) | NATS_SETTINGS_DIGEST | GO(DEBUG|GC|MAXPROCS|MEMLIMIT)
    | (ALL|FTP|HTTP|HTTPS|NO|RSYNC)_PROXY | HOME | LANG | LANGUAGE | LD_LIBRARY_PATH | LOGNAME | NO_COLOR | PATH
    | SHELL | TERM | TMPDIR | TZ | USER""",
    re.IGNORECASE | re.VERBOSE,
)

_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]{0,30}://"
# A URL ends at white space or a quote, and at a comma before another one.
_URL = re.compile(rf"""(?P<scheme>{_SCHEME})(?P<rest>(?:(?!,{_SCHEME})[^\s"'])*)""")
_PORT = re.compile(r"\[[^\]]*\](?::[0-9]*)?\Z|[^:]*(?::[0-9]*)?\Z")

# Shorter ones are words such as "true": hiding them in other texts would hide nothing, and make those unreadable.
_SHORTEST_NAMED, _SHORTEST = 4, 8


def is_secret_name(name: str) -> bool:
    """Return whether *name*, of a variable or an option, is that of a secret."""
    words = [word.lower() for word in _WORD.findall(name)]
    while words and words[-1].isdigit():
        words.pop()
    if not words or words[-1] in _ABOUT:
        return False
    if words[-1] in ("key", "keys"):
        return len(words) == 1 or words[-2] in _KEYS
    return (
        words[-1] in _AT_THE_END
        or any(word in _ALWAYS or word[:-1] in _ALWAYS for word in words)
        or words[-1].endswith(("apikey", "password", "passphrase", "secret", "token"))
    )


def is_harmless(name: str) -> bool:
    """Return whether the value of a variable of an environment may be shown."""
    return bool(_HARMLESS.fullmatch(name)) and not is_secret_name(name)


def masked_url(text: str) -> str:
    """Return *text* with every URL in it without user, password and query."""
    return _URL.sub(_join, text)


def masked_environment(environment: Mapping[str, Any]) -> dict[str, str]:
    """Return an environment as it may be shown."""
    return {name: masked_url(str(value)) if is_harmless(name) else MASK for name, value in environment.items()}


def masked_arguments(arguments: Sequence[str]) -> list[str]:
    """Return a command line as it may be shown."""
    shown = []
    for argument, secret in _paired(arguments):
        shown.append(argument[: len(argument) - len(secret)] + MASK if secret else masked_url(argument))
    return shown


def secret_options(arguments: Sequence[str]) -> list[str]:
    """Return the options of a command line whose values are secrets."""
    found, former = [], ""
    for argument, secret in _paired(arguments):
        if secret:
            found.append(former if secret == argument else argument.partition("=")[0])
        former = argument
    return found


def masked(value: Any, name: str = "") -> Any:
    """Return arguments of a module as they may be shown, whatever their shape: *name* is that of the option."""
    if is_secret_name(name) and value not in (None, "", [], {}) and not isinstance(value, bool):
        return MASK
    if name == "environment" and value:
        return masked_environment(value) if isinstance(value, Mapping) else MASK
    if name == "command" and value:
        return masked_arguments(value) if _are_texts(value) else MASK
    if name == "programs" and isinstance(value, str):
        return MASK
    if isinstance(value, Mapping):
        return {key: masked(item, str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(item, name) for item in value]
    return masked_url(value) if isinstance(value, str) else value


def secrets_in(value: Any, name: str = "", shown: Iterable[str] | None = None) -> set[str]:
    """Return the secrets in arguments of a module that must be hidden in other texts, such as messages."""
    if is_secret_name(name):
        return {text for text in _texts(value) if len(text) >= _SHORTEST_NAMED}
    shown = list(_texts(masked(value, name))) if shown is None else shown
    if name == "environment" and isinstance(value, Mapping):
        return secret_values({str(key): str(item) for key, item in value.items()}, shown=shown)
    if name == "command" and _are_texts(value):
        return secret_values(arguments=value)
    if isinstance(value, Mapping):
        return {secret for key, item in value.items() for secret in secrets_in(item, str(key), shown)}
    if isinstance(value, (list, tuple)):
        return {secret for item in value for secret in secrets_in(item, name, shown)}
    return _url_secrets(value) if isinstance(value, str) else set()


def secret_values(
    environment: Mapping[str, str] | None = None, arguments: Sequence[str] = (), shown: Iterable[str] = ()
) -> set[str]:
    """Return the values of a program's *environment* and *arguments* that must be hidden in other texts, such as a log.

    What is not named like a secret, and part of a text that is *shown* anyhow, such as a path, is none.
    """
    environment = environment or {}
    texts = [*shown, *masked_arguments(arguments), *masked_environment(environment).values()]
    found = {secret for _argument, secret in _paired(arguments) if len(secret) >= _SHORTEST_NAMED}
    for name, value in environment.items():
        if is_secret_name(name):
            found |= {value} if len(value) >= _SHORTEST_NAMED else set()
        elif len(value) >= _SHORTEST and not is_harmless(name) and not any(value in text for text in texts):
            found.add(value)
    for text in (*environment.values(), *arguments):
        found |= _url_secrets(text)
    return found


def hidden(text: str, secrets: Iterable[str]) -> str:
    """Return a text without *secrets*, wherever they are in it."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def has_secret_url(text: str) -> bool:
    """Return whether a URL in *text* lets somebody in: with a password, a token of NATS, or such a parameter."""
    for found in _URL.finditer(text):
        user, _host, query = _parts(found.group("rest"))
        names = [item.partition("=")[0] for item in re.split("[&;#]", query)]
        if ":" in user.strip(":") or (user and found.group("scheme").lower() in ("nats://", "tls://")):
            return True
        if any(is_secret_name(name) for name in names):
            return True
    return False


def _are_texts(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _paired(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield every argument with the secret that it is or ends with, "" where there is none."""
    awaited = False
    for argument in arguments:
        name, equals, value = argument.partition("=")
        named = is_secret_name(name) and re.match(r"[\w.-]+\Z", name) is not None
        if argument.startswith("-") or (equals and named):
            yield argument, value if named else ""
            awaited = named and not equals
        else:
            yield argument, argument if awaited else ""
            awaited = False


def _parts(rest: str) -> tuple[str, str, str]:
    """Take what is behind ``://`` apart: who comes in, where to, what is asked for. A password may hold anything."""
    authority = re.split("[/?#]", rest, maxsplit=1)[0]
    user = ""
    if "@" in authority or ("@" in rest and not _PORT.match(authority)):
        user, _at, rest = rest.rpartition("@")
    where, _mark, query = rest.partition("?")
    return user, where, query


def _join(found: re.Match[str]) -> str:
    user, where, query = _parts(found.group("rest"))
    return f"{found.group('scheme')}{MASK + '@' if user else ''}{where}{'?' + MASK if query else ''}"


def _url_secrets(text: str) -> set[str]:
    secrets = set()
    for found in _URL.finditer(text):
        user, _where, query = _parts(found.group("rest"))
        name, _colon, password = user.partition(":")
        secrets |= {password or name, *(item.partition("=")[2] for item in re.split("[&;#]", query))}
    secrets |= {unquote(secret) for secret in secrets}
    return {secret for secret in secrets if len(secret) >= _SHORTEST_NAMED}
