"""What an app sees of a session, over the memory store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from polysession.core.errors import (
    Conflict,
    InvalidAttribute,
    ReadOnly,
    SessionEnded,
    StoreUnavailable,
    TooLarge,
)
from polysession.core.record import Address, Device, Kind
from polysession.core.store import Change
from polysession.core.token import mint, parse

HOUR = 3600


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


# --- delta


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s["cart"].update(b=2),
        lambda s: s["cart"]["deep"].append(1),
        lambda s: s["tags"].add("x"),
        lambda s: s["pair"][1].append(1),
        lambda s: s.__setitem__("new", None),
        lambda s: s.__delitem__("tags"),
        lambda s: s.pop("cart"),
        lambda s: s.clear(),
    ],
)
def test_a_change_at_any_depth_is_found_and_written(bench: Any, change: Any) -> None:
    token = bench.begin(cart={"deep": []}, tags={"y"}, pair=(1, []))
    session = bench.manager.open(token)
    change(session)
    assert session.modified
    expected = dict(session)
    session.commit()
    assert not session.modified
    assert bench.attributes(token) == expected
    assert session.cookie is None


def test_a_delta_is_one_write_and_holds_only_what_changed(bench: Any) -> None:
    token = bench.begin(a=1, b={"x": 1}, c=3)
    session = bench.manager.open(token)
    session["b"]["y"] = 2
    session["a"] = 1  # the same again
    session.commit()
    session.commit()
    assert bench.store.calls == ["read", "write"]


def test_changes_of_two_tabs_to_different_keys_are_both_kept(bench: Any) -> None:
    token = bench.begin(cart={"a": 1}, theme="light")
    one, other = bench.manager.open(token), bench.manager.open(token)
    one["cart"]["b"] = 2
    other["cart"]["c"] = 3
    other["theme"] = "dark"
    one.commit()
    other.commit()
    assert bench.attributes(token) == {"cart": {"a": 1, "b": 2, "c": 3}, "theme": "dark"}
    assert other["cart"] == {"a": 1, "b": 2, "c": 3}
    assert bench.events.conflicts == ["merged"]


def test_on_one_leaf_the_last_write_wins_and_is_counted(bench: Any) -> None:
    token = bench.begin(theme="light")
    one, other = bench.manager.open(token), bench.manager.open(token)
    one["theme"], other["theme"] = "dark", "blue"
    one.commit()
    other.commit()
    assert bench.attributes(token) == {"theme": "blue"}
    assert bench.events.conflicts == ["last_write"]


def test_an_update_runs_again_on_the_newest_value(bench: Any) -> None:
    token = bench.begin(visits=1)
    sessions = [bench.manager.open(token) for _ in range(3)]
    for session in sessions:
        session.update_attribute("visits", lambda count: count + 1)
        session.update_attribute("visits", lambda count: count + 10)
    for session in sessions:
        session.commit()
        session.update_attribute("fresh", lambda items: [*items, 1], default=[])
        session.commit()
    assert bench.attributes(token) == {"visits": 34, "fresh": [1, 1, 1]}
    assert set(bench.events.conflicts) == {"merged"}


def test_an_update_that_was_stored_never_runs_again(bench: Any) -> None:
    session = bench.manager.open(None)
    session.update_attribute("n", lambda n: n + 1, default=0)
    session.commit()
    other = bench.manager.open(session.token)
    other["n"] = 100
    other.commit()
    session.update_attribute("n", lambda n: n + 1)
    session.commit()
    assert bench.attributes(session.token or "")["n"] == 101


def test_an_assignment_before_an_update_is_not_lost_to_a_conflict(bench: Any) -> None:
    token = bench.begin(n=0)
    mine, theirs = bench.manager.open(token), bench.manager.open(token)
    mine["n"] = 50
    mine.update_attribute("n", lambda n: n + 1)
    theirs["n"] = 7
    theirs.commit()
    mine.commit()
    assert bench.attributes(token) == {"n": 51}


def test_with_the_policy_raise_nothing_is_written_and_the_newer_value_is_seen(bench: Any) -> None:
    token = bench.begin(seat=None, other=1)
    one, loser = bench.manager.open(token), bench.manager.open(token)
    one["seat"] = "12A"
    loser["seat"] = "12B"
    loser["other"] = 2
    loser.set_policy("seat", "raise")
    one.commit()
    with pytest.raises(Conflict) as raised:
        loser.commit()
    assert raised.value.names == ("seat",)
    assert dict(loser) == {"seat": "12A", "other": 1}
    loser.commit()  # the adapter's, at the end of the request
    assert bench.attributes(token) == {"seat": "12A", "other": 1}
    assert bench.events.conflicts == ["raised"]


def test_merges_are_given_up_aloud_at_the_deadline(bench: Any) -> None:
    token = bench.begin(n=0)
    session = bench.manager.open(token)
    session["n"] = 1
    write = bench.store.write

    def overtaken(address: Address, changes: Mapping[str, Change], *, touch: bool = False) -> Any:
        bench.store.write = write  # type: ignore[method-assign]
        other = bench.manager.open(token)
        other["n"] = other["n"] + 100
        other.commit()
        bench.store.write = overtaken  # type: ignore[method-assign]
        bench.clock.advance(milliseconds=300)
        return write(address, changes, touch=touch)

    bench.store.write = overtaken  # type: ignore[method-assign]
    with pytest.raises(Conflict):
        session.commit()
    bench.store.write = write  # type: ignore[method-assign]
    session.commit()
    assert session["n"] == bench.attributes(token)["n"] >= 100
    assert bench.events.conflicts[-1] == "raised"


@pytest.mark.parametrize("away", ["away_before", "away_after"])
def test_a_write_repeated_after_no_answer_applies_once(bench: Any, away: str) -> None:
    token = bench.begin(n=1, gone=2)
    session = bench.manager.open(token)
    session.update_attribute("n", lambda n: n + 1)
    del session["gone"]
    setattr(bench.store, away, {"write"})
    with pytest.raises(StoreUnavailable):
        session.commit()
    setattr(bench.store, away, set())
    session.commit()
    assert bench.attributes(token) == {"n": 2}
    assert bench.events.conflicts == []


# --- limits


def test_what_cannot_be_stored_is_refused_at_assignment(bench: Any) -> None:
    session = bench.manager.open(bench.begin())
    for name, value in (("x", object()), ("", 1), ("x" * 129, 1)):
        with pytest.raises(InvalidAttribute):
            session[name] = value
    with pytest.raises(TooLarge):
        session["x"] = "x" * 70_000
    assert not session.modified


def test_a_nested_value_that_cannot_be_stored_is_refused_before_anything_is_sent(bench: Any) -> None:
    session = bench.manager.open(bench.begin(cart={}))
    session["cart"]["x"] = object()
    with pytest.raises(InvalidAttribute):
        session.commit()
    session["cart"]["x"] = "x" * 70_000
    with pytest.raises(TooLarge):
        session.commit()
    assert bench.store.calls == ["read"]


def test_a_session_has_a_size_and_a_number_of_attributes_that_it_may_not_exceed(make_bench: Any) -> None:
    bench = make_bench(attribute_bytes=1000, session_bytes=2000, attributes=3)
    session = bench.manager.open(None)
    for name in "abc":
        session[name] = "x" * 600
    session.commit()
    session["d"] = 1
    with pytest.raises(TooLarge):
        session.commit()
    del session["d"]
    session["a"] = "x" * 900
    with pytest.raises(TooLarge):
        session.commit()
    assert bench.store.calls == ["create"]


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
    bench.clock.advance(seconds=2 * HOUR)
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
