"""What the Flask adapter refuses: forged requests, and what the store did not answer or did not take."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from polysession.contrib.flask import csrf_token, sign_in_required
from polysession.core.manager import SessionManager
from werkzeug.test import TestResponse

COOKIE = "__Host-session"
PAGE = {"Sec-Fetch-Mode": "navigate", "Accept": "text/html"}
MINUTE = 60


def cookies(answer: TestResponse) -> list[str]:
    return [header for header in answer.headers.getlist("Set-Cookie") if header.startswith(COOKIE)]


# --- CSRF


@pytest.mark.parametrize("given", [None, "", "x", "a" * 64, "é" * 64])
def test_an_unsafe_request_without_a_fitting_token_is_403(visitor: Any, given: str | None):
    headers = {} if given is None else {"X-CSRF-Token": given.encode().decode("latin-1")}
    answer = visitor.http.post("/put/theme/dark", headers=headers)
    assert answer.status_code == 403
    assert "the app's csrf_token() makes one" in answer.get_json()["detail"]
    assert answer.content_type == "application/problem+json"
    assert not cookies(answer)


def test_the_token_may_come_as_a_form_field(visitor: Any):
    token = visitor.get("/form").text
    answer = visitor.http.post("/put/theme/dark", data={"csrf_token": token})
    assert answer.status_code == 200


def test_a_token_of_another_browser_does_not_fit(new_visitor: Any, visitor: Any):
    for one in (visitor, other := new_visitor()):
        one.post("/sign-in/ada")
    theirs = other.get("/csrf").get_json()["csrf_token"]
    assert visitor.http.post("/rotate", headers={"X-CSRF-Token": theirs}).status_code == 403


def test_two_tokens_in_one_answer_share_their_cookie(flask_app: Flask, visitor: Any):
    @flask_app.get("/two")
    def two() -> list[str]:
        return [csrf_token(), csrf_token()]

    answer = visitor.get("/two")
    assert len(answer.headers.getlist("Set-Cookie")) == 1
    for token in answer.get_json():
        assert visitor.http.post("/put/a/b", headers={"X-CSRF-Token": token}).status_code == 200
        visitor.http.delete_cookie(COOKIE, domain="localhost")


def test_exempt_views_and_unknown_paths_are_not_asked_for_a_token(visitor: Any):
    assert visitor.http.post("/webhook").status_code == 200
    assert visitor.http.post("/nowhere").status_code == 404
    assert visitor.http.post("/read").status_code == 405


def test_marks_hold_for_the_method_of_a_class_based_view(visitor: Any):
    assert visitor.http.post("/things").status_code == 200
    assert visitor.http.put("/things").status_code == 403


def test_who_is_not_signed_in_learns_it_before_the_csrf_token_is_looked_at(flask_app: Flask, visitor: Any):
    @flask_app.post("/buy")
    @sign_in_required
    def buy() -> str:
        return "ok"

    assert visitor.http.post("/buy").status_code == 401
    visitor.post("/sign-in/ada")
    assert visitor.http.post("/buy").status_code == 403
    assert visitor.post("/buy").status_code == 200


# --- errors


def is_unavailable(answer: TestResponse) -> bool:
    assert answer.status_code == 503
    assert answer.content_type == "application/problem+json"
    assert answer.headers["Retry-After"] == "3"
    assert "Set-Cookie" not in answer.headers
    assert answer.get_json()["detail"]
    return True


def test_an_unknown_store_is_503_and_keeps_the_cookie(visitor: Any, flask_store: Any):
    visitor.post("/sign-in/ada")
    token = visitor.token
    flask_store.away.add("all")
    assert is_unavailable(visitor.get("/me"))
    assert is_unavailable(visitor.http.get("/me", headers=PAGE))
    assert is_unavailable(visitor.http.post("/put/theme/dark"))
    assert visitor.get("/none").status_code == 200
    assert visitor.token == token
    flask_store.away.clear()
    assert visitor.get("/me").get_json() == {"principal": "ada"}


def test_a_store_that_is_lost_while_saving_is_503_in_place_of_the_views_answer(
    visitor: Any, flask_store: Any
):
    visitor.post("/sign-in/ada")
    flask_store.away.add("write")
    assert is_unavailable(visitor.post("/put/theme/dark"))
    flask_store.away.clear()
    assert visitor.get("/read").get_json() == {}


def test_a_session_that_could_not_be_created_leaves_no_cookie(visitor: Any, flask_store: Any):
    flask_store.away.add("create")
    assert is_unavailable(visitor.post("/put/theme/dark"))
    assert visitor.token is None


def test_a_sign_out_that_could_not_be_stored_keeps_the_cookie(visitor: Any, flask_store: Any):
    visitor.post("/sign-in/ada")
    flask_store.away.add("end")
    assert is_unavailable(visitor.post("/sign-out"))
    assert visitor.get("/me").status_code == 200


def test_an_optional_view_works_without_the_store_and_sees_nobody(visitor: Any, flask_store: Any):
    visitor.post("/sign-in/ada")
    flask_store.away.add("all")
    answer = visitor.http.get("/optional", headers=PAGE)
    assert answer.get_json() == {"theme": None, "principal": None}
    assert "Set-Cookie" not in answer.headers


def test_a_conflict_is_409_where_the_view_asked_for_it(
    flask_app: Flask, visitor: Any, flask_manager: SessionManager
):
    visitor.post("/sign-in/ada")
    assert visitor.post("/raise").status_code == 200

    def write_meanwhile() -> None:
        other = flask_manager.open(visitor.token)
        other["balance"] = 100
        other.commit()

    flask_app.config["BETWEEN"] = write_meanwhile
    answer = visitor.post("/raise")
    assert answer.status_code == 409
    assert answer.content_type == "application/problem+json"
    assert visitor.get("/read").get_json() == {"balance": 100}


def test_a_write_to_a_session_that_ended_meanwhile_is_401_with_its_reason(
    flask_app: Flask, visitor: Any, flask_manager: SessionManager
):
    visitor.post("/sign-in/ada")
    flask_app.config["BETWEEN"] = lambda: flask_manager.open(visitor.token).end("revoked")
    answer = visitor.post("/raise")
    assert answer.status_code == 401
    assert answer.get_json()["end_reason"] == "revoked"


def test_what_is_too_large_is_413_not_stored_and_in_the_log_with_its_setting(visitor: Any, caplog: Any):
    visitor.post("/put/theme/dark")
    assert visitor.post("/large").status_code == 413
    (line,) = (one.getMessage() for one in caplog.records if one.name == "polysession")
    assert line.startswith("answered 413: attribute 'large' is 7")
    assert line.endswith("the limit is 65536 bytes: SessionSettings.attribute_bytes")
    assert visitor.get("/read").get_json() == {"theme": "dark"}


def test_what_cannot_be_stored_is_a_fault_of_the_app(flask_app: Flask, visitor: Any):
    flask_app.testing = False
    flask_app.logger.disabled = True
    assert visitor.post("/unstorable").status_code == 500


@pytest.mark.parametrize("takes", [True, False])
def test_a_sign_out_while_the_store_is_away_is_202_by_the_ledger_or_keeps_the_cookie(
    flask_app: Flask,
    visitor: Any,
    flask_manager: SessionManager,
    flask_store: Any,
    make_ledger: Any,
    takes: bool,
) -> None:
    ledger, context = make_ledger(takes=takes), flask_manager.context
    made = SessionManager(context.store, context.keys, clock=context.clock, ledger=ledger)
    flask_app.extensions["polysession"].manager = made
    visitor.post("/sign-in/ada")
    session_id, before = made.open(visitor.token).id, visitor.token
    token = visitor.get("/csrf").get_json()["csrf_token"]
    flask_store.away.add("all")
    answer = visitor.http.post("/sign-out", headers={"X-CSRF-Token": token})
    assert answer.status_code == (202 if takes else 503)
    assert ledger.ended == [session_id]
    assert ["Max-Age=0" in one for one in cookies(answer)] == ([True] if takes else [])
    assert visitor.token == (None if takes else before)
