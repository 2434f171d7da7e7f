"""What an app declares of its attributes is checked at assignment, and merges as declared."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Literal

import pytest
from polysession.core.errors import Conflict, InvalidAttribute, InvalidSettings, ReadOnly
from polysession.core.schema import Counter, LastWrite, ListOf, Raise, SessionSchema, SetOf
from polysession.core.settings import SessionSettings
from polysession.testing import memory_manager


class ShopSession(SessionSchema):
    version: ClassVar[int] = 1
    visits: Counter
    seen: SetOf[str]
    notices: ListOf[tuple[str, str]]
    cart: dict[str, Counter]
    step: Raise[int]
    address: LastWrite[dict[str, str]]
    theme: Literal["light", "dark"] = "light"
    price: float | None
    signed: datetime
    pair: tuple[int, ...]
    anything: Any


@pytest.fixture
def shop(make_bench: Any) -> Any:
    return make_bench(schema=ShopSession)


# --- merges as declared


def test_parallel_requests_all_count(shop: Any) -> None:
    token = shop.begin(visits=1, seen={"a"}, cart={"book": 1})
    views = [ShopSession(shop.manager.open(token)) for _ in range(3)]
    sessions = [view._session for view in views]
    for number, view in enumerate(views):
        view.visits += 1
        view.seen.add(str(number))
        view.notices.append(("info", str(number)))
        view.cart["book"] += 1
    for session in sessions:
        session.commit()
    assert shop.attributes(token) == {
        "visits": 4,
        "seen": {"a", "0", "1", "2"},
        "notices": [("info", "0"), ("info", "1"), ("info", "2")],
        "cart": {"book": 4},
    }
    assert set(shop.events.conflicts) == {"merged"}


def test_a_last_write_replaces_the_whole_value_and_is_counted(shop: Any) -> None:
    token = shop.begin(address={"town": "Ulm"})
    one, other = (shop.manager.open(token) for _ in range(2))
    one["address"]["street"] = "Am Markt 1"
    other["address"]["town"] = "Bonn"
    one.commit()
    other.commit()
    assert shop.attributes(token) == {"address": {"town": "Bonn"}}
    assert shop.events.conflicts == ["last_write"]


def test_a_declared_raise_refuses_without_a_word_in_the_view(shop: Any) -> None:
    token = shop.begin(step=1)
    one, loser = (shop.manager.open(token) for _ in range(2))
    one["step"], loser["step"] = 2, 3
    one.commit()
    with pytest.raises(Conflict):
        loser.commit()
    assert (loser["step"], shop.events.conflicts) == (2, ["raised"])


def test_a_policy_of_the_request_goes_before_the_schema(shop: Any) -> None:
    token = shop.begin(step=1)
    one, other = (shop.manager.open(token) for _ in range(2))
    other.set_policy("step", "counter")
    one["step"], other["step"] = 2, 2
    one.commit()
    other.commit()
    assert shop.attributes(token) == {"step": 3}


def test_a_plain_mapping_of_policies_is_a_schema_too(make_bench: Any) -> None:
    bench = make_bench(schema={"visits": "counter", "tags": "set"})
    token = bench.begin(visits=0, tags=set())
    one, other = (bench.manager.open(token) for _ in range(2))
    for session in (one, other):
        session["visits"] += 1
        session["tags"].add(str(id(session)))
    one.commit()
    other.commit()
    assert bench.attributes(token)["visits"] == 2
    assert len(bench.attributes(token)["tags"]) == 2
    with pytest.raises(InvalidAttribute, match="'visits' is declared as int, not str"):
        one["visits"] = "2"


def test_a_counter_of_an_anonymous_session_goes_along_at_sign_in(shop: Any) -> None:
    token = shop.begin(visits=1, seen={"a"})
    entering, tab = (shop.manager.open(token) for _ in range(2))
    entering["visits"] += 1
    entering["seen"].add("b")
    entering.sign_in("42", generation=1)
    tab["visits"] += 1
    tab["seen"].discard("a")
    tab.commit()
    entering.commit()
    assert shop.attributes(entering.token) == {"visits": 3, "seen": {"b"}}


# --- types


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("visits", "1", "attribute 'visits' is declared as int, not str: convert it"),
        ("visits", True, "not bool"),
        ("seen", ["a"], "not list"),
        ("seen", {1}, "an item of attribute 'seen' is declared as str, not int"),
        ("notices", [("a", "b", "c")], "an item of attribute 'notices' is declared as"),
        ("notices", [("a", 1)], "item 1 of an item of"),
        ("cart", {"book": 1.5}, "a value of attribute 'cart' is declared as int, not float"),
        ("cart", {1: 1}, "a key of attribute 'cart'"),
        ("theme", "blue", "declared as"),
        ("price", "9.99", "declared as"),
        ("signed", "2026-01-01", "declared as datetime"),
        ("pair", (1, "2"), "an item of attribute 'pair'"),
    ],
)
def test_a_wrong_type_is_refused_at_assignment_and_the_message_holds_no_value(
    shop: Any, name: str, value: Any, words: str
) -> None:
    session = shop.manager.open(None)
    with pytest.raises(InvalidAttribute) as raised:
        session[name] = value
    assert words in str(raised.value)
    assert "9.99" not in str(raised.value)
    assert not session.modified


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("price", 1),
        ("price", None),
        ("theme", "dark"),
        ("pair", ()),
        ("anything", [{}]),
        ("undeclared", {1: "x"}),
    ],
)
def test_what_fits_is_stored(shop: Any, name: str, value: Any) -> None:
    assert shop.attributes(shop.begin(**{name: value})) == {name: value}


def test_a_wrong_type_inside_a_value_or_from_a_function_is_refused_before_anything_is_sent(shop: Any) -> None:
    session = shop.manager.open(shop.begin(cart={"book": 1}, visits=1))
    with pytest.raises(InvalidAttribute):
        session.update("visits", str)
    session["cart"]["pen"] = "one"
    with pytest.raises(InvalidAttribute):
        session.commit()
    assert shop.store.calls == ["read"]


def test_what_another_release_stored_is_read_and_left_alone(shop: Any) -> None:
    before = memory_manager(clock=shop.clock, store=shop.store, keys=shop.manager.keys)  # without a schema
    session = before.open(None)
    session.update(cart={"book": "1"}, visits="many")
    session.commit()
    now = shop.manager.open(session.token)
    assert (now["visits"], now["cart"]) == ("many", {"book": "1"})
    now["theme"] = "dark"
    now.commit()
    assert shop.attributes(session.token)["visits"] == "many"


# --- the typed view


def test_reading_what_is_not_there_creates_nothing(shop: Any) -> None:
    session = shop.manager.open(None)
    view = ShopSession(session)
    assert (view.visits, view.seen, view.notices, view.cart, view.theme) == (0, set(), [], {}, "light")
    assert not session.modified
    assert "seen" not in session
    assert dict(session) == {}
    session.commit()
    assert shop.store.calls == []


def test_a_default_becomes_the_value_once_something_is_in_it(shop: Any) -> None:
    session = shop.manager.open(shop.begin(a=1))
    view = ShopSession(session)
    view.seen.add("x")
    view.seen.add("y")
    assert "seen" in session
    assert session.modified
    session.commit()
    view.seen.discard("y")
    session.commit()
    assert shop.attributes(session.token or "") == {"a": 1, "seen": {"x"}}
    view.seen.clear()
    session.commit()
    assert shop.attributes(session.token or "") == {"a": 1, "seen": set()}


def test_a_default_that_was_filled_stored_and_emptied_is_stored_as_empty(shop: Any) -> None:
    session = shop.manager.open(None)
    view = ShopSession(session)
    seen = view.seen
    seen.add("x")
    session.commit()
    seen.clear()
    session.commit()
    assert shop.attributes(session.token) == {"seen": set()}


def test_a_default_that_was_read_yields_to_what_another_request_wrote(shop: Any) -> None:
    token = shop.begin(theme="dark")
    reader, writer = (shop.manager.open(token) for _ in range(2))
    view = ShopSession(reader)
    assert view.seen == set()
    writer["seen"] = {"theirs"}
    writer.commit()
    reader["theme"] = "light"
    reader.commit()
    assert shop.attributes(token) == {"theme": "light", "seen": {"theirs"}}
    view.seen.add("mine")
    reader.commit()
    assert shop.attributes(token)["seen"] == {"theirs", "mine"}


def test_a_name_without_a_default_that_is_not_there_says_what_to_do(shop: Any) -> None:
    view = ShopSession(shop.manager.open(None))
    with pytest.raises(AttributeError, match="the session has no step: assign it, or declare a default"):
        _ = view.step
    with pytest.raises(AttributeError):
        del view.step
    view.step = 1
    assert view.step == 1
    del view.step
    assert not hasattr(view, "step")


def test_a_default_that_was_changed_is_not_dropped_in_silence_without_a_store(shop: Any) -> None:
    token = shop.begin(a=1)
    shop.store.away_before = {"read"}
    session = shop.manager.open(token, optional=True)
    view = ShopSession(session)
    assert view.seen == set()
    session.commit()
    view.seen.add("x")
    with pytest.raises(ReadOnly):
        session.commit()


# --- faults of a schema


def test_every_fault_of_a_schema_is_named_at_once() -> None:
    with pytest.raises(InvalidSettings) as raised:

        class Wrong(SessionSchema):
            declared: int  # type: ignore[misc, assignment]
            thing: SessionSettings
            cart: dict[str, Raise[int]]
            theme: str = 1  # type: ignore[assignment]
            tags: SetOf[str] = {"a"}

    faults = raised.value.faults
    assert [fault.split(":")[0] for fault in faults] == [
        "declared",
        "thing",
        "cart",
        "the default of theme is declared as str, not int",
        "tags",
    ]


@pytest.mark.parametrize("schema", [{"visits": "sum"}, ["visits"]])
def test_what_is_no_schema_is_a_fault_of_the_settings(schema: Any) -> None:
    with pytest.raises(InvalidSettings, match="schema"):
        SessionSettings(schema=schema, idle=0)


def test_a_schema_extends_another() -> None:
    class Wider(ShopSession):
        coupon: str

    assert set(SessionSettings(schema=Wider).declared) == {*ShopSession.declared, "coupon"}
