"""The switch from Flask's own cookies, and from Flask-Session, signs nobody out."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from threading import Barrier
from typing import Any

import msgspec
import pytest
from flask import Flask, session
from flask.sessions import SecureCookieSessionInterface
from polysession.contrib.flask import (
    CookieSessions,
    Migration,
    Polysession,
    RedisSessions,
    current_principal,
    sign_out,
)
from polysession.core.errors import InvalidSettings
from polysession.core.migration import JOIN
from polysession.core.settings import SessionSettings
from polysession.core.token import ALPHABET
from polysession.testing import FailingStore, FakeClock, memory_manager

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).date()
SECRET = "of before"


def identify(old: Mapping[str, Any]) -> tuple[str, int] | None:
    return (str(old["user_id"]), 0) if old.get("user_id") in (1, 2) else None


class FakeRedis(dict[str, bytes]):
    away = False

    def get(self, name: str) -> Any:  # type: ignore[override]
        if self.away:
            raise ConnectionError
        return super().get(name)

    def delete(self, *names: str) -> int:
        return sum(self.pop(name, None) is not None for name in names)


class Scene:
    """``kind``: whose sessions those of before are."""

    def __init__(self, kind: str, until: date = TOMORROW) -> None:
        self.kind, self.clock, self.redis = kind, FakeClock(), FakeRedis()
        self.store = FailingStore(self.clock)
        self.app = Flask("example")
        self.app.secret_key = SECRET
        cookies = CookieSessions(self.app, identify)
        self.old: Any = cookies if kind == "cookie" else RedisSessions(self.app, self.redis, identify)
        self.manager = memory_manager(clock=self.clock, store=self.store)
        Polysession(self.app, self.manager, migration=Migration(self.old, until=until))

        @self.app.get("/read")
        def read() -> dict[str, Any]:
            return {"who": current_principal(), **{name: str(value) for name, value in session.items()}}

        @self.app.get("/out")
        def out() -> str:
            sign_out()
            return "out"

        @self.app.get("/plain")
        def plain() -> str:
            return "plain"

    def cookie(self, **values: Any) -> str:
        if self.kind == "cookie":
            serializer = SecureCookieSessionInterface().get_signing_serializer(self.app)
            assert serializer is not None
            return str(serializer.dumps(values))
        self.redis["session:" + "s" * 43] = msgspec.msgpack.encode(values)
        return "s" * 43

    def visitor(self, cookie: str) -> Any:
        client = self.app.test_client()
        client.set_cookie("session", cookie, path="/")
        return client


@pytest.fixture(params=["cookie", "redis"])
def scene(request: Any) -> Scene:
    return Scene(request.param)


def token(client: Any) -> str | None:
    found = client.get_cookie("__Host-session")
    return found.value if found else None


def test_who_was_signed_in_stays_so_with_attributes_under_a_new_token(scene: Scene) -> None:
    cookie = scene.cookie(user_id=1, theme="dark")
    visitor = scene.visitor(cookie)
    assert visitor.get("/read").json == {"who": "1", "user_id": "1", "theme": "dark"}
    assert token(visitor)
    assert visitor.get_cookie("session") is None
    assert visitor.get("/read").json["who"] == "1"
    assert scene.redis == {}


def test_an_old_cookie_is_exchanged_once_and_requests_under_way_join_in(scene: Scene) -> None:
    cookie = scene.cookie(user_id=1)
    visitors = [scene.visitor(cookie) for _ in range(3)]
    assert [one.get("/read").json["who"] for one in visitors] == ["1"] * 3
    assert len({token(one) for one in visitors}) == 1
    scene.clock.advance(seconds=JOIN)
    for _ in range(2):
        late = scene.visitor(cookie)
        assert late.get("/read").json == {"who": None}
        assert token(late) is None
        scene.clock.advance(seconds=24 * 3600)


def test_of_parallel_requests_one_makes_the_session(scene: Scene, monkeypatch: Any) -> None:
    cookie = scene.cookie(user_id=1, theme="dark")
    barrier, read = Barrier(6), scene.old.read

    def together(cookie: str) -> Any:
        found = read(cookie)
        barrier.wait(timeout=10)
        return found

    monkeypatch.setattr(scene.old, "read", together)
    visitors = [scene.visitor(cookie) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda one: one.get("/read").json["who"], visitors))
    assert answers == ["1"] * 6
    assert len({token(one) for one in visitors}) == 1
    assert scene.store.count() == 1


def test_who_has_signed_out_is_not_signed_in_again_by_the_old_cookie(scene: Scene) -> None:
    cookie = scene.cookie(user_id=1)
    visitor = scene.visitor(cookie)
    visitor.get("/read")
    visitor.get("/out")
    assert scene.visitor(cookie).get("/read").json == {"who": None}


def test_an_end_of_all_reaches_old_sessions_that_nobody_has_exchanged_yet() -> None:
    scene = Scene("cookie")
    scene.manager.end_principal("1", generation=1)
    visitor = scene.visitor(scene.cookie(user_id=1, theme="dark"))
    assert visitor.get("/read").json == {"who": None}
    assert token(visitor) is None
    assert scene.visitor(scene.cookie(user_id=2)).get("/read").json["who"] == "2"


def test_a_used_up_cookie_in_another_spelling_opens_nothing() -> None:
    scene = Scene("cookie")
    cookie = scene.cookie(user_id=1)
    visitor = scene.visitor(cookie)
    visitor.get("/read")
    visitor.get("/out")
    last = ALPHABET.index(cookie[-1])
    same_bytes = [cookie[:-1] + ALPHABET[last ^ spare] for spare in (1, 2, 3)]
    for spelling in (*same_bytes, cookie[:-1] + "!" + cookie[-1]):
        assert scene.visitor(spelling).get("/read").json == {"who": None}


def test_who_is_nobody_any_more_keeps_attributes_only(scene: Scene) -> None:
    visitor = scene.visitor(scene.cookie(user_id=3, theme="dark"))
    assert visitor.get("/read").json == {"who": None, "user_id": "3", "theme": "dark"}


def test_permanent_sessions_stay_so(scene: Scene) -> None:
    answer = scene.visitor(scene.cookie(user_id=1, _permanent=True)).get("/read")
    assert any("Max-Age=2592000" in one for one in answer.headers.getlist("Set-Cookie"))
    assert "_permanent" not in answer.json


@pytest.mark.parametrize("kind", ["cookie", "redis"])
def test_from_its_end_on_nothing_is_read(kind: str) -> None:
    scene = Scene(kind, until=datetime.now(UTC).date())
    assert scene.visitor(scene.cookie(user_id=1)).get("/read").json == {"who": None}


def test_a_page_that_uses_no_session_reads_no_old_one(scene: Scene) -> None:
    scene.visitor(scene.cookie(user_id=1)).get("/plain")
    assert scene.store.asked == []


def test_a_cookie_of_ours_goes_before(scene: Scene) -> None:
    visitor = scene.visitor(scene.cookie(user_id=1))
    visitor.get("/read")
    visitor.set_cookie("session", scene.cookie(user_id=2), path="/")
    assert visitor.get("/read").json["who"] == "1"


@pytest.mark.parametrize("cookie", ["", "x", "s" * 43, "../../etc", "eyJ1c2VyX2lkIjoxfQ.aaaa.bbbb"])
def test_a_forged_or_strange_old_cookie_makes_no_session_and_stays(scene: Scene, cookie: str) -> None:
    visitor = scene.visitor(cookie)
    answer = visitor.get("/read")
    assert (answer.json, answer.headers.getlist("Set-Cookie")) == ({"who": None}, [])
    assert scene.store.count() == 0


def test_a_client_that_gives_no_answer_is_503_and_the_old_cookie_stays() -> None:
    scene = Scene("redis")
    visitor = scene.visitor(scene.cookie(user_id=1))
    scene.redis.away = True
    answer = visitor.get("/read")
    assert (answer.status_code, answer.headers.getlist("Set-Cookie")) == (503, [])
    scene.redis.away = False
    assert visitor.get("/read").json["who"] == "1"


@pytest.mark.parametrize("data", [b"\x80\x04\x95\x10\x00\x00\x00\x00", b"[1]", b"\xff\xfe"])
def test_pickles_and_other_things_are_not_read(data: bytes, caplog: Any) -> None:
    scene = Scene("redis")
    visitor = scene.visitor(scene.cookie(user_id=1))
    scene.redis["session:" + "s" * 43] = data
    assert visitor.get("/read").json == {"who": None}
    assert scene.redis


def test_what_cannot_be_stored_is_left_behind_by_name(caplog: Any) -> None:
    scene = Scene("cookie")
    visitor = scene.visitor(scene.cookie(user_id=1, big="x" * 70_000))
    with caplog.at_level(logging.WARNING, "polysession.contrib.flask.migration"):
        assert visitor.get("/read").json["who"] == "1"
    assert "big" in caplog.text
    assert "xxx" not in caplog.text


def test_what_is_set_up_wrong_is_said_when_the_app_is_made() -> None:
    app, make = Flask("example"), memory_manager
    with pytest.raises(ValueError, match="secret_key"):
        CookieSessions(app, identify)
    app.secret_key = SECRET
    migration = Migration(CookieSessions(app, identify), until=TOMORROW)
    with pytest.raises(ValueError, match="cookie_name"):
        Polysession(app, make(settings=SessionSettings(secure=False)), migration=migration)


def test_flask_sessions_of_flask_session_itself_are_read(tmp_path: Any) -> None:
    """What the latest Flask-Session writes, byte for byte."""
    from flask_session.base import MsgSpecSerializer

    scene = Scene("redis")
    written = MsgSpecSerializer(scene.app, "msgpack").encode({"user_id": 1, "price": Decimal("1.50")})  # type: ignore[arg-type]
    visitor = scene.visitor(scene.cookie())
    scene.redis["session:" + "s" * 43] = written
    assert visitor.get("/read").json == {"who": "1", "user_id": "1", "price": "1.50"}


@pytest.mark.parametrize(
    ("answered", "wanted"),
    [
        ("42", r"identify returns None or \(principal, generation\), not str"),
        ((), r"identify returns None or \(principal, generation\), not tuple"),
        (("42",), r"identify returns None or \(principal, generation\), not tuple"),
        (False, r"identify returns None or \(principal, generation\), not bool"),
        ((42, 0), r"a principal is a str, not int: pass str\(user_id\)"),
    ],
)
def test_what_identify_may_answer_is_said_where_it_answers_something_else(answered: Any, wanted: str):
    app = Flask("example")
    app.secret_key = SECRET
    old = CookieSessions(app, lambda _: answered)
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    with pytest.raises(TypeError, match=wanted):
        old.read(str(serializer.dumps({"user_id": 1})))


@pytest.mark.parametrize(
    "until", ["2027-01-01", datetime(2027, 1, 1), datetime(2027, 1, 1, tzinfo=UTC), None]
)
def test_an_until_that_is_no_date_is_refused_when_the_app_is_made(until: Any):
    with pytest.raises(InvalidSettings, match=r"until must be a datetime\.date.*, not"):
        Migration(CookieSessions(Scene("cookie").app, identify), until=until)
