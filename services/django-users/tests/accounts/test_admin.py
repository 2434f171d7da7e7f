"""The admin signs in by its own form, and its changes go by the rules of the API."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.management import call_command
from users.accounts.models import Account

PASSWORD = "correct horse battery staple"
NEW = "another long passphrase"
ADMIN = "/api/users/admin/"


def token_in(page: Any) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.content.decode())
    assert found is not None
    return found[1]


def submit(client: Any, path: str, path_to: str | None = None, **fields: object) -> Any:
    return client.post(path_to or path, {"csrfmiddlewaretoken": token_in(client.get(path)), **fields})


def test_staff_signs_in_by_the_form_and_others_do_not(staff: Any, new_person: Any):
    for who, status in ((staff, 302), (new_person().sign_up(), 200)):
        browser = new_person()
        answer = submit(browser, f"{ADMIN}login/", username=who.name, password=PASSWORD, next=ADMIN)
        assert answer.status_code == status
        assert (browser.token is not None) is (status == 302)


def test_wrong_passwords_are_counted_in_the_form_as_well(staff: Any, new_person: Any, problem: Any):
    browser = new_person()
    form = {"username": staff.name, "password": "wrong"}
    for _ in range(5):
        assert submit(browser, f"{ADMIN}login/", **form).status_code == 200
    problem(submit(browser, f"{ADMIN}login/", **form), 429)
    problem(new_person().ask("POST", "sessions", {"username": staff.name, "password": PASSWORD}), 429)


def test_one_session_is_good_for_the_api_and_the_admin(staff: Any):
    assert "Accounts" in staff.get(ADMIN).content.decode()
    token = staff.token
    answer = submit_logout(staff)
    assert answer.status_code == 200
    staff.cookies["session"] = token
    assert staff.get("/api/users/me").json()["end_reason"] == "logout"


def submit_logout(client: Any) -> Any:
    return client.post(f"{ADMIN}logout/", {"csrfmiddlewaretoken": token_in(client.get(ADMIN))})


def test_its_pages_bring_a_policy_of_their_own(staff: Any):
    policy = staff.get(ADMIN)["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe-inline" not in policy.split("style-src")[0]
    assert "frame-ancestors 'none'" in policy
    assert "Content-Security-Policy" not in staff.get("/api/users/me")


def test_its_files_are_served_without_a_session(stranger: Any):
    answer = stranger.get("/api/users/static/admin/css/base.css")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/css")
    answer.close()


def test_disabling_an_account_ends_its_sessions(staff: Any, person: Any):
    account = Account.objects.get(username=person.name)
    path = f"{ADMIN}accounts/account/{account.pk}/change/"
    answer = submit(staff, path, username=account.username, email=account.email)
    assert answer.status_code == 302, answer.content
    assert person.get("/api/users/me").json()["end_reason"] == "revoked"
    account.refresh_from_db()
    assert (account.is_active, account.session_generation) == (False, 2)


@pytest.mark.parametrize("many", [False, True])
def test_deleting_an_account_ends_its_sessions(staff: Any, person: Any, many: bool):
    pk = Account.objects.get(username=person.name).pk
    if many:
        fields = {"action": "delete_selected", "_selected_action": str(pk), "post": "yes"}
        token = token_in(staff.get(f"{ADMIN}accounts/account/"))
        answer = staff.post(f"{ADMIN}accounts/account/", {"csrfmiddlewaretoken": token, **fields})
    else:
        answer = submit(staff, f"{ADMIN}accounts/account/{pk}/delete/", post="yes")
    assert answer.status_code == 302, answer.content
    assert person.get("/api/users/me").json()["end_reason"] == "revoked"


def test_setting_a_password_ends_the_accounts_sessions(staff: Any, person: Any):
    account = Account.objects.get(username=person.name)
    path = f"{ADMIN}accounts/account/{account.pk}/password/"
    new = "another long passphrase"
    answer = submit(staff, path, usable_password="true", password1=new, password2=new)
    assert answer.status_code == 302, answer.content
    assert person.get("/api/users/me").json()["end_reason"] == "revoked"
    assert type(person).sign_in(_as(person), new).token is not None


def test_setting_ones_own_password_keeps_this_session_only(staff: Any):
    other = staff.elsewhere()
    account = Account.objects.get(username=staff.name)
    new = "another long passphrase"
    path = f"{ADMIN}accounts/account/{account.pk}/password/"
    before = staff.token
    answer = submit(staff, path, usable_password="true", password1=new, password2=new)
    assert answer.status_code == 302, answer.content
    assert staff.token != before
    assert staff.get("/api/users/me").status_code == 200
    assert other.get("/api/users/me").status_code == 401


def test_the_admins_own_password_page_ends_the_others_too(staff: Any):
    other, new = staff.elsewhere(), "another long passphrase"
    fields = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert submit(staff, f"{ADMIN}password_change/", **fields).status_code == 302
    assert staff.get("/api/users/me").status_code == 200
    assert other.get("/api/users/me").json()["end_reason"] == "revoked"


def _as(person: Any) -> Any:
    other = type(person)()
    other.name = person.name
    return other


def test_an_account_can_be_added(staff: Any, new_person: Any):
    new = new_person()
    path = f"{ADMIN}accounts/account/add/"
    fields = {"username": new.name, "email": new.email, "password1": PASSWORD, "password2": PASSWORD}
    answer = submit(staff, path, usable_password="true", **fields)
    assert answer.status_code == 302, answer.content
    new.sign_in()


def test_the_changepassword_command_ends_the_accounts_sessions(person: Any, monkeypatch: Any):
    monkeypatch.setattr("getpass.getpass", lambda prompt="": NEW)
    call_command("changepassword", person.name)
    assert person.ask("GET", "me").status_code == 401
    assert Account.objects.get(username=person.name).check_password(NEW)


def test_the_page_of_an_account_lists_its_sessions_and_ends_them_by_the_generation(staff: Any, person: Any):
    account = Account.objects.get(username=person.name)
    path = f"{ADMIN}accounts/account/{account.pk}/"
    page = staff.get(f"{path}change/").content.decode()
    assert page.count('name="session_id"') == 2  # one session, and all
    answer = submit(staff, f"{path}change/", path_to=f"{path}sessions/end/", session_id="")
    assert answer.status_code == 302, answer.content
    assert person.get("/api/users/me").json()["end_reason"] == "revoked"
    account.refresh_from_db()
    assert account.session_generation == 2
    assert "revoked" in staff.get(f"{path}change/").content.decode()  # the ledger's
