# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts and values as nobody should send them, and the comparison of a value with the type that is documented."""

from __future__ import annotations

import random
import types
import typing

from hypothesis import strategies as st

# What broke a parser once, somewhere.
NASTY = [
    *"\0\x07\x0b\x0c\x1b\x1c\x85\xa0\u200b\u2028\u2029\ufeff\ufffd\ud800\udcff\U0010ffff",
    *"²٣۵Ⅷ½µ",
    *"[]{}()<>\"'`\\/%$=:;,#|&-+@ \t\r\n",
    "\r\n",
    "\x1b[31m",
    "9" * 30,
    "-1",
    "NaN",
    "Infinity",
    "1e999",
    "0x",
    "null",
    "true",
    "%(here)s",
    "%%",
    "$(id)",
    "../..",
    "[" * 50,
    '{"a":' * 50,
    "9" * 5000,
]
LONG = [
    "[",
    "{",
    '{"a":',
    "9",
    "-",
    ",",
    "\n",
    " ",
    "\t",
    "a=",
    "GPU0 ",
    "'",
    "\\",
    "0-1,",
    "%",
    "=\n ",
    "[a]\n",
    "|",
    "1s",
]


def seeded(make):
    """What a function makes of a source of chance. One number is much cheaper to draw than a text piece by piece."""
    return st.integers(0, 2**64 - 1).map(lambda seed: make(random.Random(seed)))


def texts(*samples):
    """Samples with a few hostile changes, and texts without any sense."""

    def make(chance):
        if chance.random() < 0.2:
            characters = [*NASTY, *(chr(chance.randrange(0x110000)) for _each in range(20))]
            return "".join(chance.choices(characters, k=chance.randrange(20)))
        text = chance.choice(samples)
        for _change in range(chance.randrange(4)):
            place, length = chance.randrange(len(text) + 1), chance.randrange(10)
            text = text[:place] + chance.choice(NASTY) + text[place + length :]
        return text

    return seeded(make)


SCALARS = [None, True, False, 0, 1, -1, 10**30, 1.5, float("nan"), float("inf"), "", "x", "²", "\ud800"]


def value(chance, keys, depth=4):
    """Whatever JSON and XML-RPC can carry."""
    kind = chance.randrange(4) if depth else 3
    if kind < 2:
        return {chance.choice(keys): value(chance, keys, depth - 1) for _each in range(chance.randrange(6))}
    if kind < 3:
        return [value(chance, keys, depth - 1) for _each in range(chance.randrange(3))]
    return chance.choice(SCALARS)


def values(*keys):
    """Values with these keys where they can be."""
    return seeded(lambda chance: value(chance, [*keys, "other"]))


def objects(*keys):
    """Objects with these keys."""
    return seeded(
        lambda chance: {key: value(chance, keys) for key in chance.sample(keys, chance.randrange(len(keys) + 1))}
    )


def is_of(value, hint):
    """Whether a value is of a type, down to the last item; true and false are not numbers."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is typing.Any:
        return True
    if origin in (typing.Union, types.UnionType):
        return any(is_of(value, each) for each in arguments)
    if typing.is_typeddict(hint):
        kinds = typing.get_type_hints(hint)
        return (
            isinstance(value, dict)
            and value.keys() >= kinds.keys()
            and all(is_of(value[key], kinds[key]) for key in kinds)
        )
    if origin is tuple and arguments[-1] is not ...:
        return isinstance(value, tuple) and len(value) == len(arguments) and all(map(is_of, value, arguments))
    if origin is not None and issubclass(origin, typing.Mapping):
        return isinstance(value, dict) and all(
            is_of(k, arguments[0]) and is_of(v, arguments[1]) for k, v in value.items()
        )
    if origin is not None:
        return isinstance(value, origin) and all(is_of(item, arguments[0]) for item in value)
    if hasattr(hint, "_fields"):
        kinds = typing.get_type_hints(hint)
        return isinstance(value, hint) and all(is_of(getattr(value, key), kinds[key]) for key in hint._fields)
    if hint in (int, float) and isinstance(value, bool):
        return False
    return isinstance(value, (int, float) if hint is float else type(None) if hint is None else hint)
