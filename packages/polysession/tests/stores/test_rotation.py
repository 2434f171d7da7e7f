"""Rotation by age on a real cluster."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from polysession.core.manager import SessionManager
from polysession.core.settings import SessionSettings
from polysession.core.token import parse
from polysession.stores.redis import RedisStore
from polysession.testing import RecordedEvents, make_keys

SETTINGS = SessionSettings(rotate_after=1, rotation_grace=2)


def sign_in(manager: SessionManager) -> str:
    session = manager.open(None)
    session.sign_in("42", generation=0)
    session.commit()
    assert session.token is not None
    return session.token


def answer(manager: SessionManager, token: str) -> tuple[str | None, str]:
    """Who a whole request is of, and the cookie that the browser has after it."""
    session = manager.open(token)
    principal = session.principal
    session.commit()
    return principal, session.cookie.value if session.cookie else token


def test_fifty_requests_at_the_due_moment_end_with_one_cookie_and_nobody_signed_out(
    shared_store: RedisStore,
) -> None:
    events = RecordedEvents()
    manager = SessionManager(shared_store, make_keys(), settings=SETTINGS, events=events)
    old = sign_in(manager)
    time.sleep(1.1)
    together = Barrier(50)

    def request(token: str) -> tuple[str | None, str]:
        together.wait()
        return answer(manager, token)

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(request, [old] * 50))
        assert {principal for principal, _ in answers} == {"42"}
        cookies = {cookie for _, cookie in answers}
        assert len(cookies) == 1
        new = cookies.pop()
        assert new != old
        # The successor's first use, again at once, with requests that still carry the old token.
        answers = list(pool.map(request, [old, new] * 25))
    assert {principal for principal, _ in answers} == {"42"}
    assert {cookie for _, cookie in answers} <= {old, new}
    assert (events.rotations, events.ended_reasons) == (["age"], [])


def test_a_copy_used_after_the_grace_ends_the_session_for_both(shared_store: RedisStore) -> None:
    events = RecordedEvents()
    manager = SessionManager(shared_store, make_keys(), settings=SETTINGS, events=events)
    copy = sign_in(manager)
    time.sleep(1.1)
    _, new = answer(manager, copy)
    assert answer(manager, new)[0] == "42"
    assert answer(manager, copy)[0] == "42"
    time.sleep(2.1)
    assert manager.open(copy).end_reason == "theft"
    session = manager.open(new)
    assert (session.principal, session.end_reason) == (None, "theft")
    assert events.ended_reasons == ["theft"]


def test_a_successor_is_handed_out_only_once_a_replica_has_it(own_store: RedisStore, damageable: Any) -> None:
    manager = SessionManager(own_store, make_keys(), settings=SETTINGS)
    old = sign_in(manager)
    partition = parse(manager.keys, old).address.partition
    damageable.pause(damageable.replica(partition))
    time.sleep(1.1)
    assert answer(manager, old) == ("42", old)
    lasted = []
    for _ in range(4):
        started = time.monotonic()
        assert answer(manager, old) == ("42", old)
        lasted.append(time.monotonic() - started)
    assert min(lasted) < 0.1  # nor does each request wait for a replica that is away
    damageable.heal()
    time.sleep(1)  # so long nobody asks again
    assert answer(manager, old)[1] != old
