"""``session.permanent``, step-up and signals."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, session
from polysession.contrib.flask import (
    csrf_exempt,
    current_session,
    reauthenticate,
    requires_recent_authentication,
    session_ended,
    session_rotated,
    session_started,
    sign_in,
)

COOKIE = "__Host-session"
DAY = 24 * 3600
PAGE = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}


@pytest.fixture(autouse=True)
def views(flask_app: Flask) -> None:
    @flask_app.post("/remembered/<order>")
    @csrf_exempt
    def remembered(order: str) -> str:
        if order == "before":
            session.permanent = True
        sign_in("42", generation=1, remember=order == "argument")
        if order == "after":
            session.permanent = True
        return str(session.permanent)

    @flask_app.post("/forget")
    @csrf_exempt
    def forget() -> str:
        assert session.permanent
        session.permanent = False
        session["asked"] = True
        return "ok"

    @flask_app.get("/account")
    @requires_recent_authentication(max_age=300, sign_in_endpoint="me")
    def account() -> str:
        return "account"

    @flask_app.post("/email")
    @csrf_exempt
    @requires_recent_authentication(max_age=300)
    def email() -> str:
        return "changed"

    @flask_app.post("/prove")
    @csrf_exempt
    def prove() -> str:
        reauthenticate()
        return str(current_session().authenticated_at)


def max_age(answer: Any) -> str | None:
    (header,) = (one for one in answer.headers.getlist("Set-Cookie") if one.startswith(COOKIE))
    found = [part.partition("=")[2] for part in header.split("; ") if part.startswith("Max-Age")]
    return found[0] if found else None


@pytest.mark.parametrize("order", ["before", "after", "argument"])
def test_who_is_remembered_keeps_the_cookie_and_stays_signed_in(
    visitor: Any, flask_clock: Any, order: str
) -> None:
    """Flask's own lifetime is 31 days, more than the settings grant: it is cut, not refused."""
    answer = visitor.http.post(f"/remembered/{order}")
    assert (answer.text, max_age(answer)) == ("True", str(30 * DAY))
    flask_clock.advance(seconds=29 * DAY)
    assert visitor.get("/me").json == {"principal": "42"}
    assert (
        "Set-Cookie" not in visitor.http.post("/forget").headers
    )  # the next rotation's will end with the browser
    flask_clock.advance(seconds=1800)
    assert visitor.get("/me").status_code == 401


def test_the_lifetime_is_the_apps(flask_app: Flask, visitor: Any, flask_clock: Any) -> None:
    flask_app.config["PERMANENT_SESSION_LIFETIME"] = 7 * DAY
    visitor.http.post("/remembered/argument")
    flask_clock.advance(seconds=7 * DAY)
    assert visitor.get("/me").json["end_reason"] == "idle"


def test_setting_it_before_every_request_asks_the_store_of_none_that_uses_no_session(
    flask_app: Flask, visitor: Any, flask_store: Any
) -> None:
    @flask_app.before_request
    def always() -> None:
        session.permanent = True

    visitor.http.post("/remembered/argument")
    flask_store.asked.clear()
    assert visitor.get("/none").text == "no session here"
    assert flask_store.asked == []
    answer = visitor.get("/me")
    assert flask_store.asked == ["read"]
    assert "Set-Cookie" not in answer.headers


# --- step-up


def test_who_signed_in_long_ago_proves_it_again(visitor: Any, flask_clock: Any) -> None:
    visitor.http.post("/remembered/after")
    assert visitor.http.post("/email").text == "changed"
    flask_clock.advance(seconds=301)
    answer = visitor.http.post("/email")
    assert (answer.status_code, answer.content_type) == (403, "application/problem+json")
    assert answer.headers["WWW-Authenticate"] == (
        'Session error="insufficient_user_authentication", max_age="300"'
    )
    page = visitor.http.get("/account?from=a", headers=PAGE)
    assert (page.status_code, page.location) == (302, "/me?next=/account?from%3Da")
    before, session_id = visitor.token, answer.headers["X-Session-Id"]
    assert visitor.http.post("/prove").text == str(flask_clock.now())
    assert visitor.token != before
    changed = visitor.http.post("/email")
    assert (changed.text, changed.headers["X-Session-Id"]) == ("changed", session_id)


def test_who_is_not_signed_in_gets_401(visitor: Any) -> None:
    assert visitor.http.post("/email").status_code == 401
    assert visitor.http.get("/account").status_code == 401


# --- signals


def test_signals_tell_of_start_rotation_and_end(flask_app: Flask, visitor: Any, flask_clock: Any) -> None:
    heard: list[tuple[str, Any]] = []

    def listen(name: str) -> Any:
        return lambda sender, **what: heard.append((name, what)) if sender is flask_app else None

    listeners = {
        signal: listen(name)
        for name, signal in (
            ("started", session_started),
            ("rotated", session_rotated),
            ("ended", session_ended),
        )
    }
    for signal, listener in listeners.items():
        signal.connect(listener)
    visitor.post("/put/theme/dark")
    visitor.get("/read")
    visitor.post("/sign-in/42")
    session_id = visitor.get("/read").headers["X-Session-Id"]
    visitor.post("/rotate")
    visitor.post("/sign-out")
    names = [name for name, _ in heard]
    assert names == ["started", "started", "rotated", "ended"]
    assert heard[0][1]["principal"] is None
    assert heard[1][1] == {"session_id": session_id, "principal": "42"}
    assert heard[3][1] == {"session_id": session_id, "reason": "logout"}
    assert not any(visitor.token and visitor.token in str(what) for _, what in heard)
