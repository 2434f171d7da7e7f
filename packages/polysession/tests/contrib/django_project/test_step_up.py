"""Step-up: what wants a principal who proved of late who it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from polysession.contrib.django import get_manager

PAGE = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}


@pytest.mark.parametrize("path", ["/change-email", "/change-email-awaiting"])
def test_who_signed_in_of_late_passes_and_who_did_long_ago_does_not(
    visitor: Any, ada: Any, clock: Any, path: str
) -> None:
    visitor.sign_in("ada")
    clock.advance(seconds=300)
    assert visitor.post(path).content == b"changed"
    clock.advance(milliseconds=1)
    answer = visitor.post(path)
    assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")
    assert answer["WWW-Authenticate"] == 'Session error="insufficient_user_authentication", max_age="300"'
    assert json.loads(answer.content)["detail"] == "Prove again who you are, then repeat the request."
    assert visitor.who() == "ada"


def test_who_is_not_signed_in_gets_401(visitor: Any) -> None:
    answer = visitor.post("/change-email")
    assert (answer.status_code, json.loads(answer.content)["status"]) == (401, 401)


@pytest.mark.parametrize("path", ["/change-email", "/change-email-awaiting"])
def test_a_sign_in_of_another_service_is_none_for_django(visitor: Any, ada: Any, path: str) -> None:
    session = get_manager().open(None)
    session.sign_in(str(ada.pk), generation=0)  # as Flask and FastAPI do: without a backend
    session.commit()
    visitor.cookies["__Host-session"] = session.token
    assert visitor.who() == ""
    answer = visitor.post(path)
    assert (answer.status_code, json.loads(answer.content)["status"]) == (401, 401)
    assert visitor.get("/transfers", headers=PAGE).status_code == 302


def test_who_loads_a_page_is_sent_to_sign_in_and_back(visitor: Any, ada: Any, clock: Any) -> None:
    for _ in range(2):
        answer = visitor.get("/transfers?from=a&to=b", headers=PAGE)
        assert answer.status_code == 302
        assert answer["Location"] == "/sign-in?next=/transfers%3Ffrom%3Da%26to%3Db"
        visitor.sign_in("ada")
        clock.advance(seconds=301)
    visitor.get("/prove")
    assert visitor.get("/transfers", headers=PAGE).content == b"transfers"


def test_who_proves_it_has_another_token_at_once_and_the_old_one_opens_nothing(
    visitor: Any, new_visitor: Any, ada: Any, clock: Any
) -> None:
    visitor.sign_in("ada")
    thief = new_visitor()
    thief.cookies["__Host-session"] = before = visitor.token
    clock.advance(seconds=1000)
    session_id = visitor.get("/who")["X-Session-Id"]
    answer = visitor.get("/prove")
    assert visitor.token != before
    assert answer["X-Session-Id"] == session_id
    assert visitor.post("/change-email").status_code == 200
    assert thief.who() == ""
    assert thief.post("/change-email").status_code == 401


def test_nobody_proves_who_it_is_without_a_session(visitor: Any) -> None:
    with pytest.raises(ValueError, match="nobody is signed in"):
        visitor.get("/prove")


def test_a_store_that_is_away_lets_nobody_pass(visitor: Any, ada: Any, store: Any) -> None:
    visitor.sign_in("ada")
    store.away = {"read"}
    assert visitor.post("/change-email").status_code == 503
