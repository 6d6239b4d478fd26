# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: what is in here can change with any release.
# Other collections and playbooks must not import it.

"""SS58 addresses: base58 text of a network prefix, a public key and a checksum."""

from __future__ import annotations

import hashlib

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
KEY_BYTES = 32
CHECKSUM_BYTES = 2
# More characters than any address has; each costs more than the one before it.
MAX_CHARACTERS = 100


class Ss58Error(ValueError):
    """A text that is no SS58 address of a public key; the message says why."""


def decode(address: str) -> tuple[int, bytes]:
    """Return ``(network prefix, public key)`` of an address."""
    if len(address) > MAX_CHARACTERS:
        raise Ss58Error(f"it has {len(address)} characters, more than any address")
    data = _base58(address)
    # The two highest bits of the first byte tell whether the network's number takes one byte or two.
    prefix_bytes = 2 if data and data[0] & 0x40 else 1
    if len(data) != prefix_bytes + KEY_BYTES + CHECKSUM_BYTES or data[0] & 0x80:
        raise Ss58Error(
            f"it has {len(data)} bytes, which no address of an account has; characters are missing or too many"
        )
    body, checksum = data[:-CHECKSUM_BYTES], data[-CHECKSUM_BYTES:]
    if _checksum(body) != checksum:
        raise Ss58Error("its checksum is wrong; at least one character is not as it was")
    network = _network(body[:prefix_bytes])
    if prefix_bytes == 2 and network < 64:
        raise Ss58Error(f"its network, {network}, is not written as wallets write it")
    return network, body[prefix_bytes:]


def encode(network: int, key: bytes) -> str:
    """Return the address of a public key on a network (0 to 16383)."""
    if network < 64:
        prefix = bytes([network])
    else:
        prefix = bytes([(network & 0xFC) >> 2 | 0x40, network >> 8 | (network & 3) << 6])
    body = prefix + key
    data = body + _checksum(body)
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = ALPHABET[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def _network(prefix: bytes) -> int:
    if len(prefix) == 1:
        return prefix[0]
    return (prefix[0] & 0x3F) << 2 | prefix[1] >> 6 | (prefix[1] & 0x3F) << 8


def _base58(text: str) -> bytes:
    number = 0
    for character in text:
        digit = ALPHABET.find(character)
        if digit < 0:
            raise Ss58Error(f"it contains {character!r}, which no address does")
        number = number * 58 + digit
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def _checksum(body: bytes) -> bytes:
    return hashlib.blake2b(b"SS58PRE" + body).digest()[:CHECKSUM_BYTES]
