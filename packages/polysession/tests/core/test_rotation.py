"""Rotation by age: nobody who holds one copy of the session is signed out, and who uses an old copy ends it."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from polysession.core.errors import SessionEnded, StoreUnavailable
from polysession.core.record import Record, alter
from polysession.core.rotation import accept, is_offered
from polysession.core.session import Session
from polysession.core.token import parse

HOUR, GRACE = 3600, 30


def answer(bench: Any, token: str, **options: Any) -> tuple[Session, str]:
    """A whole request; and the cookie that the browser has after it."""
    session = bench.manager.open(token, **options)
    _ = session.principal
    session.commit()
    return session, session.cookie.value if session.cookie else token


def grow_old(bench: Any, token: str, seconds: int = HOUR) -> None:
    """Time passes, with activity that keeps the session from idling out."""
    for already in range(0, seconds, 1200):
        bench.clock.advance(seconds=min(seconds - already, 1200))
        bench.store.write(parse(bench.manager.keys, token).address, {}, touch=True)


def rotated(bench: Any) -> tuple[str, str]:
    """A token, and the successor that its browser has used."""
    old = bench.sign_in()
    grow_old(bench, old)
    _, new = answer(bench, old)
    answer(bench, new)
    return old, new


def test_an_hour_old_session_gets_a_new_token_and_stays_the_same_session(bench: Any) -> None:
    old = bench.sign_in(cart=["a"])
    bench.clock.advance(seconds=1200)
    assert answer(bench, old)[1] == old
    grow_old(bench, old, 2400)
    session, new = answer(bench, old)
    assert new != old
    assert bench.manager.open(new).id == session.id
    assert bench.attributes(new) == {"cart": ["a"]}
    assert bench.events.rotations == ["age"]


def test_parallel_requests_get_the_same_successor_and_one_is_drawn(bench: Any) -> None:
    old = bench.sign_in()
    grow_old(bench, old)
    sessions = [bench.manager.open(old) for _ in range(6)]
    assert {one.principal for one in sessions} == {"42"}  # all have read, none has asked for a rotation
    for one in sessions:
        one.commit()
    assert len({one.cookie.value for one in sessions if one.cookie}) == 1
    assert all(one.cookie for one in sessions)
    assert bench.events.rotations == ["age"]


def test_in_every_order_of_overlapping_requests_the_browser_stays_signed_in(make_bench: Any) -> None:
    """Three requests: begun with what the browser has then, answered in any order."""
    for order in sorted(set(permutations("aabbcc"))):
        bench = make_bench()
        jar = bench.sign_in()
        grow_old(bench, jar)
        under_way: dict[str, Session] = {}
        for name in order:
            if name not in under_way:
                under_way[name] = bench.manager.open(jar)
                assert under_way[name].principal == "42", order
                continue
            under_way[name].commit()
            if (cookie := under_way[name].cookie) is not None:
                jar = cookie.value
        for _ in range(2):
            session, jar = answer(bench, jar)
            assert session.principal == "42", order
        assert bench.events.rotations == ["age"]
        assert bench.events.ended_reasons == []


def test_a_lost_answer_costs_nothing_however_late_the_browser_comes_back(bench: Any) -> None:
    old = bench.sign_in()
    grow_old(bench, old)
    _, lost = answer(bench, old)
    grow_old(bench, old, 3 * HOUR)
    session, found = answer(bench, old)
    assert session.principal == "42"
    assert found == lost
    assert bench.events.ended_reasons == []
    assert answer(bench, found)[0].principal == "42"


def test_the_old_token_works_for_its_grace_from_the_first_use_and_then_ends_the_session(bench: Any) -> None:
    old, new = rotated(bench)
    bench.clock.advance(seconds=GRACE, milliseconds=-1)
    session, cookie = answer(bench, old)
    assert (session.principal, cookie) == ("42", old)  # it works; and hands nothing out
    bench.clock.advance(milliseconds=1)
    session, _ = answer(bench, old)
    assert (session.principal, session.exists, session.end_reason) == (None, False, "theft")
    assert session.stale
    session, _ = answer(bench, new)
    assert (session.principal, session.end_reason) == (None, "theft")
    assert bench.events.ended_reasons == ["theft"]


def test_a_token_of_two_rotations_ago_ends_the_session_too(bench: Any) -> None:
    for steps in (1, 2):  # before and after the second successor's first use
        oldest, old = rotated(bench)
        grow_old(bench, old, HOUR + GRACE)
        _, new = answer(bench, old)
        if steps == 2:
            answer(bench, new)
            bench.clock.advance(seconds=GRACE)
        session, _ = answer(bench, oldest)
        assert session.end_reason == "theft"


def test_a_token_of_two_rotations_ago_is_no_alarm_within_a_grace(bench: Any) -> None:
    oldest, old = rotated(bench)
    grow_old(bench, old, HOUR + GRACE)
    _, new = answer(bench, old)
    answer(bench, new)
    session, _ = answer(bench, oldest)
    assert (session.exists, session.stale) == (False, False)
    assert answer(bench, new)[0].principal == "42"


def test_a_theft_that_cannot_be_ended_is_refused_and_ended_at_its_next_use(bench: Any) -> None:
    old, new = rotated(bench)
    bench.clock.advance(seconds=GRACE)
    bench.store.away_before = {"end"}
    session, _ = answer(bench, old)
    assert (session.exists, session.stale) == (False, False)
    bench.store.away_before = set()
    assert answer(bench, old)[0].end_reason == "theft"
    assert not answer(bench, new)[0].exists


def test_a_clock_ahead_of_the_stores_takes_no_grace_for_its_end(bench: Any) -> None:
    old, _ = rotated(bench)
    store, now = bench.store, bench.store.now
    ahead = {"by": 60_000}
    store.now = lambda: now() + ahead["by"]
    write = store.write

    def corrected(*args: Any, **kwargs: Any) -> Any:
        ahead["by"] = 0  # as a script's answer does
        return write(*args, **kwargs)

    store.write = corrected
    assert bench.manager.open(old).principal == "42"
    assert bench.events.ended_reasons == []


@pytest.mark.parametrize("lost", ["offer", "acceptance"])
def test_a_failover_that_loses_a_step_raises_no_alarm(bench: Any, lost: str) -> None:
    old = bench.sign_in()
    grow_old(bench, old)
    address = parse(bench.manager.keys, old).address
    before_offer = bench.store.read(address)
    _, new = answer(bench, old)
    before_acceptance = bench.store.read(address)
    answer(bench, new)
    bench.store._entries[address] = before_offer if lost == "offer" else before_acceptance
    bench.clock.advance(seconds=2 * GRACE)
    session, _ = answer(bench, new)
    if lost == "offer":  # newer than the record: refused, and the cookie stays, until the ledger has said
        assert (session.exists, session.stale, session.end_reason) == (False, False, None)
        assert answer(bench, old)[0].principal == "42"
    else:
        assert session.principal == "42"
    assert bench.events.ended_reasons == []


def test_after_the_ledger_has_repeated_a_lost_rotation_either_token_works(make_bench: Any) -> None:
    for lost, held in ((True, 0), (True, 1), (False, 0), (False, 1)):
        bench = make_bench()
        old = bench.sign_in()
        grow_old(bench, old)
        address = parse(bench.manager.keys, old).address
        before = bench.store.read(address)
        _, new = answer(bench, old)
        offered = bench.store.read(address).header
        if lost:
            bench.store._entries[address] = before
        bench.store.rotate(address, replace(accept(offered, until=0), secret_hash=offered.previous_hash))
        bench.clock.advance(seconds=2 * GRACE)
        assert answer(bench, (old, new)[held])[0].principal == "42"
        assert answer(bench, new)[0].principal == "42"
        assert bench.events.ended_reasons == []


def test_a_privilege_change_has_no_grace_and_passes_over_what_was_offered(bench: Any) -> None:
    old = bench.sign_in()
    grow_old(bench, old)
    _, successor = answer(bench, old)
    session = bench.manager.open(old)
    session.rotate()
    session.commit()
    new = session.token
    for seconds in (0, GRACE):
        bench.clock.advance(seconds=seconds)
        for dead in (old, successor):
            refused, _ = answer(bench, dead)
            assert (refused.exists, refused.stale) == (False, seconds > 0)
    assert answer(bench, new)[0].principal == "42"
    assert bench.events.ended_reasons == []
    assert bench.events.rotations == ["age", "privilege"]


def test_a_privilege_change_at_a_successors_first_use_follows_the_successor(bench: Any) -> None:
    old = bench.sign_in()
    grow_old(bench, old)
    _, successor = answer(bench, old)
    session = bench.manager.open(successor)
    session.rotate()
    session.commit()
    late, _ = answer(bench, successor)
    assert (late.exists, late.stale) == (False, False)
    assert not answer(bench, old)[0].exists
    assert answer(bench, session.token)[0].principal == "42"


def test_a_cookie_is_not_handed_out_for_a_session_that_ended_meanwhile(bench: Any) -> None:
    old = bench.sign_in()
    grow_old(bench, old)
    session = bench.manager.open(old)
    assert session.principal == "42"
    bench.manager.open(old).end()
    session.commit()
    assert session.cookie is None
    other = bench.sign_in()
    grow_old(bench, other)
    session = bench.manager.open(other)
    assert session.principal == "42"
    session.commit()
    assert session.cookie is not None
    bench.manager.open(other).end()
    session["a"] = 1
    with pytest.raises(SessionEnded):
        session.commit()
    assert session.cookie is None


def test_a_passive_request_takes_the_new_cookie_and_is_no_activity(bench: Any) -> None:
    old = bench.sign_in()
    grow_old(bench, old)
    seen = bench.manager.open(old).last_seen_at
    bench.clock.advance(seconds=600)
    _, new = answer(bench, old, passive=True)
    assert new != old
    session, _ = answer(bench, new, passive=True)
    assert session.last_seen_at == seen


def test_no_answer_to_an_offer_or_its_acceptance_fails_no_request(bench: Any) -> None:
    old = bench.sign_in()
    grow_old(bench, old)
    bench.store.offer = _unavailable
    assert answer(bench, old)[1] == old
    del bench.store.offer
    _, new = answer(bench, old)
    bench.store.away_before = {"rotate"}
    assert answer(bench, new)[0].principal == "42"
    assert answer(bench, old)[0].principal == "42"  # not used yet, as far as the store knows
    bench.store.away_before = set()
    answer(bench, new)
    bench.clock.advance(seconds=GRACE)
    assert answer(bench, old)[0].end_reason == "theft"


def test_what_no_replica_has_is_not_handed_out(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    old = bench.sign_in()
    grow_old(bench, old)
    offer = bench.store.offer
    monkeypatch.setattr(bench.store, "offer", lambda *args: replace(offer(*args), confirmed=False))
    assert answer(bench, old)[1] == old
    monkeypatch.undo()
    assert answer(bench, old)[1] != old
    assert bench.events.rotations == ["age"]


def test_anonymous_sessions_and_a_rotation_that_is_off_keep_their_tokens(make_bench: Any) -> None:
    bench, off = make_bench(), make_bench(rotate_after=0)
    anonymous, signed_in = bench.begin(), off.sign_in()
    grow_old(bench, anonymous, 5 * HOUR)
    grow_old(off, signed_in, 5 * HOUR)
    assert answer(bench, anonymous)[1] == anonymous
    assert answer(off, signed_in)[1] == signed_in


def test_a_privilege_change_of_an_earlier_release_over_an_offer_is_no_offer_and_no_grace(bench: Any) -> None:
    """Its script keeps the nonce, and the old secret must not be taken for one that was followed by age."""
    old = bench.sign_in()
    grow_old(bench, old)
    answer(bench, old)
    address = parse(bench.manager.keys, old).address
    record = bench.store.read(address)
    assert is_offered(record.header)
    header = alter(
        record.header,
        secret_hash=b"n" * 16,
        previous_hash=record.header.secret_hash,
        previous_until=bench.store.now() + GRACE * 1000,
        rotation_count=1,
    )
    bench.store._entries[address] = Record(header, record.attributes)
    for seconds in (0, GRACE):
        bench.clock.advance(seconds=seconds)
        assert not answer(bench, old)[0].exists
    assert bench.events.ended_reasons == []


def _unavailable(*_: Any) -> None:
    raise StoreUnavailable("offer", "test")
