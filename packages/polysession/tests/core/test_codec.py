"""A record's bytes: round trips, unknown fields, and what cannot be read."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from polysession.core import base64url
from polysession.core.agent import pack_agent, unpack_agent
from polysession.core.codec import (
    RETURNED_FLAG,
    ROTATED_FLAG,
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
from polysession.core.record import END_REASONS, Attribute, Device, Header, Tail, Tombstone
from polysession.core.token import ALPHABET
from polysession.testing import START, make_attribute, make_principal, make_record

milliseconds = st.integers(0, 2**48 - 1)
unlike_zeros = lambda size: st.binary(min_size=size, max_size=size).filter(any) | st.just(b"")  # noqa: E731
anonymous = st.just({"principal_key": "", "generation": 0})
signed_in = st.fixed_dictionaries(
    {
        "principal_key": st.binary(min_size=16, max_size=16).map(base64url.encode),
        "generation": st.integers(0, 2**32 - 1),
    }
)
others = st.fixed_dictionaries(
    {
        "secret_hash": st.binary(min_size=16, max_size=16),
        "pepper_id": st.sampled_from(ALPHABET),
        "created_at": milliseconds,
        "last_seen_at": milliseconds,
        "idle": milliseconds,
        "absolute_at": milliseconds,
        "rotation_count": st.integers(0, 2**16 - 1),
        "returned": st.booleans(),
        "previous_hash": unlike_zeros(16),
        "previous_until": milliseconds,
        "nonce": unlike_zeros(8),
        "tail": st.builds(
            Tail,
            principal=st.none() | st.text(min_size=1),
            device=st.builds(Device, user_agent=st.text(), address=st.text()),
            authenticated_at=milliseconds,
            extra=st.dictionaries(
                st.text(min_size=2), st.none() | st.integers(-5, 5) | st.text() | st.binary()
            ),
        ),
    }
)
headers = st.builds(lambda one, other: Header(**one, **other), others, anonymous | signed_in)


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


def test_a_header_takes_only_what_its_session_has() -> None:
    key = make_principal()
    anonymous = encode_header(make_record(START).header)
    signed_in = encode_header(make_record(START, principal_key=key).header)
    rotated = encode_header(make_record(START, principal_key=key, previous_until=START).header)
    offered = encode_header(make_record(START, nonce=b"noncenon").header)
    assert [len(one) for one in (anonymous, signed_in, rotated, offered)] == [47, 67, 97, 77]
    flags = [RETURNED_FLAG | one for one in (0, SIGNED_IN_FLAG, SIGNED_IN_FLAG | ROTATED_FLAG, ROTATED_FLAG)]
    assert [one[1] for one in (anonymous, signed_in, rotated, offered)] == flags


def test_a_user_agent_takes_a_few_bytes_and_comes_back() -> None:
    chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
    assert len(pack_agent(chrome)) < 20
    for text in ("", chrome, "curl/8.5.0", "Grüße 世界" * 30, "x" * 256, "\x00\xff"):
        assert unpack_agent(pack_agent(text)) == text


@pytest.mark.parametrize("data", [b"\xff", pack_agent("curl/8.5.0")[:-2], pack_agent("x" * 9999)])
def test_a_user_agent_that_is_damaged_or_a_bomb_is_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable):
        unpack_agent(data)


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
    [
        b"",
        b"\x03" + bytes(200),
        b"\x01" + bytes(44),
        b"\x01\x01" + bytes(62),
        b"\x01\x11" + bytes(92),
        b"\x01\x11" + bytes(93),
        b"\x02\x00",
        b"\x01" + bytes(44) + b"\x02later",
    ],
    ids=[
        "empty",
        "kind",
        "cut prefix",
        "cut principal",
        "cut rotation",
        "no tail",
        "cut tombstone",
        "later tail",
    ],
)
def test_a_header_of_another_kind_is_unreadable(data: bytes) -> None:
    with pytest.raises(Unreadable):
        decode_header(data)


@given(headers, st.data())
def test_a_damaged_header_is_unreadable_or_a_header(header: Header, data: Any) -> None:
    encoded = bytearray(encode_header(header))
    encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= data.draw(st.integers(1, 255))
    with suppress(Unreadable):
        found = decode_header(bytes(encoded))
        assert isinstance(found, Tombstone) or isinstance(found.tail.known, Tail)


def test_a_record_without_a_header_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        decode_record({b"a": encode_attribute(Attribute(b"12345678", b"\x00\xc0"))})
    with pytest.raises(Unreadable):
        decode_attribute(b"1234567")
