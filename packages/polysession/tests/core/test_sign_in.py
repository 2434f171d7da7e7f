"""Sign-in, rotation, and a principal's sessions: what is refused afterwards, and what is never lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from polysession.core.errors import Conflict, GenerationOutdated, SessionEnded, StoreUnavailable
from polysession.core.record import Kind
from polysession.core.token import parse, place


def test_a_sign_in_is_a_new_session_with_the_old_attributes(bench: Any) -> None:
    token = bench.begin(cart={"a": 1})
    session = bench.manager.open(token)
    old_id = session.id
    session["welcome"] = True
    session.sign_in("42", generation=1)
    assert session.principal == "42"
    session.commit()
    assert session.kind is Kind.SIGNED_IN
    assert session.id != old_id
    new, old = parse(bench.manager.keys, session.token), parse(bench.manager.keys, token)
    assert new.secret != old.secret
    assert new.address.partition == place(bench.manager.keys, "42")[0]
    assert session.cookie.value == session.token
    assert session.cookie.max_age is None
    after = bench.manager.open(session.token)
    assert (after.principal, dict(after)) == ("42", {"cart": {"a": 1}, "welcome": True})
    assert after.authenticated_at == bench.clock.now()
    assert bench.events.created_kinds == [Kind.ANONYMOUS, Kind.SIGNED_IN]
    assert bench.events.ended_reasons == ["rotated-away"]


def test_a_sign_in_without_a_session_before_it_creates_one(bench: Any) -> None:
    session = bench.manager.open(None)
    session.sign_in("42", generation=0)
    session.commit()
    assert bench.manager.open(session.token).principal == "42"
    assert bench.store.calls == ["create", "read"]


def test_a_token_planted_before_sign_in_never_reaches_what_follows_it(bench: Any) -> None:
    planted = bench.begin(cart={})
    victim = bench.manager.open(planted)
    victim.sign_in("42", generation=1)
    victim.commit()
    attacker = bench.manager.open(planted)
    assert (attacker.principal, attacker.end_reason, dict(attacker)) == (None, "rotated-away", {})
    attacker["x"] = 1
    with pytest.raises(SessionEnded):
        attacker.commit()
    assert "x" not in bench.attributes(victim.token)


def test_a_late_answer_to_the_old_token_leaves_the_new_cookie_alone(bench: Any) -> None:
    token = bench.begin(cart={})
    session = bench.manager.open(token)
    session.sign_in("42", generation=1)
    session.commit()
    late = bench.manager.open(token)
    assert not late.exists
    assert not late.stale
    late["cart"] = {"b": 1}
    with pytest.raises(SessionEnded) as raised:
        late.commit()
    assert raised.value.reason == "rotated-away"
    late.end()
    late.commit()
    assert late.cookie is None


def test_a_browser_that_never_got_its_new_cookie_can_go_on(bench: Any) -> None:
    token = bench.begin()
    session = bench.manager.open(token)
    session.sign_in("42", generation=1)
    session.commit()
    again = bench.manager.open(token)
    again.sign_in("42", generation=1)
    again.commit()
    assert bench.manager.open(again.token).principal == "42"
    bench.clock.advance(seconds=31)
    later = bench.manager.open(token)
    assert later.end_reason == "rotated-away"
    assert later.stale
    later["a"] = 2
    later.commit()
    assert later.cookie is not None


def test_what_another_tab_wrote_during_sign_in_comes_along(bench: Any) -> None:
    token = bench.begin(cart={"a": 1}, gone=1, theme="light")
    session = bench.manager.open(token)
    session["cart"]["b"] = 2
    session.update("visits", lambda n: n + 1, default=0)
    session.sign_in("42", generation=1)
    tab = bench.manager.open(token)
    tab["cart"]["c"] = 3
    tab["theme"] = "dark"
    tab["visits"] = 10
    del tab["gone"]
    tab.commit()
    session.commit()
    expected = {"cart": {"a": 1, "b": 2, "c": 3}, "theme": "dark", "visits": 11}
    assert bench.attributes(session.token) == expected == dict(session)
    assert bench.manager.open(token).end_reason == "rotated-away"
    assert sorted(bench.events.conflicts) == ["merged", "merged"]  # cart and visits; theme was no conflict


def test_a_tab_that_writes_again_and_again_is_followed_until_the_deadline(bench: Any) -> None:
    token = bench.begin(n=0)
    session = bench.manager.open(token)
    session.sign_in("42", generation=1)
    end, writes = bench.store.end, []

    def overtaken(*args: Any, **kwargs: Any) -> Any:
        tab = bench.manager.open(token)
        tab.update("n", lambda n: n + 1)
        tab.commit()
        writes.append(tab["n"])
        bench.clock.advance(milliseconds=400)
        return end(*args, **kwargs)

    bench.store.end = overtaken
    with pytest.raises(Conflict):
        session.commit()
    assert session.cookie is None
    bench.store.end = end
    session.commit()
    assert len(writes) > 1
    assert bench.attributes(session.token) == {"n": len(writes)}
    assert bench.manager.open(token).end_reason == "rotated-away"
    assert bench.events.created_kinds.count(Kind.SIGNED_IN) == 1


@pytest.mark.parametrize("operation", ["create", "end"])
@pytest.mark.parametrize("away", ["away_before", "away_after"])
def test_a_sign_in_repeated_after_no_answer_is_one_sign_in(bench: Any, operation: str, away: str) -> None:
    token = bench.begin(cart={"a": 1})
    session = bench.manager.open(token)
    session.sign_in("42", generation=1)
    setattr(bench.store, away, {operation})
    with pytest.raises(StoreUnavailable):
        session.commit()
    assert session.cookie is None
    assert session.token == token
    setattr(bench.store, away, set())
    session.commit()
    assert len(bench.manager.sessions("42")) == 1
    assert bench.attributes(session.token) == {"cart": {"a": 1}}
    assert bench.manager.open(token).end_reason == "rotated-away"


def test_death_between_the_two_steps_leaves_the_browser_its_cart(bench: Any) -> None:
    token = bench.begin(cart={"a": 1})
    session = bench.manager.open(token)
    session.sign_in("42", generation=1)
    bench.store.away_before = {"end"}
    with pytest.raises(StoreUnavailable):
        session.commit()
    assert bench.attributes(token) == {"cart": {"a": 1}}


def test_signing_in_again_as_the_same_principal_keeps_the_attributes(bench: Any) -> None:
    token = bench.sign_in("42", cart={"a": 1})
    session = bench.manager.open(token)
    session.sign_in("42", generation=1)
    session.commit()
    assert bench.attributes(session.token) == {"cart": {"a": 1}}
    assert [info.id for info in bench.manager.sessions("42")] == [session.id]


def test_signing_in_as_another_principal_leaves_the_attributes_behind(bench: Any) -> None:
    token = bench.sign_in("42", private="of 42")
    session = bench.manager.open(token)
    session.sign_in("43", generation=1)
    assert dict(session) == {}
    session["mine"] = 1
    session.commit()
    assert bench.attributes(session.token) == {"mine": 1}
    assert bench.manager.sessions("42") == ()
    assert bench.manager.open(token).principal is None


def test_only_the_last_of_two_sign_ins_in_one_request_counts(bench: Any) -> None:
    token = bench.begin(cart={"a": 1})
    session = bench.manager.open(token)
    session.sign_in("42", generation=1)
    session["private"] = "of 42"
    session.sign_in("43", generation=1)
    session.commit()
    assert bench.attributes(session.token) == {}
    assert (bench.manager.sessions("42"), len(bench.manager.sessions("43"))) == ((), 1)
    assert bench.manager.open(token).end_reason == "rotated-away"


def test_a_sign_in_under_way_while_all_sessions_end_is_refused(bench: Any) -> None:
    said: list[str] = []
    bench.manager._shared = replace(bench.manager.context, warn=said.append)
    session = bench.manager.open(bench.begin())
    session.sign_in("42", generation=1)
    bench.manager.end_principal("42", generation=2)
    with pytest.raises(GenerationOutdated) as raised:
        session.commit()
    assert (raised.value.given, raised.value.current) == (1, 2)
    assert said == ["sign-in refused: its generation 1 is older than 2"]
    assert session.principal is None
    assert session.exists
    session.sign_in("42", generation=2)
    session.commit()
    assert bench.manager.open(session.token).principal == "42"


@pytest.mark.parametrize(("principal", "generation"), [("", 1), ("42", -1), ("42", 2**32)])
def test_a_sign_in_needs_a_principal_and_a_generation(bench: Any, principal: str, generation: int) -> None:
    with pytest.raises(ValueError, match="must"):
        bench.manager.open(None).sign_in(principal, generation=generation)


# --- rotation on privilege change


def test_a_rotated_session_is_the_same_session_with_another_secret(bench: Any) -> None:
    token = bench.sign_in(a=1)
    session = bench.manager.open(token)
    session.rotate()
    session["b"] = 2
    session.commit()
    assert session.cookie.value == session.token != token
    after = bench.manager.open(session.token)
    assert (after.id, after.principal) == (bench.manager.open(token).id, "42")
    assert dict(after) == {"a": 1, "b": 2}


def test_the_secret_before_a_rotation_is_refused_at_once_without_alarm(bench: Any) -> None:
    token = bench.sign_in(a=1)
    session = bench.manager.open(token)
    session.rotate()
    session.commit()
    old = bench.manager.open(token)
    assert (old.principal, dict(old), old.end_reason) == (None, {}, None)
    assert not old.stale
    old["x"] = 1
    with pytest.raises(SessionEnded):
        old.commit()
    assert old.cookie is None
    assert bench.manager.open(session.token).principal == "42"
    assert bench.events.ended_reasons == []
    bench.clock.advance(seconds=31)
    old = bench.manager.open(token)
    assert not old.exists
    assert old.stale


@pytest.mark.parametrize("away", ["away_before", "away_after"])
def test_a_rotation_repeated_after_no_answer_gives_the_secret_that_counts(bench: Any, away: str) -> None:
    session = bench.manager.open(bench.sign_in())
    session.rotate()
    setattr(bench.store, away, {"rotate"})
    with pytest.raises(StoreUnavailable):
        session.commit()
    assert session.cookie is None
    setattr(bench.store, away, set())
    session.commit()
    assert bench.manager.open(session.token).principal == "42"
    assert parse(bench.manager.keys, session.token).rotation_count == 2


def test_of_two_rotations_at_once_one_cookie_goes_out(bench: Any) -> None:
    token = bench.sign_in()
    one, other = bench.manager.open(token), bench.manager.open(token)
    for session in (one, other):
        session.rotate()
        session.commit()
    assert one.cookie is not None
    assert other.cookie is None
    assert bench.manager.open(one.token).exists


def test_a_session_that_ended_meanwhile_is_not_rotated(bench: Any) -> None:
    token = bench.sign_in()
    session = bench.manager.open(token)
    session.rotate()
    bench.manager.open(token).end()
    with pytest.raises(SessionEnded):
        session.commit()
    assert session.cookie is None


def test_without_a_session_there_is_nothing_to_rotate(bench: Any) -> None:
    session = bench.manager.open(None)
    session.rotate()
    session.commit()
    assert session.cookie is None
    assert bench.store.calls == []


# --- a principal's sessions


def test_a_principals_sessions_are_listed_with_the_most_recently_seen_first(bench: Any) -> None:
    first = bench.manager.open(bench.sign_in())
    bench.clock.advance(seconds=60)
    second = bench.manager.open(bench.sign_in())
    bench.sign_in("43")
    assert [info.id for info in bench.manager.sessions("42")] == [second.id, first.id]
    bench.clock.advance(seconds=60)
    first = bench.manager.open(first.token)
    first["a"] = 1
    bench.clock.advance(seconds=60)
    first.commit()
    assert [info.id for info in bench.manager.sessions("42")] == [first.id, second.id]


def test_a_device_is_signed_out_from_another(bench: Any) -> None:
    here, there = bench.sign_in(), bench.sign_in()
    gone = bench.manager.open(there).id
    assert bench.manager.end_session("42", gone)
    assert not bench.manager.end_session("42", gone)
    assert bench.manager.open(there).end_reason == "revoked"
    assert bench.manager.open(here).principal == "42"
    assert bench.events.ended_reasons == ["revoked"]


def test_nobody_ends_anothers_session_by_its_id(bench: Any) -> None:
    token = bench.sign_in("42")
    session_id = bench.manager.open(token).id
    for guess in (session_id, "x", "", "A" * 16, "{0001}:s:x"):
        assert not bench.manager.end_session("43", guess)
    assert bench.manager.open(token).principal == "42"


def test_ending_all_others_keeps_this_one_and_outdates_sign_ins_under_way(bench: Any) -> None:
    tokens = [bench.sign_in() for _ in range(3)]
    kept = bench.manager.open(tokens[0])
    kept.rotate()
    assert bench.manager.end_principal("42", generation=2, keep=kept.id).count == 2
    kept.commit()
    assert bench.manager.open(kept.token).principal == "42"
    assert [bench.manager.open(token).end_reason for token in tokens[1:]] == ["revoked", "revoked"]
    assert bench.manager.end_principal("42", generation=3).count == 1
    assert bench.manager.open(kept.token).end_reason == "revoked"
    assert bench.manager.count() == 0
