"""Flask's own words on the shared session: what an app that moves here relies on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, flash, get_flashed_messages, session
from polysession.contrib.flask import csrf_exempt
from polysession.core.manager import SessionManager
from polysession.testing import FakeClock
from werkzeug.test import TestResponse

COOKIE = "__Host-session"
PAGE = {"Sec-Fetch-Mode": "navigate", "Accept": "text/html"}
MINUTE = 60


def cookies(answer: TestResponse) -> list[str]:
    return [header for header in answer.headers.getlist("Set-Cookie") if header.startswith(COOKIE)]


# --- the mapping


def test_what_is_put_in_is_there_at_the_next_request(visitor: Any):
    visitor.post("/put/theme/dark")
    assert visitor.get("/read").get_json() == {"theme": "dark"}


def test_a_nested_change_is_found_without_saying_so(visitor: Any):
    visitor.post("/nested/clock")
    visitor.post("/nested/compass")
    assert visitor.get("/read").get_json() == {"cart": {"lines": ["clock", "compass"]}}


def test_flashes_come_once(visitor: Any):
    visitor.post("/flash")
    assert visitor.get("/flashes").get_json() == [["info", "Saved."]]
    assert visitor.get("/flashes").get_json() == []


def test_a_session_transaction_of_the_test_client_writes_and_reads(visitor: Any):
    with visitor.http.session_transaction() as held:
        held["theme"] = "dark"
    assert visitor.get("/read").get_json() == {"theme": "dark"}
    with visitor.http.session_transaction() as held:
        assert held["theme"] == "dark"
        assert not held.new
        del held["theme"]
    assert visitor.get("/read").get_json() == {}


def test_new_is_a_session_that_nobody_has_yet(flask_app: Flask, visitor: Any):
    seen: list[bool] = []

    @flask_app.get("/new")
    def new() -> str:
        seen.append(session.new)
        return "ok"

    visitor.get("/new")
    visitor.post("/put/theme/dark")
    visitor.get("/new")
    assert seen == [True, False]


# --- the cookie


def test_the_cookie_is_set_at_creation_with_every_flag(visitor: Any):
    (cookie,) = cookies(visitor.post("/put/theme/dark"))
    for flag in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert flag in cookie
    assert "Domain" not in cookie


def test_a_touch_and_a_write_never_set_the_cookie(visitor: Any, flask_clock: FakeClock):
    visitor.post("/put/theme/dark")
    flask_clock.advance(seconds=30 * MINUTE)
    assert not cookies(visitor.get("/read"))
    assert not cookies(visitor.post("/put/theme/light"))


def test_signing_in_sets_a_new_cookie_and_keeps_the_attributes(visitor: Any):
    visitor.post("/put/theme/dark")
    before = visitor.token
    (cookie,) = cookies(visitor.post("/sign-in/ada"))
    assert before is not None
    assert before not in cookie
    assert visitor.get("/me").get_json() == {"principal": "ada"}
    assert visitor.get("/read").get_json() == {"theme": "dark"}


def test_a_token_planted_before_sign_in_opens_nothing_after_it(new_visitor: Any, visitor: Any):
    visitor.post("/put/theme/dark")
    planted = visitor.token
    visitor.post("/sign-in/ada")
    thief = new_visitor()
    thief.http.set_cookie(COOKIE, planted or "", domain="localhost")
    assert thief.get("/me").status_code == 401


def test_a_rotation_sets_the_cookie_and_refuses_the_old_one(new_visitor: Any, visitor: Any):
    visitor.post("/sign-in/ada")
    old = visitor.token
    assert len(cookies(visitor.post("/rotate"))) == 1
    assert visitor.get("/me").status_code == 200
    late = new_visitor()
    late.http.set_cookie(COOKIE, old or "", domain="localhost")
    assert late.get("/me").status_code == 401


def test_signing_out_clears_the_cookie_and_ends_the_session(new_visitor: Any, visitor: Any):
    visitor.post("/sign-in/ada")
    copy = visitor.token or ""
    (cookie,) = cookies(visitor.post("/sign-out"))
    assert "Max-Age=0" in cookie
    assert visitor.token is None
    other = new_visitor()
    other.http.set_cookie(COOKIE, copy, domain="localhost")
    answer = other.get("/me")
    assert answer.status_code == 401
    assert answer.get_json()["end_reason"] == "logout"


def test_a_stale_cookie_is_cleared_by_a_page_navigation_only(visitor: Any, flask_manager: SessionManager):
    visitor.post("/sign-in/ada")
    flask_manager.open(visitor.token).end("revoked")
    assert not cookies(visitor.get("/read"))
    assert not cookies(visitor.get("/read", Accept="application/json"))
    assert not cookies(visitor.get("/read", Sec_Fetch_Mode="cors", Accept="text/html"))
    (cookie,) = cookies(visitor.http.get("/read", headers=PAGE))
    assert "Max-Age=0" in cookie


def test_a_forged_cookie_asks_the_store_nothing(visitor: Any, flask_store: Any):
    visitor.http.set_cookie(COOKIE, "a" * 70, domain="localhost")
    answer = visitor.get("/read")
    assert answer.get_json() == {}
    assert "X-Session-Id" not in answer.headers
    assert flask_store.asked == []


def test_no_get_creates_a_session(visitor: Any, flask_store: Any):
    for path in ("/none", "/read", "/csrf", "/form", "/flashes"):
        answer = visitor.get(path)
        assert answer.status_code == 200
        assert not cookies(answer)
    assert flask_store.asked == []


def test_answers_vary_on_the_cookie_only_where_the_session_was_used(visitor: Any, flask_store: Any):
    visitor.post("/put/theme/dark")
    flask_store.asked.clear()
    assert "Vary" not in visitor.get("/none").headers
    assert flask_store.asked == []
    assert visitor.get("/read").headers["Vary"] == "Cookie"


# --- what telemetry is told


def test_the_session_id_is_answered_where_the_token_is_genuine(visitor: Any, flask_store: Any):
    created = visitor.post("/put/theme/dark")
    flask_store.asked.clear()
    answer = visitor.get("/none")
    assert len(answer.headers["X-Session-Id"]) == 16
    assert answer.headers["X-Session-Id"] == created.headers["X-Session-Id"]
    assert answer.headers["X-Session-Id"] in (visitor.token or "")
    assert flask_store.asked == []


def test_without_a_session_there_is_no_session_id(visitor: Any):
    assert "X-Session-Id" not in visitor.get("/read").headers


# --- activity


def test_requests_keep_a_session_alive_and_passive_ones_do_not(visitor: Any, flask_clock: FakeClock):
    visitor.post("/sign-in/ada")
    visitor.get("/me")
    for _ in range(4):
        flask_clock.advance(seconds=20 * MINUTE)
        assert visitor.get("/me").status_code == 200
    for passive in ({"path": "/poll"}, {"path": "/me", "X_Session_Passive": "1"}):
        flask_clock.advance(seconds=20 * MINUTE)
        visitor.get("/me")
        flask_clock.advance(seconds=20 * MINUTE)
        assert visitor.get(**passive).status_code == 200
        flask_clock.advance(seconds=15 * MINUTE)
        answer = visitor.get("/me")
        assert answer.status_code == 401
        assert answer.get_json()["end_reason"] == "idle"
        visitor.http.delete_cookie(COOKIE, domain="localhost")
        visitor.post("/sign-in/ada")


# --- no state between requests


def test_two_users_alternating_on_one_thread_see_their_own_session(new_visitor: Any):
    ada, grace = new_visitor(), new_visitor()
    ada.post("/sign-in/ada")
    grace.post("/sign-in/grace")
    for _ in range(20):
        assert ada.get("/me").get_json() == {"principal": "ada"}
        assert grace.get("/me").get_json() == {"principal": "grace"}
        assert new_visitor().get("/me").status_code == 401


def test_parallel_changes_of_different_lines_are_all_kept(flask_app: Flask, visitor: Any):
    @flask_app.post("/line/<name>")
    @csrf_exempt
    def line(name: str) -> str:
        session["cart"] = {**session.get("cart", {}), name: 1}
        return "ok"

    visitor.http.post("/line/first")
    token = visitor.token or ""

    def add(name: str) -> None:
        client = flask_app.test_client()
        client.set_cookie(COOKIE, token, domain="localhost")
        client.post(f"/line/{name}")

    threads = [threading.Thread(target=add, args=(f"n{number}",)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(visitor.get("/read").get_json()["cart"]) == 17


def test_a_message_flashed_while_others_are_shown_is_shown_next(flask_app: Flask, visitor: Any) -> None:
    """Flask takes the messages out of the session to show them: the parallel one must not be taken with them, and
    those that were shown must not come back with it."""

    def in_between() -> None:
        other = flask_app.test_client()
        other.set_cookie(COOKIE, visitor.token, domain="localhost", secure=True)
        assert other.post("/flash-late").status_code == 200

    @flask_app.post("/flash-late")
    @csrf_exempt
    def late() -> str:
        flash("Late.", "info")
        return "ok"

    @flask_app.get("/show-slowly")
    def show() -> list[Any]:
        shown = get_flashed_messages()
        in_between()
        return shown

    visitor.post("/flash")
    assert visitor.get("/show-slowly").get_json() == ["Saved."]
    assert visitor.get("/flashes").get_json() == [["info", "Late."]]
    assert visitor.get("/flashes").get_json() == []


def test_messages_flashed_at_once_are_all_shown_each_once(flask_app: Flask, visitor: Any) -> None:
    @flask_app.post("/flash-slowly/<int:depth>")
    @csrf_exempt
    def slowly(depth: int) -> str:
        flash(f"Message {depth}.")
        if depth:
            other = flask_app.test_client()
            other.set_cookie(COOKIE, visitor.token, domain="localhost", secure=True)
            other.post(f"/flash-slowly/{depth - 1}")
        return "ok"

    visitor.post("/put/a/1")
    visitor.http.post("/flash-slowly/5")
    shown = visitor.get("/flashes").get_json()
    assert [text for _, text in shown] == [f"Message {depth}." for depth in range(6)]


def test_an_update_of_the_flask_session_counts_every_request(flask_app: Flask, visitor: Any) -> None:
    @flask_app.get("/visit/<int:depth>")
    def visit(depth: int) -> str:
        session.update("visits", lambda visits: visits + 1, default=0)
        session.update({"depth": depth}, seen=True)
        if depth:
            other = flask_app.test_client()
            other.set_cookie(COOKIE, visitor.token, domain="localhost", secure=True)
            other.get(f"/visit/{depth - 1}")
        return "ok"

    visitor.post("/put/a/1")
    visitor.get("/visit/7")
    assert visitor.get("/read").get_json() == {"a": "1", "visits": 8, "depth": 7, "seen": True}


@pytest.fixture(autouse=True)
def _no_leftovers() -> Iterator[None]:
    """A session that stayed on the thread would be seen outside of any request."""
    yield
    with pytest.raises(RuntimeError, match="outside of request context"):
        session["anything"]
