"""Bytes that must never change: releases N and N+1 share sessions, cookies and forms.

A failure here means that running sessions break. Add a new kind or field instead; never edit a file beside
this one.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from polysession.core import csrf, values
from polysession.core.codec import (
    decode_attribute,
    decode_header,
    encode_attribute,
    encode_header,
    encode_tombstone,
)
from polysession.core.record import Address, Attribute, Device, Header, Kind, Tail, Tombstone
from polysession.core.token import Key, KeyRing, Keys, hash_secret, mint, parse, place, pseudonym

GOLDEN: dict[str, Any] = json.loads(Path(__file__).with_name("golden.json").read_text())

KEYS = Keys(
    mac=KeyRing((Key("M", b"m" * 32),)),
    pepper=KeyRing((Key("P", b"p" * 32),)),
    csrf=KeyRing((Key("C", b"c" * 32),)),
    placement=b"l" * 32,
)
SECRET = "abcdefghijklmnopqrstuvwxyz012345"
ADDRESS = Address(1234, "ABCDEFGHabcdefgh")
HEADERS = {
    "anonymous": Header(
        secret_hash=bytes(range(16)),
        pepper_id="P",
        created_at=1_800_000_000_000,
        last_seen_at=1_800_000_060_000,
        idle=86_400_000,
        absolute_at=1_800_604_800_000,
    ),
    "signed in": Header(
        secret_hash=bytes(range(16, 32)),
        pepper_id="_",
        created_at=1_800_000_000_000,
        last_seen_at=1_800_000_060_000,
        idle=1_800_000,
        absolute_at=1_800_043_200_000,
        rotation_count=513,
        generation=70_000,
        returned=True,
        principal_key="K" * 21 + "w",
        previous_hash=bytes(range(32, 48)),
        previous_until=1_800_000_090_000,
        nonce=b"noncenon",
        tail=Tail(
            principal="0190f3c2-7b1e-7000-8000-000000000042",
            device=Device(user_agent="Mozilla/5.0", address="2001:db8::1"),
            authenticated_at=1_800_000_000_001,
            extra={"zz": [1, "of a later release"]},
        ),
    ),
    "kept": Header(
        secret_hash=bytes(range(16)),
        pepper_id="P",
        created_at=1_800_000_000_000,
        last_seen_at=1_800_000_060_000,
        idle=1_209_600_000,
        absolute_at=1_802_592_000_000,
        returned=True,
        keep=True,
        principal_key="K" * 21 + "Q",
        tail=Tail("42", authenticated_at=1_800_000_000_000),
    ),
    "not kept": Header(
        secret_hash=bytes(range(16)),
        pepper_id="P",
        created_at=1_800_000_000_000,
        last_seen_at=1_800_000_060_000,
        idle=86_400_000,
        absolute_at=1_800_604_800_000,
        keep=False,
    ),
}
VALUES: dict[str, Any] = {
    "none": None,
    "bools": [True, False],
    "ints": [0, -1, 2**63, -(2**63), 2**64, -(2**70)],
    "floats": [0.5, -1e300],
    "text": "Grüße, 世界",
    "bytes": b"\x00\xff",
    "mapping": {"a": {"b": [1, 2]}, 7: "int key"},
    "tuple": (1, ("x",)),
    "set": {"b", "a", 1},
    "frozenset": frozenset({(1, 2)}),
    "datetime": datetime(2026, 11, 22, 12, 30, 1, 5, tzinfo=UTC),
    "naive datetime": datetime(2026, 10, 25, 2, 30, fold=1),
    "date": date(2026, 11, 22),
    "decimal": Decimal("12.50"),
    "uuid": UUID("0190f3c2-7b1e-7000-8000-000000000042"),
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_is_written_as_ever_and_read_as_ever(name: str) -> None:
    assert encode_header(HEADERS[name]).hex() == GOLDEN["headers"][name]
    assert decode_header(bytes.fromhex(GOLDEN["headers"][name])) == HEADERS[name]


def test_a_tombstone_is_written_as_ever_and_read_as_ever() -> None:
    for reason, data in GOLDEN["tombstones"].items():
        tombstone = Tombstone(reason, 1_800_000_000_000)
        assert encode_tombstone(tombstone).hex() == data
        assert decode_header(bytes.fromhex(data)) == tombstone
    assert len(GOLDEN["tombstones"]) == 7


@pytest.mark.parametrize("name", VALUES)
def test_an_attribute_is_written_as_ever_and_read_as_ever(name: str) -> None:
    attribute = Attribute(b"tagtagta", values.encode(VALUES[name]))
    assert encode_attribute(attribute).hex() == GOLDEN["attributes"][name]
    back = decode_attribute(bytes.fromhex(GOLDEN["attributes"][name]))
    assert repr(type(values.decode(back.value))) == repr(type(VALUES[name]))
    assert values.decode(back.value) == VALUES[name]


def test_a_token_is_minted_as_ever_and_read_as_ever() -> None:
    for kind, text in GOLDEN["tokens"].items():
        token = mint(KEYS, 0, kind=Kind(kind), address=ADDRESS, rotation_count=66, secret=SECRET)
        assert token.text == text
        assert parse(KEYS, text) == token


def test_hashes_places_and_pseudonyms_are_as_ever() -> None:
    assert hash_secret(KEYS, SECRET, "P").hex() == GOLDEN["secret_hash"]
    assert list(place(KEYS, "42")) == GOLDEN["place"]
    assert pseudonym(KEYS, "42") == GOLDEN["pseudonym"]


def test_a_csrf_token_from_before_is_still_good() -> None:
    assert csrf.secret(KEYS, ADDRESS.session_id, 0) == GOLDEN["csrf"]["secret"]
    assert csrf.check(KEYS, ADDRESS.session_id, GOLDEN["csrf"]["masked"])


# --- Django's own functions: what they make, ours take, and the other way round


def test_django_accepts_our_masked_token_for_our_secret() -> None:
    from django.middleware.csrf import _does_token_match, _unmask_cipher_token

    secret, masked = csrf.secret(KEYS, "a binding", 0), csrf.mint(KEYS, "a binding", 0)
    assert _does_token_match(masked, secret)
    assert _unmask_cipher_token(masked) == secret
    assert not _does_token_match(csrf.mint(KEYS, "another", 0), secret)


def test_we_accept_what_django_masks() -> None:
    from django.middleware.csrf import _mask_cipher_secret

    masked = _mask_cipher_secret(csrf.secret(KEYS, "a binding", 0))
    assert csrf.check(KEYS, "a binding", masked)
    assert not csrf.check(KEYS, "another", masked)


def test_the_alphabet_and_lengths_are_djangos() -> None:
    from django.middleware import csrf as djangos

    assert csrf.ALPHABET == djangos.CSRF_ALLOWED_CHARS
    assert csrf.SECRET_LENGTH == djangos.CSRF_SECRET_LENGTH
    assert len(csrf.mint(KEYS, "a binding", 0)) == djangos.CSRF_TOKEN_LENGTH


def test_a_token_that_django_masked_once_is_read_as_ever() -> None:
    vector = GOLDEN["django"]
    key = KeyRing((Key("C", b"c" * 32),))
    assert (
        csrf.secret(Keys(KEYS.mac, KEYS.pepper, key, KEYS.placement), vector["binding"], 0)
        == vector["secret"]
    )
    assert csrf.check(KEYS, vector["binding"], vector["masked_by_django"])
