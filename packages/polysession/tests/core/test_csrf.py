"""CSRF tokens: bound to the session or to a cookie of their own, in Django's format."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from polysession.core import csrf
from polysession.core.token import Key, KeyRing
from polysession.testing import START, make_keys

KEYS = make_keys()


def test_each_answer_has_another_token_for_one_secret() -> None:
    tokens = {csrf.mint(KEYS, "binding", START) for _ in range(20)}
    assert len(tokens) == 20
    assert all(csrf.check(KEYS, "binding", token) for token in tokens)


@given(st.text(), st.text())
def test_a_token_fits_its_own_binding_only(binding: str, other: str) -> None:
    token = csrf.mint(KEYS, binding or "x", START)
    assert csrf.check(KEYS, other, token) is (other == (binding or "x"))


@given(st.one_of(st.none(), st.text(), st.text("abc", min_size=64, max_size=64)))
def test_anything_else_is_refused(given_text: str | None) -> None:
    assert not csrf.check(KEYS, "binding", given_text)
    assert not csrf.check(KEYS, None, csrf.mint(KEYS, "binding", START))
    assert not csrf.check(KEYS, "", csrf.mint(KEYS, "binding", START))


def test_a_token_of_an_older_key_is_still_good() -> None:
    old, new = Key("A", b"a" * 32), Key("B", b"b" * 32, activate_after=START + 1)
    keys = replace(KEYS, csrf=KeyRing((old, new)))
    before, after = csrf.mint(keys, "binding", START), csrf.mint(keys, "binding", START + 1)
    assert csrf.check(keys, "binding", before)
    assert csrf.check(keys, "binding", after)
    assert not csrf.check(replace(keys, csrf=KeyRing((new,))), "binding", before)


def test_the_letters_of_a_secret_are_all_as_likely() -> None:
    letters = "".join(csrf.secret(KEYS, str(number), START) for number in range(500))
    counts = [letters.count(letter) for letter in csrf.ALPHABET]
    assert min(counts) > 190  # 258 each, 16 a standard deviation
    assert max(counts) < 330


@pytest.mark.parametrize("value", [None, "", "x", "A" * 16, "a" * 31, "a" * 33, "a" * 31 + "-", "é" * 32])
def test_only_a_value_of_its_own_shape_is_a_binding(value: str | None) -> None:
    assert not csrf.is_binding(value)
    assert csrf.is_binding(csrf.new_binding())


# --- through a session


def test_before_a_session_the_token_is_bound_to_a_cookie_of_its_own(bench: Any) -> None:
    token, cookie = bench.manager.open(None).csrf_token(None)
    assert csrf.is_binding(cookie)
    again, unchanged = bench.manager.open(None).csrf_token(cookie)
    assert unchanged is None
    request = bench.manager.open(None)
    assert request.check_csrf(cookie, token)
    assert request.check_csrf(cookie, again)
    assert not request.check_csrf(None, token)
    assert not request.check_csrf(csrf.new_binding(), token)
    assert bench.store.calls == []


def test_a_cookie_of_another_shape_is_replaced(bench: Any) -> None:
    session_id = bench.manager.open(bench.sign_in()).id
    token, cookie = bench.manager.open(None).csrf_token(session_id)
    assert csrf.is_binding(cookie)
    assert not bench.manager.open(None).check_csrf(session_id, token)


def test_in_a_session_the_token_is_bound_to_the_session(bench: Any) -> None:
    session = bench.manager.open(bench.sign_in())
    token, cookie = session.csrf_token("x" * 32)
    assert cookie is None
    assert session.check_csrf(None, token)
    assert not bench.manager.open(bench.sign_in()).check_csrf(None, token)


def test_once_signed_in_only_the_sessions_token_counts(bench: Any) -> None:
    token, cookie = bench.manager.open(None).csrf_token(None)
    session = bench.manager.open(bench.sign_in())
    assert not session.check_csrf(cookie, token)


def test_a_form_from_before_the_first_write_stays_good_until_sign_in(bench: Any) -> None:
    token, cookie = bench.manager.open(None).csrf_token(None)
    anonymous = bench.manager.open(bench.begin())
    assert anonymous.check_csrf(cookie, token)
    assert not anonymous.check_csrf(None, token)


def test_a_token_dies_with_its_session(bench: Any) -> None:
    text = bench.sign_in()
    session = bench.manager.open(text)
    token, _ = session.csrf_token(None)
    session.end()
    assert not session.check_csrf(None, token)
    assert not bench.manager.open(text).check_csrf(None, token)


def test_after_sign_in_the_token_is_the_new_sessions(bench: Any) -> None:
    session = bench.manager.open(bench.begin())
    before, _ = session.csrf_token(None)
    session.sign_in("42", generation=1)
    session.commit()
    after, _ = session.csrf_token(None)
    request = bench.manager.open(session.token)
    assert request.check_csrf(None, after)
    assert not request.check_csrf(None, before)
