"""The token: what it holds, what it refuses, what it never shows."""

from __future__ import annotations

import secrets
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from polysession.core.errors import InvalidSettings, InvalidToken
from polysession.core.record import Address, Kind
from polysession.core.token import (
    ALPHABET,
    PARTITIONS,
    TOKEN_LENGTH,
    Key,
    KeyRing,
    Keys,
    Token,
    hash_secret,
    mint,
    new_secret,
    parse,
    place,
    pseudonym,
)
from polysession.testing import START, make_address, make_keys

KEYS = make_keys()
text = st.text(ALPHABET, min_size=1)


def make_token(keys: Keys = KEYS, kind: Kind = Kind.SIGNED_IN) -> Token:
    secret = new_secret(secrets.token_bytes)
    return mint(keys, START, kind=kind, address=make_address(), rotation_count=3, secret=secret)


@given(
    kind=st.sampled_from(Kind),
    partition=st.integers(0, PARTITIONS - 1),
    session_id=st.text(ALPHABET, min_size=16, max_size=16),
    count=st.integers(0, 4095),
    secret=st.text(ALPHABET, min_size=32, max_size=32),
)
def test_a_minted_token_parses_to_what_it_was_minted_from(
    kind: Kind, partition: int, session_id: str, count: int, secret: str
) -> None:
    address = Address(partition, session_id)
    token = mint(KEYS, START, kind=kind, address=address, rotation_count=count, secret=secret)
    assert len(token.text) == TOKEN_LENGTH
    assert parse(KEYS, token.text) == token


@given(position=st.integers(0, TOKEN_LENGTH - 1), other=st.sampled_from(ALPHABET))
def test_a_token_with_any_other_character_is_refused(position: int, other: str) -> None:
    token = make_token()
    changed = token.text[:position] + other + token.text[position + 1 :]
    if changed == token.text:
        return
    with pytest.raises(InvalidToken):
        parse(KEYS, changed)


@given(st.text())
def test_any_other_text_is_refused(given_text: str) -> None:
    with pytest.raises(InvalidToken):
        parse(KEYS, given_text)


@pytest.mark.parametrize(
    "spoil", [lambda t: t + "A", lambda t: t[:-1], lambda t: t + "\n", lambda t: " " + t]
)
def test_a_token_of_another_length_is_malformed(spoil) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidToken) as refused:
        parse(KEYS, spoil(make_token().text))
    assert refused.value.reason == "malformed"


def test_a_token_of_other_keys_is_forged() -> None:
    with pytest.raises(InvalidToken) as refused:
        parse(make_keys(), make_token().text)
    assert refused.value.reason == "forged"


def test_neither_repr_nor_error_shows_the_token() -> None:
    token = make_token()
    assert token.secret not in repr(token)
    assert token.address.session_id in repr(token)
    with pytest.raises(InvalidToken) as refused:
        parse(make_keys(), token.text)
    assert token.secret not in repr(refused.value)


def test_the_repr_of_the_keys_shows_no_key() -> None:
    shown = repr(KEYS)
    for value in (KEYS.placement, KEYS.mac.keys[0].value, KEYS.pepper.keys[0].value):
        assert repr(value) not in shown


def test_the_newest_key_whose_time_has_come_signs_and_all_verify() -> None:
    old, new = Key("A", b"a" * 32), Key("B", b"b" * 32, activate_after=START + 1000)
    keys = replace(KEYS, mac=KeyRing((old, new)))
    before = mint(keys, START, kind=Kind.ANONYMOUS, address=make_address(), rotation_count=0, secret="x" * 32)
    after = mint(
        keys, START + 1000, kind=Kind.ANONYMOUS, address=make_address(), rotation_count=0, secret="x" * 32
    )
    assert (before.text[1], after.text[1]) == ("A", "B")
    assert parse(keys, before.text) == before
    assert parse(keys, after.text) == after
    with pytest.raises(InvalidToken):
        parse(replace(KEYS, mac=KeyRing((new,))), before.text)


def test_a_ring_in_which_no_key_signs_yet_says_so() -> None:
    with pytest.raises(InvalidSettings):
        KeyRing((Key("A", b"a" * 32, activate_after=START + 1),)).signing(START)


def test_a_secret_is_hashed_with_the_pepper_that_the_record_names() -> None:
    keys = replace(KEYS, pepper=KeyRing((Key("A", b"a" * 32), Key("B", b"b" * 32))))
    assert len(hash_secret(keys, "secret", "A")) == 16
    assert hash_secret(keys, "secret", "A") != hash_secret(keys, "secret", "B")
    with pytest.raises(InvalidToken):
        hash_secret(keys, "secret", "C")


@given(st.text())
def test_a_principal_has_one_place_for_life_and_another_name_in_traces(principal: str) -> None:
    partition, principal_key = place(KEYS, principal)
    assert place(KEYS, principal) == (partition, principal_key)
    assert 0 <= partition < PARTITIONS
    assert len(principal_key) == 22
    assert len(pseudonym(KEYS, principal)) == 22
    assert pseudonym(KEYS, principal) != principal_key


def test_the_place_depends_on_the_placement_key_only() -> None:
    other = replace(make_keys(), placement=KEYS.placement)
    assert place(other, "42") == place(KEYS, "42")
    assert place(make_keys(), "42") != place(KEYS, "42")


def test_principals_spread_over_all_partitions() -> None:
    counts = [0] * 16
    for number in range(8000):
        counts[place(KEYS, str(number))[0] // 256] += 1
    assert all(350 < count < 650 for count in counts)  # 500 each, 22 a standard deviation
