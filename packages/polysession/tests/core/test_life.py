"""Timeouts, touches and ends, over the memory store."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from polysession.core.errors import (
    ReadOnly,
    SessionEnded,
    StoreUnavailable,
)

HOUR = 3600


# --- timeouts


def test_a_touch_is_written_when_due_and_only_then(bench: Any) -> None:
    token = bench.begin()
    bench.clock.advance(seconds=24 * HOUR / 20 - 1)
    session = bench.manager.open(token)
    assert session.exists
    session.commit()
    assert bench.store.calls == ["read"]
    bench.clock.advance(seconds=1)
    session = bench.manager.open(token)
    assert session.idle_expires_at == bench.clock.now() + 24 * HOUR * 1000
    session.commit()
    assert session.last_seen_at == bench.clock.now()
    assert bench.store.calls == ["read", "read", "write"]
    assert session.cookie is None


def test_a_passive_request_never_touches(bench: Any) -> None:
    token = bench.begin()
    bench.clock.advance(seconds=12 * HOUR)
    session = bench.manager.open(token, passive=True)
    assert session.idle_expires_at == bench.clock.now() + 12 * HOUR * 1000
    session["a"] = 2
    session.commit()
    bench.clock.advance(seconds=12 * HOUR)
    assert not bench.manager.open(token).exists


def test_polling_does_not_defeat_the_idle_timeout(bench: Any) -> None:
    token = bench.sign_in()
    for _ in range(30):
        bench.clock.advance(seconds=60)
        session = bench.manager.open(token, passive=True)
        session.get("x")
        session.commit()
    assert bench.manager.open(token).end_reason == "idle"


@pytest.mark.parametrize(("seconds", "reason"), [(1800, "idle"), (12 * HOUR, "absolute")])
def test_an_expired_session_is_ended_by_the_read_that_meets_it_once(
    bench: Any, seconds: int, reason: str
) -> None:
    token = bench.sign_in()
    bench.clock.advance(seconds=seconds)
    for _ in range(2):
        session = bench.manager.open(token)
        assert (session.principal, session.end_reason) == (None, reason)
        assert session.stale
        session.commit()
        assert session.cookie is None
    assert bench.events.ended_reasons == [reason]
    assert bench.events.validations == ["ended", "ended"]


def test_an_anonymous_session_whose_cookie_never_came_back_lives_an_hour(bench: Any) -> None:
    session = bench.manager.open(None)
    session["a"] = 1
    session.commit()
    bench.clock.advance(seconds=HOUR - 1)
    back = bench.manager.open(session.token)
    assert back.exists
    back.commit()
    bench.clock.advance(seconds=2 * HOUR)
    assert bench.manager.open(session.token).exists
    session = bench.manager.open(None)
    session["a"] = 1
    session.commit()
    bench.clock.advance(seconds=HOUR)
    assert bench.manager.open(session.token).end_reason == "idle"


def test_an_expired_session_is_gone_even_if_its_end_gets_no_answer(bench: Any) -> None:
    token = bench.sign_in()
    bench.clock.advance(seconds=1800)
    bench.store.away_before = {"end"}
    session = bench.manager.open(token)
    assert (session.principal, session.end_reason) == (None, "idle")
    assert bench.events.ended_reasons == []


# --- ending


def test_an_ended_session_is_refused_at_the_next_request(bench: Any) -> None:
    token = bench.sign_in(cart={"a": 1})
    session = bench.manager.open(token)
    session.end()
    assert (session.principal, session.token, dict(session), session.exists) == (None, None, {}, False)
    assert session.cookie is not None
    assert (session.cookie.value, session.cookie.max_age) == ("", 0)
    session.commit()
    after = bench.manager.open(token)
    assert (after.principal, after.end_reason, dict(after)) == (None, "logout", {})
    assert after.stale
    assert bench.events.ended_reasons == ["logout"]


def test_a_write_under_way_does_not_bring_an_ended_session_back(bench: Any) -> None:
    token = bench.begin(cart={})
    late = bench.manager.open(token)
    late["cart"]["a"] = 1
    bench.manager.open(token).end()
    with pytest.raises(SessionEnded) as raised:
        late.commit()
    assert raised.value.reason == "logout"
    assert dict(late) == {}
    late.commit()
    assert late.cookie is None
    assert bench.manager.count() == 0


def test_a_touch_under_way_does_not_fail_when_the_session_ended(bench: Any) -> None:
    token = bench.begin()
    bench.clock.advance(seconds=2 * HOUR)
    late = bench.manager.open(token)
    assert late.exists
    bench.manager.open(token).end()
    late.commit()
    assert late.end_reason == "logout"


def test_an_end_without_an_answer_leaves_everything_as_it_was(bench: Any) -> None:
    token = bench.sign_in()
    session = bench.manager.open(token)
    bench.store.away_before = {"end"}
    with pytest.raises(StoreUnavailable):
        session.end()
    assert session.principal == "42"
    assert session.cookie is None
    bench.store.away_before = set()
    session.end()
    assert bench.manager.open(token).end_reason == "logout"


def test_an_optional_view_that_saw_an_empty_session_can_end_it_by_the_ledger(bench: Any) -> None:
    class Ledger:
        def end_by_token(self, _context: object, token: Any, _reason: str, *, at: int) -> bool:
            return bool(at) and token.address == session.address

    token = bench.sign_in()
    session = bench.manager.open(token, optional=True)
    bench.store.away_before = {"read", "end"}
    assert session.principal is None
    with pytest.raises(ReadOnly):
        session.end()  # nobody takes it
    session._context = replace(session._context, ledger=Ledger())
    session.end()
    assert session.cookie is not None
    assert (session.cookie.max_age, session.end_confirmed) == (0, False)


def test_a_write_after_the_end_begins_a_new_anonymous_session(bench: Any) -> None:
    token = bench.sign_in(secret="mine")
    session = bench.manager.open(token)
    session.end()
    session["_flashes"] = [("info", "signed out")]
    session.commit()
    assert session.cookie is not None
    assert session.cookie.value == session.token != token
    assert bench.attributes(session.token or "") == {"_flashes": [("info", "signed out")]}


def test_a_write_after_a_stale_cookie_begins_a_new_anonymous_session(bench: Any) -> None:
    token = bench.begin()
    bench.manager.open(token).end()
    session = bench.manager.open(token)
    assert not session.stale  # nobody asked
    assert not session.exists
    assert session.stale
    session["a"] = 2
    session.commit()
    assert session.token != token
    assert session.cookie is not None
    assert not session.stale
