# Copyright: (c) 2026, autonomys.cluster contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SS58 addresses: known ones, and every single mistyped character."""

from __future__ import annotations

import pytest
from ansible_collections.autonomys.cluster.plugins.plugin_utils._ss58 import ALPHABET, Ss58Error, decode, encode
from hypothesis import given, settings
from hypothesis import strategies as st

# Substrate's well-known development account Alice, on the networks 42 (generic), 0 (Polkadot) and 2 (Kusama).
ALICE = bytes.fromhex("d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d")
KNOWN = [
    (42, "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"),
    (0, "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5"),
    (2, "HNZata7iMYWmk5RvZRTiAsSDhV8366zq2YGb3tLH5Upf74F"),
]


@pytest.mark.parametrize("network, address", KNOWN)
def test_known_addresses(network, address):
    assert decode(address) == (network, ALICE)
    assert encode(network, ALICE) == address


def test_an_address_of_the_test_net():
    network, key = decode("st9QrFWVBdfJMgqZ4jVVJM7fHiWmxJNRipL64cxq7ddp9iCn1")
    assert (network, len(key)) == (2254, 32)


@pytest.mark.parametrize(
    "address, message",
    [
        ("", "it has 0 bytes"),
        ("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQ", "it has 34 bytes"),
        ("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQ0", "it contains '0'"),
        ("0xd43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d", "it contains '0'"),
        ("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQX", "checksum"),
        ("5" * 200_000, "it has 200000 characters"),
        # The network 42 in two bytes.
        ("Zp5wgt7iipcBBD8qrDbgQerUy6vWeg3np21675SE43SmZaPo9", "its network, 42, is not written"),
    ],
)
def test_what_is_no_address(address, message):
    with pytest.raises(Ss58Error, match=message):
        decode(address)


@settings(max_examples=60, deadline=None)
@given(
    network=st.integers(0, 16383),
    key=st.binary(min_size=32, max_size=32),
    place=st.integers(0, 100),
    character=st.sampled_from(ALPHABET),
)
def test_every_address_reads_back_and_a_changed_one_does_not(network, key, place, character):
    address = encode(network, key)
    assert decode(address) == (network, key)
    place %= len(address)
    if address[place] != character:
        mistyped = address[:place] + character + address[place + 1 :]
        try:
            # Two bytes of checksum let one in 65,536 pass.
            assert decode(mistyped) != (network, key)
        except Ss58Error:
            pass
