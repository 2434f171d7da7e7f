"""When a session expires and when a touch is due."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from polysession.core.record import Header
from polysession.core.timeouts import expires_at, expiry, touch_due, touched
from polysession.testing import HOUR, START, make_principal, make_record


def header(**fields: Any) -> Header:
    return make_record(START, **fields).header


def test_a_session_idles_out_at_its_idle_timeout_and_not_before() -> None:
    assert expiry(header(idle=HOUR), START + HOUR - 1, unreturned=HOUR) is None
    assert expiry(header(idle=HOUR), START + HOUR, unreturned=HOUR) == "idle"


def test_activity_cannot_extend_the_absolute_timeout() -> None:
    seen_just_now = header(last_seen_at=START + 12 * HOUR - 1, absolute_at=START + 12 * HOUR)
    assert expiry(seen_just_now, START + 12 * HOUR - 1, unreturned=HOUR) is None
    assert expiry(seen_just_now, START + 12 * HOUR, unreturned=HOUR) == "absolute"


def test_an_anonymous_session_whose_cookie_never_came_back_lives_an_hour() -> None:
    unreturned = header(idle=24 * HOUR, absolute_at=START + 168 * HOUR, returned=False)
    assert expires_at(unreturned, unreturned=HOUR) == START + HOUR
    assert expires_at(touched(unreturned, START + 60_000), unreturned=HOUR) == START + 60_000 + 24 * HOUR


def test_a_signed_in_session_does_not_wait_for_its_cookie() -> None:
    signed_in = header(
        idle=24 * HOUR, absolute_at=START + 168 * HOUR, returned=False, principal_key=make_principal()
    )
    assert expires_at(signed_in, unreturned=HOUR) == START + 24 * HOUR


@pytest.mark.parametrize(("age", "due"), [(0, False), (HOUR // 20 - 1, False), (HOUR // 20, True)])
def test_a_touch_is_due_after_a_twentieth_of_the_idle_timeout(age: int, due: bool) -> None:
    assert touch_due(header(idle=HOUR), START + age, fraction=20) is due


def test_the_first_return_is_a_due_touch_whatever_its_age() -> None:
    assert touch_due(header(returned=False), START, fraction=20)
    assert not touch_due(touched(header(returned=False), START), START, fraction=20)
    assert not touch_due(header(returned=False, principal_key=make_principal()), START, fraction=20)


@given(st.integers(0, 2**50), st.integers(0, 2**50))
def test_last_seen_never_goes_back(seen: int, now: int) -> None:
    assert touched(header(last_seen_at=seen), now).last_seen_at == max(seen, now)
