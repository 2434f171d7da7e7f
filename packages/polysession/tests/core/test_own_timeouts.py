"""Timeouts that an app asks for ("remember me"), and a principal who proves again who it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from polysession.core.errors import Conflict, SessionEnded, StoreUnavailable
from polysession.core.record import Kind, Timeouts
from polysession.core.rotation import is_offered
from polysession.core.settings import InvalidSettings, SessionSettings
from polysession.core.timeouts import Wish, grant

DAY = 24 * 3600


def signed_in(bench: Any, *, before: bool, **wish: Any) -> Any:
    session = bench.manager.open(None)
    if before:
        session.set_timeouts(**wish)
    session.sign_in("42", generation=1)
    if not before:
        session.set_timeouts(**wish)
    session.commit()
    return session


@pytest.mark.parametrize("before", [True, False])
def test_a_sign_in_of_the_same_request_has_the_timeouts_and_the_cookie_as_long(
    bench: Any, before: bool
) -> None:
    session = signed_in(bench, before=before, idle=14 * DAY, keep=True)
    now = bench.clock.now()
    assert session.idle_expires_at == now + 14 * DAY * 1000
    assert session.absolute_expires_at == now + 30 * DAY * 1000
    assert session.cookie.max_age == 30 * DAY
    bench.clock.advance(seconds=14 * DAY - 1)
    assert bench.manager.open(session.token).principal == "42"
    bench.clock.advance(seconds=1)
    assert bench.manager.open(session.token).end_reason == "idle"


def test_nothing_is_granted_beyond_the_settings(bench: Any, make_bench: Any) -> None:
    session = bench.manager.open(None)
    session.set_timeouts(idle=30 * DAY)
    for beyond in ({"idle": 30 * DAY + 1}, {"absolute": 30 * DAY + 0.001}):
        with pytest.raises(ValueError, match=r"SessionSettings\.remember"):
            session.set_timeouts(**beyond)
    for past in ({"idle": 0}, {"idle": -1}, {"absolute": -0.001}):
        with pytest.raises(ValueError, match="more than 0"):
            session.set_timeouts(**past)
    strict = make_bench(remember=0).manager.open(None)
    strict.set_timeouts(idle=12 * 3600)
    with pytest.raises(ValueError, match="43200 seconds"):
        strict.set_timeouts(idle=12 * 3600 + 1)
    with pytest.raises(InvalidSettings, match="remember"):
        SessionSettings(remember=-1)


def test_asking_again_and_again_does_not_move_the_end_beyond_the_most(bench: Any) -> None:
    session = signed_in(bench, before=False, idle=20 * DAY, absolute=20 * DAY)
    began, token = bench.clock.now(), session.token
    for days in (15, 14):
        bench.clock.advance(seconds=days * DAY)
        session = bench.manager.open(token)
        session.set_timeouts(idle=20 * DAY, absolute=20 * DAY)
        session.commit()
    assert session.absolute_expires_at == began + 30 * DAY * 1000


def test_what_is_not_asked_for_is_as_the_settings_say() -> None:
    settings = SessionSettings()
    assert grant(Wish(), settings, Kind.SIGNED_IN, began=0) == Timeouts(1800_000, 12 * 3600_000)
    assert grant(Wish(), settings, Kind.ANONYMOUS, began=0) == Timeouts(DAY * 1000, 7 * DAY * 1000)
    assert grant(Wish(idle=60), settings, Kind.SIGNED_IN, began=0) == Timeouts(60_000, 12 * 3600_000)
    assert grant(Wish(until=5), settings, Kind.SIGNED_IN, began=0) == Timeouts(1800_000, 5)


def test_a_live_session_gets_other_timeouts_by_one_operation_and_no_cookie(
    bench: Any,
) -> None:
    token = bench.sign_in()
    bench.clock.advance(seconds=60)
    session = bench.manager.open(token)
    session.set_timeouts(idle=7 * DAY, keep=True)
    assert session.modified
    assert session.keeps_cookie
    session.commit()
    assert session.cookie is None  # a late answer would put this token over another request's
    assert session.idle_expires_at == bench.clock.now() + 7 * DAY * 1000
    again = bench.manager.open(token)
    again.set_timeouts(idle=7 * DAY, keep=True)
    assert not again.modified
    again.commit()
    assert again.cookie is None
    back = bench.manager.open(token)
    back.set_timeouts()
    back.commit()
    assert back.timeouts == Timeouts(1800_000, bench.clock.now() - 60_000 + 12 * 3600_000)


def test_after_a_sign_in_of_the_same_request_its_cookie_is_the_one_that_lasts(bench: Any) -> None:
    session = signed_in(bench, before=False)
    token = session.cookie.value
    session.set_timeouts(keep=True)
    session.commit()
    assert (session.cookie.value, session.cookie.max_age) == (token, 12 * 3600)


def test_a_shorter_idle_timeout_counts_from_now(bench: Any) -> None:
    token = bench.sign_in()
    bench.clock.advance(seconds=80)  # no touch is due yet
    session = bench.manager.open(token)
    session.set_timeouts(idle=60)
    session.commit()
    bench.clock.advance(seconds=59)
    assert bench.manager.open(token).principal == "42"


def test_the_cookie_of_an_anonymous_session_that_exists_stays_as_it_was_set(bench: Any) -> None:
    """A late answer with it would overwrite that of a sign-in."""
    token = bench.begin()
    session = bench.manager.open(token)
    session.set_timeouts(idle=3600, keep=False)
    session.commit()
    assert session.cookie is None
    assert session.keeps_cookie
    assert session.timeouts.idle == 3600_000


def test_its_cookie_gets_the_lifetime_by_the_next_rotation(bench: Any) -> None:
    token = bench.sign_in()
    session = bench.manager.open(token)
    session.set_timeouts(idle=7 * DAY, keep=True)
    session.commit()
    bench.clock.advance(seconds=3600)
    by_age = bench.manager.open(token)
    assert by_age.exists
    by_age.commit()
    assert by_age.cookie.value not in (token, "")
    assert by_age.cookie.max_age == 30 * DAY - 3600
    at_once = bench.manager.open(token)
    at_once.rotate()
    at_once.commit()
    assert at_once.cookie.max_age == 30 * DAY - 3600


def test_a_rotation_of_the_same_commit_brings_it_at_once(bench: Any) -> None:
    session = bench.manager.open(bench.sign_in())
    session.set_timeouts(idle=7 * DAY, keep=True)
    session.rotate()
    session.commit()
    assert session.cookie.max_age == 30 * DAY


def test_the_ledger_hears_of_it_before_the_store(bench: Any) -> None:
    heard: list[Any] = []

    class Ledger:
        def retime(self, address: Any, timeouts: Timeouts, *, principal: str) -> None:
            heard.append((address.session_id, timeouts.idle, principal, "retime" in bench.store.calls))

    token = bench.sign_in()
    session = bench.manager.open(token)
    session._context = replace(session._context, ledger=Ledger())
    session.set_timeouts(idle=DAY)
    session.commit()
    assert heard == [(session.id, DAY * 1000, "42", False)]


def test_a_store_that_is_away_says_so_and_a_second_commit_sets_them(bench: Any) -> None:
    token = bench.sign_in()
    session = bench.manager.open(token)
    session.set_timeouts(idle=DAY, keep=True)
    bench.store.away_after = {"retime"}
    with pytest.raises(StoreUnavailable):
        session.commit()
    bench.store.away_after = set()
    session.commit()
    assert bench.manager.open(token).timeouts.idle == DAY * 1000


def test_of_a_session_that_has_ended_meanwhile_nothing_is_set(bench: Any) -> None:
    token = bench.sign_in()
    session = bench.manager.open(token)
    session.set_timeouts(idle=DAY)
    bench.manager.open(token).end()
    with pytest.raises(SessionEnded):
        session.commit()
    assert bench.manager.open(token).end_reason == "logout"


# --- re-authentication


def test_a_principal_who_proves_who_it_is_gets_another_secret_at_once(bench: Any) -> None:
    token = bench.sign_in(theme="dark")
    bench.clock.advance(seconds=1200)
    session = bench.manager.open(token)
    before = session.authenticated_at
    session.reauthenticate()
    session.commit()
    assert session.authenticated_at == bench.clock.now() == before + 1200_000
    assert session.token != token
    found = bench.manager.open(session.token)
    assert (found.id, found.principal, found["theme"]) == (session.id, "42", "dark")
    assert found.authenticated_at == bench.clock.now()
    old = bench.manager.open(token)
    assert (old.principal, old.end_reason) == (None, None)


def test_nobody_who_is_not_signed_in_is_re_authenticated(bench: Any) -> None:
    for token in (None, bench.begin()):
        with pytest.raises(ValueError, match="sign_in"):
            bench.manager.open(token).reauthenticate()


def test_where_another_request_changed_the_secret_it_is_said_and_not_dropped(bench: Any) -> None:
    token = bench.sign_in()
    mine, other = bench.manager.open(token), bench.manager.open(token)
    mine.reauthenticate()
    other.rotate()
    other.commit()
    with pytest.raises(Conflict):
        mine.commit()
    assert bench.manager.open(other.token).authenticated_at == mine.created_at


def test_an_offer_under_way_is_passed_over_by_a_re_authentication(bench: Any) -> None:
    token = bench.sign_in()
    bench.clock.advance(seconds=1700)
    early = bench.manager.open(token)
    assert early.exists
    early.commit()
    bench.clock.advance(seconds=1700)
    early = bench.manager.open(token)
    assert early.exists
    early.commit()
    bench.clock.advance(seconds=201)
    session = bench.manager.open(token)
    assert session.exists
    session.commit()
    assert session.cookie is not None
    proving = bench.manager.open(token)
    proving.reauthenticate()
    proving.commit()
    found = bench.manager.open(proving.token)
    assert found.authenticated_at == bench.clock.now()
    assert not is_offered(found._state.header)
