"""What an app sees of a session, over the memory store."""

from __future__ import annotations

from typing import Any

import pytest
from polysession.core.errors import (
    ReadOnly,
    StoreUnavailable,
)
from polysession.core.record import Device, Kind
from polysession.core.token import mint, parse

# --- creation


def test_a_request_that_writes_nothing_creates_nothing(bench: Any) -> None:
    session = bench.manager.open(None)
    assert (session.get("cart"), session.principal, session.exists, len(session)) == (None, None, False, 0)
    session.csrf_token(None)
    session.commit()
    assert session.cookie is None
    assert bench.store.calls == []
    assert bench.manager.count() == 0


def test_the_first_write_creates_a_session_and_sets_the_cookie(bench: Any) -> None:
    session = bench.manager.open(None)
    session["cart"] = {"sku": 1}
    assert session.id is None
    session.commit()
    cookie = session.cookie
    assert cookie is not None
    assert (cookie.name, cookie.value, cookie.secure) == ("__Host-session", session.token, True)
    assert session.id == parse(bench.manager.keys, cookie.value).address.session_id
    assert session.kind is Kind.ANONYMOUS
    assert bench.attributes(cookie.value) == {"cart": {"sku": 1}}
    assert bench.events.created_kinds == [Kind.ANONYMOUS]


def test_a_token_without_use_asks_nothing(bench: Any) -> None:
    token = bench.begin()
    session = bench.manager.open(token)
    assert session.id is not None
    assert session.token == token
    session.commit()
    assert not session.accessed
    assert bench.store.calls == []


def test_a_session_is_read_once_and_not_written_when_nothing_changed(bench: Any) -> None:
    session = bench.manager.open(bench.begin(cart={"a": [1]}))
    assert session["cart"] == {"a": [1]}
    assert session.accessed
    assert not session.modified
    session.commit()
    assert session.cookie is None
    assert bench.store.calls == ["read"]


def test_a_repeated_creation_after_no_answer_creates_once(bench: Any) -> None:
    session = bench.manager.open(None)
    session["a"] = 1
    bench.store.away_after = {"create"}
    with pytest.raises(StoreUnavailable):
        session.commit()
    assert session.cookie is None
    bench.store.away_after = set()
    session["b"] = 2  # since the try that took effect
    session.commit()
    assert session.token is not None
    assert bench.attributes(session.token) == {"a": 1, "b": 2}
    assert bench.manager.count() == 1
    assert bench.events.created_kinds == [Kind.ANONYMOUS]


def test_a_session_keeps_the_device_of_the_request_that_created_it(bench: Any) -> None:
    device = Device(user_agent="Firefox", address="192.0.2.1")
    session = bench.manager.open(None, device=device)
    session.sign_in("42", generation=1)
    session.commit()
    assert bench.manager.sessions("42")[0].device == device


# --- tokens that open nothing


def test_a_forged_token_opens_nothing_and_costs_no_call(bench: Any) -> None:
    token = bench.begin()
    forged = token[:-1] + ("A" if token[-1] != "A" else "B")
    for text in (forged, "x", "é" * 70):
        session = bench.manager.open(text)
        assert session.stale
        assert (session.id, session.exists, dict(session)) == (None, False, {})
    assert bench.store.calls == []
    assert bench.events.validations[-3:] == ["invalid"] * 3


def test_a_token_with_a_wrong_secret_opens_nothing(bench: Any) -> None:
    keys, token = bench.manager.keys, parse(bench.manager.keys, bench.begin())
    wrong = mint(keys, 0, kind=token.kind, address=token.address, rotation_count=0, secret="A" * 32)
    session = bench.manager.open(wrong.text)
    assert (session.exists, dict(session)) == (False, {})
    assert session.stale
    assert bench.events.validations[-1] == "absent"


def test_a_count_ahead_of_the_record_opens_nothing_and_leaves_the_cookie(bench: Any) -> None:
    keys, token = bench.manager.keys, parse(bench.manager.keys, bench.begin())
    ahead = mint(keys, 0, kind=token.kind, address=token.address, rotation_count=1, secret="A" * 32)
    session = bench.manager.open(ahead.text)
    assert not session.exists
    assert not session.stale


# --- an unknown store


def test_no_answer_is_not_no_session(bench: Any) -> None:
    token = bench.sign_in()
    bench.store.away_before = {"read"}
    session = bench.manager.open(token)
    for use in (
        lambda: session.principal,
        lambda: session["a"],
        lambda: session.exists,
        lambda: session.end(),
        lambda: session.check_csrf(None, "x"),
    ):
        with pytest.raises(StoreUnavailable):
            use()
    session.commit()
    assert session.cookie is None
    assert not session.stale
    assert set(bench.events.validations) == {"unknown"}


def test_an_optional_view_sees_an_empty_read_only_session(bench: Any) -> None:
    token = bench.sign_in(cart={"a": 1})
    bench.store.away_before = {"read"}
    session = bench.manager.open(token, optional=True)
    assert (session.principal, dict(session), session.read_only) == (None, {}, True)
    for write in (
        lambda: session.__setitem__("a", 1),
        lambda: session.sign_in("42", generation=1),
        lambda: session.rotate(),
        lambda: session.end(),
    ):
        with pytest.raises(ReadOnly):
            write()
    session.commit()
    assert session.cookie is None
    assert not session.stale


def test_a_touch_that_gets_no_answer_fails_no_request(bench: Any) -> None:
    token = bench.begin()
    bench.clock.advance(seconds=2 * 3600)
    bench.store.away_before = {"write"}
    session = bench.manager.open(token)
    assert session["a"] == 1
    session.commit()
    session["a"] = 2
    with pytest.raises(StoreUnavailable):
        session.commit()


def test_the_repr_shows_neither_token_nor_values(bench: Any) -> None:
    token = bench.begin(secret="value")
    session = bench.manager.open(token)
    assert session["secret"] == "value"
    assert "value" not in repr(session)
    assert token not in repr(session)
    assert session.id is not None
    assert session.id in repr(session)
