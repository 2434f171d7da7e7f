"""The switch from Django's own engines signs nobody out."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from importlib import import_module
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.core.cache import cache
from django.db import models
from polysession.contrib.django import migration
from polysession.contrib.django.ending import GENERATION
from polysession.core.errors import StoreUnavailable
from polysession.core.migration import JOIN

ENGINES = ("db", "cache", "cached_db", "signed_cookies")
BACKEND = "django.contrib.auth.backends.ModelBackend"
DAY = 24 * 3600


@pytest.fixture(autouse=True)
def migrating(settings: Any, request: Any, db: None) -> None:
    engine = getattr(request, "param", None) or request.node.callspec.params.get("engine", "db")
    cache.clear()
    settings.POLYSESSION_MIGRATE_FROM = f"django.contrib.sessions.backends.{engine}"
    settings.POLYSESSION_MIGRATE_UNTIL = (datetime.now(UTC) + timedelta(days=5)).date()


@pytest.fixture
def engine(request: Any) -> str:
    return str(getattr(request, "param", "db"))


class Old:
    """A session of the old engine, as the old deployment left it."""

    def __init__(self, engine: str, user: Any = None, **values: Any) -> None:
        self._module = import_module(f"django.contrib.sessions.backends.{engine}")
        held = self._module.SessionStore()
        held.update(values)
        if user is not None:
            held[SESSION_KEY] = str(user.pk)
            held[BACKEND_SESSION_KEY] = BACKEND
            held[HASH_SESSION_KEY] = user.get_session_auth_hash()
        held.save()
        self.cookie = held.session_key

    @property
    def exists(self) -> bool:
        return bool(self._module.SessionStore(self.cookie).load())

    def carried_by(self, visitor: Any) -> Any:
        visitor.cookies["sessionid"] = self.cookie
        return visitor


def every(engines: tuple[str, ...] = ENGINES) -> Any:
    return pytest.mark.parametrize("engine", engines, indirect=True)


@every()
def test_who_was_signed_in_stays_so_with_attributes_under_a_new_token(
    visitor: Any, ada: Any, engine: str
) -> None:
    old = Old(engine, ada, theme="dark", cart={"lines": ["book"]})
    answer = old.carried_by(visitor).get("/read")
    assert answer.json() == {"theme": "dark", "cart": {"lines": ["book"]}}
    assert visitor.token is not None
    assert old.cookie not in str(visitor.token)
    assert answer.cookies["sessionid"].value == ""
    assert answer.cookies["sessionid"]["max-age"] == 0
    assert visitor.who() == "ada"
    assert old.exists is (engine == "signed_cookies")


@every()
def test_an_old_cookie_is_exchanged_once(
    visitor: Any, new_visitor: Any, ada: Any, clock: Any, events: Any, engine: str
) -> None:
    old = Old(engine, ada)
    assert old.carried_by(visitor).who() == "ada"
    assert old.carried_by(new_visitor()).who() == "ada"  # under way: it joins in
    clock.advance(seconds=JOIN)
    late = old.carried_by(new_visitor())
    assert (late.who(), late.token) == ("", None)
    clock.advance(seconds=DAY)
    assert old.carried_by(new_visitor()).who() == ""
    assert events.migrations == ["whole", "refused", "refused"]


@every()
def test_requests_that_were_under_way_with_it_join_in(
    visitor: Any, new_visitor: Any, ada: Any, clock: Any, events: Any, engine: str
) -> None:
    old = Old(engine, ada, theme="dark")
    tokens = set()
    for other in [visitor, *(new_visitor() for _ in range(3))]:
        assert old.carried_by(other).who() == "ada"
        tokens.add(other.token)
        clock.advance(seconds=5)
    assert len(tokens) == 1
    assert [str(kind) for kind in events.created_kinds] == ["s"]


@every(("cache",))
def test_of_parallel_requests_one_makes_the_session(
    new_visitor: Any, manager: Any, store: Any, monkeypatch: Any, engine: str
) -> None:
    old = Old(engine, theme="dark")
    barrier = Barrier(8)
    read = migration.DjangoSessions._read

    def together(self: Any, cookie: str) -> Any:
        found = read(self, cookie)
        barrier.wait(timeout=10)
        return found

    monkeypatch.setattr(migration.DjangoSessions, "_read", together)
    visitors = [old.carried_by(new_visitor()) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda visitor: visitor.get("/read").json(), visitors))
    assert answers == [{"theme": "dark"}] * 8
    assert len({visitor.token for visitor in visitors}) == 1
    assert store.count() == 1
    assert not old.exists


@every(("db",))
def test_a_crash_at_any_step_costs_no_session_and_makes_no_second(
    visitor: Any, new_visitor: Any, ada: Any, store: Any, monkeypatch: Any, engine: str
) -> None:
    old = Old(engine, ada, theme="dark")
    delete = migration.DjangoSessions.delete
    for step in ("create", "claim", "delete"):

        def fail(*_: Any, **__: Any) -> None:
            raise StoreUnavailable("migrate", "crashed")

        with monkeypatch.context() as patched:
            if step == "create":
                store.away = {"create"}
            elif step == "claim":
                patched.setattr("polysession.core.migration.Predecessor._put_claim", fail)
            else:
                patched.setattr(migration.DjangoSessions, "delete", fail)
            answer = old.carried_by(new_visitor()).get("/read")
            assert answer.status_code == 503
            assert not answer.cookies
            store.away = set()
    assert delete is migration.DjangoSessions.delete
    assert old.carried_by(visitor).get("/read").json() == {"theme": "dark"}
    assert visitor.who() == "ada"
    assert store.count() == 1


@every(("db", "cache"))
def test_an_old_session_that_outlived_its_exchange_ends_with_the_next_use_of_its_cookie(
    new_visitor: Any, ada: Any, clock: Any, monkeypatch: Any, engine: str
) -> None:
    old = Old(engine, ada)

    def fail(*_: Any) -> None:
        raise StoreUnavailable("migrate", "crashed")

    with monkeypatch.context() as patched:
        patched.setattr(migration.DjangoSessions, "delete", fail)
        assert old.carried_by(new_visitor()).get("/read").status_code == 503
    assert old.exists
    visitor = old.carried_by(new_visitor())
    assert visitor.who() == "ada"
    assert not old.exists
    visitor.post("/sign-out")
    clock.advance(seconds=2 * DAY)  # the claim on the cookie has ended, and so has what was left of both
    assert old.carried_by(new_visitor()).who() == ""


@every(("db",))
def test_the_password_must_still_be_the_one_and_the_user_active(
    new_visitor: Any, ada: Any, bob: Any, engine: str
) -> None:
    changed, disabled, gone = Old(engine, ada, theme="dark"), Old(engine, bob), Old(engine, bob)
    ada.set_password("another")
    ada.save()
    bob.is_active = False
    bob.save()
    for old in (changed, disabled, gone):
        visitor = old.carried_by(new_visitor())
        assert (visitor.who(), visitor.token) == ("", None)
        assert visitor.get("/read").json() == {}
        bob.delete() if bob.pk else None


@every(("db", "signed_cookies"))
def test_an_end_of_all_reaches_old_sessions_that_nobody_has_exchanged_yet(
    new_visitor: Any, ada: Any, bob: Any, engine: str, monkeypatch: Any
) -> None:
    model = type(ada)
    field = models.PositiveIntegerField(default=1)
    known = model._meta.get_field
    monkeypatch.setattr(model._meta, "get_field", lambda name: field if name == GENERATION else known(name))
    monkeypatch.setattr(model, GENERATION, 1, raising=False)
    assert Old(engine, ada).carried_by(new_visitor()).who() == "ada"
    old, other = Old(engine, ada, theme="dark"), Old(engine, bob)
    ended = property(lambda user: 2 if user.pk == ada.pk else 1)
    monkeypatch.setattr(model, GENERATION, ended)
    visitor = old.carried_by(new_visitor())
    assert (visitor.get("/read").json(), visitor.who(), visitor.token) == ({}, "", None)
    assert other.carried_by(new_visitor()).who() == "bob"


@every(("db",))
def test_what_cannot_be_stored_is_left_behind_by_name_and_the_rest_comes_along(
    visitor: Any, ada: Any, engine: str, events: Any, caplog: Any
) -> None:
    old = Old(engine, ada, theme="dark", huge="x" * 70_000)
    with caplog.at_level(logging.WARNING, "polysession.contrib.django.migration"):
        assert old.carried_by(visitor).get("/read").json() == {"theme": "dark"}
    (record,) = caplog.records
    assert "huge" in record.getMessage()
    assert "xxx" not in record.getMessage()
    assert events.migrations == ["partly"]
    assert visitor.who() == "ada"


@every(("db",))
def test_too_much_for_one_session_costs_attributes_and_never_the_sign_in(
    visitor: Any, ada: Any, engine: str
) -> None:
    old = Old(engine, ada, **{f"a{number}": number for number in range(200)})
    assert old.carried_by(visitor).who() == "ada"
    assert visitor.get("/read").json() == {}


@every(("db",))
def test_who_was_remembered_is_remembered(visitor: Any, ada: Any, clock: Any, engine: str) -> None:
    old = Old(engine, ada, _session_expiry=14 * DAY)
    answer = old.carried_by(visitor).get("/who")
    assert answer.cookies["__Host-session"]["max-age"] == 30 * DAY
    clock.advance(seconds=14 * DAY - 1)
    assert visitor.who() == "ada"


@every(("db",))
def test_a_planted_old_cookie_opens_nothing_of_who_signs_in_with_it(
    visitor: Any, new_visitor: Any, ada: Any, engine: str
) -> None:
    """Fixation: the attacker knows the old cookie, and the token that it was exchanged for."""
    old = Old(engine, theme="planted")
    attacker = old.carried_by(new_visitor())
    attacker.get("/read")
    old.carried_by(visitor).get("/read")
    planted = visitor.token
    assert attacker.token == planted  # both came within half a minute: the same anonymous session
    visitor.sign_in("ada")
    assert visitor.token != planted
    assert (attacker.who(), old.carried_by(new_visitor()).who()) == ("", "")


@every(("db",))
def test_who_has_signed_out_is_not_signed_in_again_by_the_old_cookie(
    visitor: Any, new_visitor: Any, ada: Any, engine: str
) -> None:
    old = Old(engine, ada)
    old.carried_by(visitor).who()
    visitor.post("/sign-out")
    assert old.carried_by(new_visitor()).who() == ""


@every(("db",))
def test_with_a_cookie_of_ours_no_old_one_is_looked_at(visitor: Any, ada: Any, bob: Any, engine: str) -> None:
    visitor.sign_in("bob")
    old = Old(engine, ada)
    assert old.carried_by(visitor).who() == "bob"
    assert old.exists


@every(("db",))
def test_from_its_end_on_nothing_is_read(visitor: Any, ada: Any, settings: Any, engine: str) -> None:
    settings.POLYSESSION_MIGRATE_UNTIL = datetime.now(UTC).date()
    old = Old(engine, ada)
    assert old.carried_by(visitor).who() == ""
    assert old.exists
    del settings.POLYSESSION_MIGRATE_UNTIL
    assert visitor.who() == ""


@every(("db",))
def test_an_old_cookie_that_names_nothing_stays_and_makes_no_session(
    visitor: Any, store: Any, events: Any, engine: str
) -> None:
    visitor.cookies["sessionid"] = "z" * 32
    answer = visitor.get("/read")
    assert answer.status_code == 200
    assert not answer.cookies
    assert store.count() == 0
    assert events.migrations == ["refused"]


@every(("db",))
def test_a_page_that_uses_no_session_reads_no_old_one(visitor: Any, ada: Any, engine: str) -> None:
    old = Old(engine, ada)
    old.carried_by(visitor).get("/plain")
    assert old.exists


@every(("db",))
def test_pickles_are_not_read(visitor: Any, ada: Any, settings: Any, engine: str, caplog: Any) -> None:
    old = Old(engine, ada)
    settings.SESSION_SERIALIZER = "myproject.PickleSerializer"
    migration.engine_of.cache_clear()
    with caplog.at_level(logging.ERROR, "polysession.contrib.django.migration"):
        assert old.carried_by(visitor).who() == ""
    migration.engine_of.cache_clear()
    assert "pickles are not read" in caplog.text
