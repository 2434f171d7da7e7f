"""Sign-up, the account signed in, its password."""

from __future__ import annotations

from typing import Any

import pytest
from users.accounts import rules
from users.accounts.models import Account

PASSWORD = "correct horse battery staple"
NEW = "another long passphrase"


def body(person: Any, **changes: object) -> dict[str, object]:
    return {"username": person.name, "email": person.email, "password": PASSWORD, **changes}


def test_sign_up_gives_the_account_and_signs_nobody_in(stranger: Any):
    answer = stranger.ask("POST", "accounts", body(stranger))
    assert answer.status_code == 201
    account = Account.objects.get(username=stranger.name)
    assert set(answer.json()) == {"id", "username", "email", "created_at"}
    assert answer.json()["id"] == str(account.pk)
    assert account.session_generation == 1
    assert account.password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert stranger.token is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "ab"),
        ("username", "a" * 33),
        ("username", "with space"),
        ("username", "nul\x00"),
        ("username", None),
        ("username", ["ada"]),
        ("username", 12345),
        ("password", 123456789012),
        ("email", "no address"),
        ("email", f"{'a' * 250}@example.org"),
        ("password", "too short"),
        ("password", "a" * 129),
        ("password", "qwerty123456"),
    ],
)
def test_a_wrong_field_is_400_and_named(stranger: Any, problem: Any, field: str, value: object):
    answer = stranger.ask("POST", "accounts", body(stranger, **{field: value}))
    assert list(problem(answer, 400)["errors"]) == [field]


@pytest.mark.parametrize("given", [{}, [], "text", None])
def test_a_body_without_fields_is_400(stranger: Any, problem: Any, given: object):
    problem(stranger.ask("POST", "accounts", given), 400)


def test_a_body_that_is_no_json_is_400_and_another_type_415(stranger: Any, problem: Any):
    headers = {"X-CSRF-Token": stranger.csrf()}
    problem(stranger.generic("POST", "/api/users/accounts", "{", "application/json", headers=headers), 400)
    problem(stranger.generic("POST", "/api/users/accounts", "a=b", "text/plain", headers=headers), 415)


def test_a_body_that_nests_too_deep_is_400(stranger: Any, problem: Any):
    headers = {"X-CSRF-Token": stranger.csrf()}
    problem(
        stranger.generic("POST", "/api/users/accounts", b"[" * 100_000, "application/json", headers=headers),
        400,
    )


@pytest.mark.parametrize("field", ["username", "email"])
def test_what_is_taken_in_whatever_case_is_409_and_named(new_person: Any, problem: Any, field: str):
    first = new_person().sign_up()
    second = new_person()
    taken = body(first)[field]
    answer = second.ask("POST", "accounts", body(second, **{field: str(taken).upper()}))
    assert list(problem(answer, 409)["errors"]) == [field]


def test_what_another_request_took_meanwhile_is_409_too(new_person: Any, problem: Any, monkeypatch: Any):
    first, second = new_person().sign_up(), new_person()
    monkeypatch.setattr(Account.objects.none().__class__, "exists", lambda self: False)
    answer = second.ask("POST", "accounts", body(second, email=first.email))
    assert list(problem(answer, 409)["errors"]) == ["email"]


def test_the_account_is_shown_to_who_is_signed_in(person: Any, stranger: Any, problem: Any):
    assert person.get("/api/users/me").json()["username"] == person.name
    answer = stranger.get("/api/users/me")
    problem(answer, 401)
    assert answer["WWW-Authenticate"]
    assert "end_reason" not in answer.json()


def test_the_email_can_be_changed(person: Any, new_person: Any, problem: Any):
    answer = person.ask("PATCH", "me", {"current": PASSWORD, "email": f"new-{person.email}"})
    assert (answer.status_code, answer.json()["email"]) == (200, f"new-{person.email}")
    other = new_person().sign_up()
    taken = person.ask("PATCH", "me", {"current": PASSWORD, "email": other.email.upper()})
    assert list(problem(taken, 409)["errors"]) == ["email"]
    assert list(problem(person.ask("PATCH", "me", {}), 400)["errors"]) == ["current", "email"]


def test_the_email_is_changed_by_who_knows_the_password_only_and_wrong_ones_are_counted(
    person: Any, new_person: Any, problem: Any
):
    taken = new_person().sign_up().email
    for email in (*[f"new-{person.email}"] * 4, taken):  # which emails are taken is not told either
        answer = person.ask("PATCH", "me", {"current": "wrong", "email": email})
        assert list(problem(answer, 400)["errors"]) == ["current"]
    problem(person.ask("PATCH", "me", {"current": PASSWORD, "email": f"new-{person.email}"}), 429)
    assert Account.objects.get(username=person.name).email == person.email


# --- password


def test_a_new_password_rotates_this_token_and_ends_every_other_session(person: Any, problem: Any):
    other = person.elsewhere()
    before, id_before = person.token, person.current()["id"]
    answer = person.ask("PUT", "me/password", {"current": PASSWORD, "new": NEW})
    assert answer.status_code == 204
    assert person.token != before
    assert person.current()["id"] == id_before
    assert problem(other.get("/api/users/me"), 401)["end_reason"] == "revoked"
    old = type(person)()
    old.cookies["session"] = before
    problem(old.get("/api/users/me"), 401)
    assert Account.objects.get(username=person.name).session_generation == 2
    new = type(person)()
    new.name = person.name
    assert new.sign_in(NEW).get("/api/users/me").status_code == 200


def test_a_wrong_current_password_is_400_named_and_counted(person: Any, problem: Any):
    for _ in range(5):
        answer = person.ask("PUT", "me/password", {"current": "wrong", "new": NEW})
        assert list(problem(answer, 400)["errors"]) == ["current"]
    answer = person.ask("PUT", "me/password", {"current": PASSWORD, "new": NEW})
    problem(answer, 429)
    assert 0 < int(answer["Retry-After"]) <= 60
    assert Account.objects.get(username=person.name).check_password(PASSWORD)


def test_a_new_password_that_is_too_common_is_400(person: Any, problem: Any):
    answer = person.ask("PUT", "me/password", {"current": PASSWORD, "new": "qwerty123456"})
    assert list(problem(answer, 400)["errors"]) == ["new"]
    assert person.get("/api/users/me").status_code == 200


def test_of_two_changes_of_one_password_the_second_is_refused(person: Any):
    first = Account.objects.get(username=person.name)
    second = Account.objects.get(username=person.name)
    rules.change_password(first, current=PASSWORD, new=NEW, keep=None)
    with pytest.raises(rules.WrongPassword):
        rules.change_password(second, current=PASSWORD, new="a third long passphrase", keep=None)
    assert Account.objects.get(username=person.name).check_password(NEW)


def test_a_sign_in_with_the_old_password_that_raced_with_the_change_is_refused(
    person: Any, problem: Any, monkeypatch: Any
):
    """The password was checked before the change, the session is made after it."""
    from users.sessions import views

    account = Account.objects.get(username=person.name)
    checked = views.authenticate

    def check_then_lose_the_race(*arguments: Any, **credentials: Any) -> Any:
        found = checked(*arguments, **credentials)
        rules.replace_password(account, NEW, keep=None)
        return found

    monkeypatch.setattr(views, "authenticate", check_then_lose_the_race)
    other = type(person)()
    answer = other.ask("POST", "sessions", {"username": person.name, "password": PASSWORD})
    problem(answer, 401)
    assert other.token is None
