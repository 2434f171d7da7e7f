"""What happens to the sessions of an account between PostgreSQL and Redis."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin import ModelAdmin
from polysession import SessionManager, StoreUnavailable
from users.accounts import rules
from users.accounts.models import Account

PASSWORD, NEW = "correct horse battery staple", "another long passphrase"
ADMIN = "/api/users/admin/"


def test_a_request_under_way_while_the_password_changes_does_not_end_the_session_that_stays(
    person: Any, monkeypatch: Any
):
    """A second tab's request has read the session before the change, and reads the account after it."""
    tab = type(person)()
    tab.cookies["session"] = person.token
    seen = []
    end = rules._end

    def end_after_the_tabs_request(*arguments: Any, **options: Any) -> None:
        seen.append(tab.get("/api/users/me").status_code)
        end(*arguments, **options)

    monkeypatch.setattr(rules, "_end", end_after_the_tabs_request)
    assert person.ask("PUT", "me/password", {"current": PASSWORD, "new": NEW}).status_code == 204
    assert seen == [200]
    assert not tab.get("/api/users/me").cookies  # the old token, refused; the newer cookie stays
    assert person.get("/api/users/me").status_code == 200


@pytest.fixture
def mute_store(monkeypatch: Any) -> Any:
    """``end_principal`` gets no answer, as often as given; ``done``: it took effect all the same."""
    real = SessionManager.end_principal

    def mute(*, done: bool) -> None:
        def answer(manager: SessionManager, *arguments: Any, **options: Any) -> int:
            monkeypatch.setattr(SessionManager, "end_principal", real)
            if done:
                real(manager, *arguments, **options)
            raise StoreUnavailable("end_principal", "no answer")

        monkeypatch.setattr(SessionManager, "end_principal", answer)

    return mute


@pytest.mark.parametrize("done", [False, True])
def test_a_change_of_password_that_was_503_can_be_repeated(
    person: Any, problem: Any, mute_store: Any, done: bool
):
    other = person.elsewhere()
    body = {"current": PASSWORD, "new": NEW}
    mute_store(done=done)
    problem(person.ask("PUT", "me/password", body), 503)
    assert Account.objects.get(username=person.name).check_password(NEW)
    assert person.ask("PUT", "me/password", body).status_code == 204
    assert other.get("/api/users/me").json()["end_reason"] == "revoked"
    assert person.get("/api/users/me").status_code == 200


def test_after_a_change_of_password_that_was_503_the_next_sign_in_ends_the_older_sessions(
    person: Any, problem: Any, mute_store: Any
):
    thief = person.elsewhere()
    mute_store(done=False)
    problem(person.ask("PUT", "me/password", {"current": PASSWORD, "new": NEW}), 503)
    again = type(person)()
    again.name = person.name
    again.sign_in(NEW)
    assert thief.get("/api/users/me").json()["end_reason"] == "revoked"
    assert person.get("/api/users/me").json()["end_reason"] == "revoked"
    assert again.get("/api/users/me").status_code == 200


def test_a_change_in_the_admin_that_is_rolled_back_locks_nobody_out(
    staff: Any, person: Any, problem: Any, monkeypatch: Any
):
    """A generation that Redis has and PostgreSQL rolled back would refuse every later sign-in."""
    from django.db import OperationalError

    account = Account.objects.get(username=person.name)
    path = f"{ADMIN}accounts/account/{account.pk}/change/"
    page = staff.get(path).content.decode()
    token = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]

    def fail(*_: Any) -> None:
        raise OperationalError("the database went away")

    with monkeypatch.context() as patched:
        patched.setattr(ModelAdmin, "log_change", fail)  # after the change, in its transaction
        fields = {"csrfmiddlewaretoken": token, "username": account.username, "email": account.email}
        problem(staff.post(path, fields), 503)
    account.refresh_from_db()
    assert account.is_active
    assert person.get("/api/users/me").status_code == 200
    assert person.elsewhere().get("/api/users/me").status_code == 200
