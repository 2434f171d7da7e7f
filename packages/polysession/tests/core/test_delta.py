"""What a request writes: its delta, merged where another was quicker, within the limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from polysession.core.errors import (
    Conflict,
    InvalidAttribute,
    StoreUnavailable,
    TooLarge,
)
from polysession.core.record import Address
from polysession.core.store import Change

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
        session.update("visits", lambda count: count + 1)
        session.update("visits", lambda count: count + 10)
    for session in sessions:
        session.commit()
        session.update("fresh", lambda items: [*items, 1], default=[])
        session.commit()
    assert bench.attributes(token) == {"visits": 34, "fresh": [1, 1, 1]}
    assert set(bench.events.conflicts) == {"merged"}


def test_an_update_that_was_stored_never_runs_again(bench: Any) -> None:
    session = bench.manager.open(None)
    session.update("n", lambda n: n + 1, default=0)
    session.commit()
    other = bench.manager.open(session.token)
    other["n"] = 100
    other.commit()
    session.update("n", lambda n: n + 1)
    session.commit()
    assert bench.attributes(session.token or "")["n"] == 101


def test_an_assignment_before_an_update_is_not_lost_to_a_conflict(bench: Any) -> None:
    token = bench.begin(n=0)
    mine, theirs = bench.manager.open(token), bench.manager.open(token)
    mine["n"] = 50
    mine.update("n", lambda n: n + 1)
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
    session.update("n", lambda n: n + 1)
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
    with pytest.raises(TooLarge) as refused:
        session["x"] = "x" * 70_000
    limit = "the limit is 65536 bytes: SessionSettings.attribute_bytes"
    assert str(refused.value) == f"attribute 'x' is {refused.value.size} bytes, {limit}"
    assert refused.value.size > 70_000
    assert not session.modified


def test_a_value_that_cannot_be_stored_is_told_which_can(bench: Any) -> None:
    with pytest.raises(
        InvalidAttribute, match=r"'x'.* type object .*those that can: None, bool, .* Decimal, UUID$"
    ):
        bench.manager.open(None)["x"] = object()


def test_an_update_of_what_is_not_there_asks_for_its_default(bench: Any) -> None:
    session = bench.manager.open(None)
    with pytest.raises(TypeError, match=r"the session has no 'visits'.*pass default=") as refused:
        session.update("visits", lambda visits: visits + 1)
    assert isinstance(refused.value.__cause__, TypeError)
    assert session.update("visits", lambda visits: visits or "first") == "first"
    with pytest.raises(TypeError, match="can only concatenate str"):
        session.update("visits", lambda visits: visits + 1)
    with pytest.raises(TypeError, match="can only concatenate str"):
        session.update("name", lambda name: name + 1, default="")


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
    with pytest.raises(
        TooLarge, match=r"^the number of attributes is 4, the limit is 3: SessionSettings.attributes$"
    ):
        session.commit()
    del session["d"]
    session["a"] = "x" * 900
    with pytest.raises(
        TooLarge, match=r"^the session is 2\d+ bytes, the limit is 2000 bytes: .*session_bytes$"
    ):
        session.commit()
    assert bench.store.calls == ["create"]
