"""Sign-in, sign-out, devices, CSRF: each row of the table of requests."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from polysession.contrib.django import get_manager
from users.accounts.models import Account

PASSWORD = "correct horse battery staple"
SESSION_ID = r"[A-Za-z0-9_-]{16}"


def credentials(person: Any, password: str = PASSWORD) -> dict[str, str]:
    return {"username": person.name, "password": password}


# --- sign in


def test_sign_in_gives_the_session_and_its_cookie(new_person: Any):
    person = new_person().sign_up()
    answer = person.ask("POST", "sessions", credentials(person))
    assert answer.status_code == 201
    given = answer.json()
    assert re.fullmatch(SESSION_ID, given["id"])
    assert given["account"]["username"] == person.name
    assert given["end_reason"] is None
    cookie = answer.cookies["session"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert answer["X-Session-Id"] == given["id"]
    assert given["id"] not in (cookie.value, given["csrf_token"])
    # The token that came with the answer is good from then on.
    body = {"current": PASSWORD, "email": person.email}
    changed = person.ask("PATCH", "me", body, **{"X-CSRF-Token": given["csrf_token"]})
    assert changed.status_code == 200


def test_the_timeouts_are_30_minutes_and_12_hours(person: Any):
    current, now = person.current(), datetime.now(UTC)
    idle = datetime.fromisoformat(current["idle_expires_at"]) - now
    absolute = datetime.fromisoformat(current["absolute_expires_at"]) - now
    assert timedelta(minutes=28) < idle <= timedelta(minutes=30)
    assert timedelta(hours=11, minutes=59) < absolute <= timedelta(hours=12)


def test_a_username_is_good_in_whatever_case(new_person: Any):
    person = new_person().sign_up()
    answer = person.ask("POST", "sessions", {"username": person.name.upper(), "password": PASSWORD})
    assert answer.status_code == 201


def test_a_wrong_name_a_wrong_password_and_a_disabled_account_are_told_alike(new_person: Any, problem: Any):
    person = new_person().sign_up()
    wrong = problem(person.ask("POST", "sessions", credentials(person, "wrong")), 401)
    unknown = problem(person.ask("POST", "sessions", {"username": "nobody", "password": "wrong"}), 401)
    Account.objects.filter(username=person.name).update(is_active=False)
    disabled = problem(person.ask("POST", "sessions", credentials(person)), 401)
    assert wrong == unknown == disabled
    assert person.token is None


def test_an_unknown_name_costs_a_hash_as_well(stranger: Any, monkeypatch: Any):
    from users.accounts.hashers import BoundedArgon2

    hashed: list[str] = []
    encode = BoundedArgon2.encode
    monkeypatch.setattr(BoundedArgon2, "encode", lambda *given: hashed.append(given[1]) or encode(*given))
    stranger.ask("POST", "sessions", credentials(stranger))
    assert hashed == [PASSWORD]


@pytest.mark.parametrize("field", ["username", "password"])
@pytest.mark.parametrize("value", [None, "", 1.5, {}, "a" * 151])
def test_a_field_that_is_missing_or_wrong_is_400(stranger: Any, problem: Any, field: str, value: object):
    if (field, value) == ("username", 1.5) or (field, value) == ("password", 1.5):
        value = [1.5]
    answer = stranger.ask("POST", "sessions", {**credentials(stranger), field: value})
    assert list(problem(answer, 400)["errors"]) == [field]


def test_a_planted_token_never_reaches_what_follows_sign_in(new_person: Any):
    thief, victim = new_person(), new_person().sign_up()
    session = get_manager().open(None)
    session["theme"] = "dark"
    session.commit()
    thief.cookies["session"] = victim.cookies["session"] = session.token
    victim.sign_in()
    assert victim.token != session.token
    assert victim.get("/api/users/me").status_code == 200
    assert thief.get("/api/users/me").status_code == 401


def test_signing_in_again_ends_the_session_before(person: Any):
    before = person.current()["id"]
    person.sign_in()
    listed = [one["id"] for one in person.get("/api/users/sessions").json()["items"]]
    assert before not in listed
    assert len(listed) == 1


# --- the session of this request


def test_without_a_session_all_is_null(stranger: Any):
    names = ("id", "csrf_token", "account", "idle_expires_at", "absolute_expires_at", "end_reason")
    assert stranger.current() == dict.fromkeys(names)


def test_asking_creates_no_session(stranger: Any):
    for path in ("sessions/current", "csrf", "openapi.json", "me"):
        assert "session" not in stranger.get(f"/api/users/{path}").cookies


def test_sign_out_ends_the_session_and_says_why_from_then_on(person: Any, problem: Any):
    token = person.token
    answer = person.ask("DELETE", "sessions/current")
    assert answer.status_code == 204
    assert answer.cookies["session"].value == ""
    person.cookies["session"] = token
    assert person.current()["end_reason"] == "logout"
    assert person.current()["id"] is None
    assert problem(person.get("/api/users/me"), 401)["end_reason"] == "logout"
    # Harmless when repeated.
    assert person.ask("DELETE", "sessions/current").status_code == 204


def test_a_session_of_a_disabled_account_is_treated_as_signed_out(person: Any, problem: Any):
    Account.objects.filter(username=person.name).update(is_active=False)
    problem(person.get("/api/users/me"), 401)
    assert person.current()["account"] is None


# --- devices


def test_the_list_has_the_principals_sessions_and_marks_this_one(person: Any, new_person: Any):
    other = person.elsewhere()
    new_person().sign_up().sign_in()
    items = {one["id"]: one for one in person.get("/api/users/sessions").json()["items"]}
    mine, theirs = person.current()["id"], other.current()["id"]
    assert set(items) == {mine, theirs}
    assert items[mine]["current"] is True
    assert items[theirs]["current"] is False
    assert items[theirs]["user_agent"] == "tests"
    assert items[theirs]["address"] == other.address
    assert items[mine]["created_at"] <= items[mine]["last_seen_at"]


def test_another_device_can_be_ended(person: Any, problem: Any):
    other = person.elsewhere()
    assert person.ask("DELETE", f"sessions/{other.current()['id']}").status_code == 204
    assert problem(other.get("/api/users/me"), 401)["end_reason"] == "revoked"
    assert person.get("/api/users/me").status_code == 200


def test_ending_this_session_by_its_id_is_a_sign_out(person: Any, problem: Any):
    answer = person.ask("DELETE", f"sessions/{person.current()['id']}")
    assert answer.status_code == 204
    assert answer.cookies["session"].value == ""


@pytest.mark.parametrize("id", ["A" * 16, "nonsense", "é"])
def test_a_session_that_is_not_there_is_404(person: Any, problem: Any, id: str):
    problem(person.ask("DELETE", f"sessions/{id}"), 404)


def test_anothers_session_is_404_and_stays(person: Any, new_person: Any, problem: Any):
    stranger = new_person().sign_up().sign_in()
    problem(stranger.ask("DELETE", f"sessions/{person.current()['id']}"), 404)
    assert person.get("/api/users/me").status_code == 200


def test_scope_others_ends_all_but_this(person: Any):
    others = [person.elsewhere(), person.elsewhere()]
    assert person.ask("DELETE", "sessions?scope=others").status_code == 204
    assert person.get("/api/users/me").status_code == 200
    assert [one.get("/api/users/me").json()["end_reason"] for one in others] == ["revoked", "revoked"]
    assert Account.objects.get(username=person.name).session_generation == 2
    # What stayed can be ended by the next generation, and signing in goes on.
    person.elsewhere()
    assert len(person.get("/api/users/sessions").json()["items"]) == 2


def test_scope_all_ends_this_one_too(person: Any, problem: Any):
    other, token = person.elsewhere(), person.token
    answer = person.ask("DELETE", "sessions?scope=all")
    assert answer.status_code == 204
    assert answer.cookies["session"].value == ""
    person.cookies["session"] = token
    for one in (person, other):
        assert problem(one.get("/api/users/me"), 401)["end_reason"] == "revoked"


@pytest.mark.parametrize("query", ["", "?scope=", "?scope=mine"])
def test_another_scope_is_400(person: Any, problem: Any, query: str):
    assert list(problem(person.ask("DELETE", f"sessions{query}"), 400)["errors"]) == ["scope"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "me"),
        ("PATCH", "me"),
        ("PUT", "me/password"),
        ("GET", "sessions"),
        ("DELETE", "sessions?scope=all"),
        ("DELETE", f"sessions/{'A' * 16}"),
    ],
)
@pytest.mark.parametrize("csrf", [True, False])
def test_what_needs_a_sign_in_is_401_without_one(
    stranger: Any, problem: Any, method: str, path: str, csrf: bool
):
    problem(stranger.ask(method, path, {}, csrf=csrf), 401)


# --- CSRF


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "accounts"),
        ("POST", "sessions"),
        ("DELETE", "sessions/current"),
        ("PATCH", "me"),
        ("PUT", "me/password"),
        ("DELETE", "sessions?scope=all"),
        ("DELETE", f"sessions/{'A' * 16}"),
    ],
)
@pytest.mark.parametrize("token", [None, "", "A" * 64, "not the length"])
def test_every_unsafe_request_needs_its_csrf_token(
    person: Any, problem: Any, method: str, path: str, token: str | None
):
    headers = {} if token is None else {"X-CSRF-Token": token}
    problem(person.ask(method, path, {}, csrf=False, **headers), 403)
    assert person.get("/api/users/me").status_code == 200


def test_a_token_from_before_sign_in_is_refused_after_it(new_person: Any, problem: Any):
    person = new_person().sign_up()
    before = person.csrf()
    person.sign_in()
    problem(person.ask("DELETE", "sessions/current", **{"X-CSRF-Token": before}), 403)


def test_a_token_of_another_browser_is_refused(person: Any, new_person: Any, problem: Any):
    theirs = new_person().csrf()
    problem(person.ask("DELETE", "sessions/current", **{"X-CSRF-Token": theirs}), 403)
    problem(new_person().ask("POST", "sessions", {}, **{"X-CSRF-Token": theirs}), 403)


@pytest.mark.parametrize(("method", "path"), [("PUT", "accounts"), ("POST", "me"), ("OPTIONS", "sessions")])
def test_a_method_that_a_path_has_not_is_405(stranger: Any, problem: Any, method: str, path: str):
    answer = stranger.ask(method, path, csrf=False)
    problem(answer, 405)
    assert answer["Allow"]


def test_an_unknown_path_is_404(stranger: Any, problem: Any):
    problem(stranger.get("/api/users/no-such-thing"), 404)
    problem(stranger.get("/"), 404)


# --- threads


def test_two_users_alternating_on_one_thread_never_meet(person: Any, new_person: Any):
    other = new_person().sign_up().sign_in()
    nobody = new_person()
    thread = threading.get_ident()
    for _ in range(10):
        assert person.get("/api/users/me").json()["username"] == person.name
        assert other.get("/api/users/me").json()["username"] == other.name
        assert nobody.get("/api/users/me").status_code == 401
    assert thread == threading.get_ident()
