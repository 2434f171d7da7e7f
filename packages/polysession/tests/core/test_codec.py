"""A record's bytes: round trips, unknown fields, and what cannot be read."""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from polysession.core.codec import (
    PREFIX,
    RETURNED_FLAG,
    SIGNED_IN_FLAG,
    decode_attribute,
    decode_header,
    decode_record,
    encode_attribute,
    encode_header,
    encode_record,
    encode_tombstone,
)
from polysession.core.errors import Unreadable
from polysession.core.record import END_REASONS, Attribute, Device, Header, Tombstone
from polysession.core.token import ALPHABET
from polysession.testing import START, make_attribute, make_record

milliseconds = st.integers(0, 2**53)
unlike_zeros = lambda size: st.binary(min_size=size, max_size=size).filter(any) | st.just(b"")  # noqa: E731
headers = st.builds(
    Header,
    secret_hash=st.binary(min_size=16, max_size=16),
    pepper_id=st.sampled_from(ALPHABET),
    created_at=milliseconds,
    last_seen_at=milliseconds,
    idle=milliseconds,
    absolute_at=milliseconds,
    rotation_count=st.integers(0, 2**16 - 1),
    generation=st.integers(0, 2**32 - 1),
    returned=st.booleans(),
    principal_key=st.just("") | st.text(ALPHABET, min_size=22, max_size=22),
    previous_hash=unlike_zeros(16),
    previous_until=milliseconds,
    nonce=unlike_zeros(8),
    principal=st.none() | st.text(min_size=1),
    device=st.builds(Device, user_agent=st.text(), address=st.text()),
    authenticated_at=milliseconds,
    extra=st.dictionaries(st.text(min_size=2), st.none() | st.integers(-5, 5) | st.text() | st.binary()),
)


@given(headers)
def test_a_header_comes_back(header: Header) -> None:
    assert decode_header(encode_header(header)) == header


@given(st.sampled_from(END_REASONS), milliseconds)
def test_a_tombstone_comes_back(reason: Any, ended_at: int) -> None:
    assert decode_header(encode_tombstone(Tombstone(reason, ended_at))) == Tombstone(reason, ended_at)


def test_a_record_and_its_attributes_come_back() -> None:
    record = make_record(START, {"cart": {"a": 1}, "näme": b"\x00"}, principal="42")
    assert decode_record(encode_record(record)) == record
    assert decode_record({}) is None
    attribute = make_attribute([1])
    assert decode_attribute(encode_attribute(attribute)) == attribute


def test_the_prefix_is_where_the_table_says() -> None:
    header = make_record(
        START, last_seen_at=START + 1, rotation_count=258, generation=7, principal_key="k" * 22
    ).header
    data = encode_header(header)
    assert PREFIX.size == 111
    assert data[0] == 1
    assert data[1] == SIGNED_IN_FLAG | RETURNED_FLAG
    assert data[2:3] == b"A"
    assert data[3:5] == b"\x01\x02"
    assert data[5:21] == header.secret_hash
    assert struct.unpack(">QQQQI", data[21:57]) == (START, START + 1, header.idle, header.absolute_at, 7)
    assert data[57:89] == bytes(32)
    assert data[89:111] == b"k" * 22
    assert data[111] == 0


def test_what_a_later_release_put_into_the_tail_survives_a_round_trip() -> None:
    header = make_record(START, extra={"zz": {"deep": [1, b"x"]}, "q": None}).header
    once = decode_header(encode_header(header))
    assert isinstance(once, Header)
    assert once.extra == {"zz": {"deep": [1, b"x"]}, "q": None}
    assert encode_header(once) == encode_header(header)


def test_a_reason_that_only_a_later_release_knows_is_still_an_end() -> None:
    assert decode_header(b"\x02\xff" + START.to_bytes(8, "big") + b"more") == Tombstone("revoked", START)


@pytest.mark.parametrize(
    "data",
    [b"", b"\x03" + bytes(200), b"\x01" + bytes(110), b"\x02\x00", b"\x01" + bytes(110) + b"\x02later"],
    ids=["empty", "unknown kind", "cut record", "cut tombstone", "later tail"],
)
def test_a_header_of_another_kind_is_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable):
        decode_header(data)


@given(headers, st.data())
def test_a_damaged_header_is_unreadable_or_a_header(header: Header, data: Any) -> None:
    encoded = bytearray(encode_header(header))
    encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= data.draw(st.integers(1, 255))
    with suppress(Unreadable):
        assert isinstance(decode_header(bytes(encoded)), Header | Tombstone)


def test_a_record_without_a_header_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        decode_record({b"a": encode_attribute(Attribute(b"12345678", b"\x00\xc0"))})
    with pytest.raises(Unreadable):
        decode_attribute(b"1234567")
