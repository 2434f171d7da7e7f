"""What a hostile or unlucky request meets, alike in both frameworks; see also ``django_project/test_hostile.py``."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from polysession.contrib.flask import current_session, sign_in, sign_out
from polysession.core.cookie import SEVERAL, find
from polysession.core.manager import SessionManager

COOKIE = "__Host-session"


def set_cookies(answer: Any) -> list[str]:
    return [header for header in answer.headers.getlist("Set-Cookie") if header.startswith(COOKIE)]


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("", None),
        ("s", ""),
        ("s=", ""),
        ("s=1", "1"),
        ("a=0; s=1; b=2", "1"),
        ("a=0;s=1 ;b=2", "1"),
        ('s="1"', "1"),
        ("xs=0; sx=0; S=0", None),
        ("s=a=b", "a=b"),
        ("s=1; s=1", "1"),
        ("s=1; s=2", SEVERAL),
        ("s=1; s=", SEVERAL),
    ],
)
def test_a_cookie_is_found_unless_there_are_several(header: str, value: str | None):
    assert find(header, "s") == value


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_session_cookies_in_one_request_neither_is_believed(
    new_visitor: Any, flask_app: Flask, order: int
):
    tokens = []
    for name in ("ada", "mallory"):
        visitor = new_visitor()
        visitor.post(f"/sign-in/{name}")
        tokens.append(visitor.http.get_cookie(COOKIE, domain="localhost").value)
    header = "; ".join(f"{COOKIE}={token}" for token in tokens[::order])
    with flask_app.test_client(use_cookies=False) as bare:
        answer = bare.get("/me", headers={"Cookie": header})
    assert answer.status_code == 401
    assert not set_cookies(answer)


def test_a_sign_in_that_was_carried_out_has_its_cookie_whatever_fails_after_it(
    flask_app: Flask, visitor: Any, flask_store: Any
):
    """The anonymous session has ended: without the cookie the browser would be left with nothing."""

    @flask_app.post("/sign-in-then/<what>")
    def sign_in_then(what: str) -> str:
        sign_in("ada", generation=1)
        if what == "away":
            flask_store.away = {"all"}
        current_session()["note"] = "x" * 70_000 if what == "large" else "x"
        return "ok"

    for what, status in (("large", 413), ("away", 503)):
        one = visitor.get("/csrf").get_json()["csrf_token"]
        answer = visitor.http.post(f"/sign-in-then/{what}", headers={"X-CSRF-Token": one})
        flask_store.away = set()
        assert answer.status_code == status
        assert len(set_cookies(answer)) == 1
        assert visitor.get("/me").get_json() == {"principal": "ada"}


def test_a_sign_out_that_was_carried_out_clears_the_cookie_whatever_fails_after_it(
    flask_app: Flask, visitor: Any, flask_store: Any
):
    @flask_app.post("/sign-out-then-away")
    def sign_out_then_away() -> str:
        sign_out()
        flask_store.away = {"all"}
        current_session()["note"] = "x"
        return "ok"

    visitor.post("/sign-in/ada")
    answer = visitor.post("/sign-out-then-away")
    flask_store.away = set()
    assert answer.status_code == 503
    assert [header.split(";")[0] for header in set_cookies(answer)] == [f"{COOKIE}="]


def test_of_a_long_user_agent_only_the_beginning_is_kept(visitor: Any, flask_manager: SessionManager):
    token = visitor.get("/csrf").get_json()["csrf_token"]
    headers = {"X-CSRF-Token": token, "User-Agent": "Mozilla/5.0 " + "x" * 8000}
    assert visitor.http.post("/sign-in/ada", headers=headers).status_code == 200
    (info,) = flask_manager.sessions("ada")
    assert len(info.device.user_agent) == 256
    assert info.device.user_agent.startswith("Mozilla/5.0 x")
