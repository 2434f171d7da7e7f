"""``django.contrib.auth``, the admin and the test client, unchanged, on the shared session."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in
from django.test import RequestFactory
from polysession.contrib.django import SessionStore, get_manager
from polysession.core.errors import GenerationOutdated
from polysession.core.record import Kind
from polysession.testing import RecordedEvents

COOKIE = "__Host-session"
PASSWORD = "correct horse battery staple"


def test_login_makes_the_user_the_principal(visitor: Any, ada: Any):
    visitor.sign_in("ada")
    session = get_manager().open(visitor.token)
    assert visitor.who() == "ada"
    assert session.principal == str(ada.pk)
    assert session.kind is Kind.SIGNED_IN
    # One truth: the header's, no attribute beside it.
    assert "_auth_user_id" not in session


def test_attributes_from_before_sign_in_come_along(visitor: Any, ada: Any):
    visitor.post("/put/theme/dark")
    visitor.sign_in("ada")
    assert visitor.get("/read").json() == {"theme": "dark"}


def test_a_token_planted_before_sign_in_never_reaches_what_follows(new_visitor: Callable[[], Any], ada: Any):
    thief, victim = new_visitor(), new_visitor()
    thief.post("/put/theme/dark")
    victim.cookies[COOKIE] = thief.token
    victim.sign_in("ada")
    assert victim.who() == "ada"
    assert victim.token != thief.token
    assert thief.who() == ""


def test_signing_in_again_gives_a_new_session_and_ends_the_old(
    visitor: Any, ada: Any, events: RecordedEvents
):
    visitor.sign_in("ada")
    before = visitor.token
    visitor.sign_in("ada")
    assert visitor.token != before
    assert not get_manager().open(before).exists
    assert events.ended_reasons == ["rotated-away"]
    assert len(get_manager().sessions(str(ada.pk))) == 1


def test_signing_in_as_another_leaves_the_attributes_behind(visitor: Any, ada: Any, bob: Any):
    visitor.sign_in("ada")
    visitor.post("/put/secret/of-ada")
    before = visitor.token
    visitor.sign_in("bob")
    assert visitor.who() == "bob"
    assert visitor.get("/read").json() == {}
    assert not get_manager().open(before).exists


def test_logout_ends_the_session_and_clears_the_cookie(visitor: Any, ada: Any, events: RecordedEvents):
    visitor.sign_in("ada")
    token = visitor.token
    answer = visitor.post("/sign-out")
    assert answer.cookies[COOKIE].value == ""
    assert answer.cookies[COOKIE]["max-age"] == 0
    assert events.ended_reasons == ["logout"]
    session = get_manager().open(token)
    assert (session.exists, session.end_reason) == (False, "logout")


def test_what_is_written_after_logout_is_in_a_session_of_nobody(visitor: Any, ada: Any):
    visitor.sign_in("ada")
    token = visitor.token
    visitor.post("/sign-out?farewell")
    assert visitor.token not in (None, token)
    assert visitor.who() == ""


def test_logout_without_an_answer_is_503_and_leaves_one_signed_in(visitor: Any, ada: Any, store: Any):
    visitor.sign_in("ada")
    store.away.add("end")
    answer = visitor.post("/sign-out")
    assert answer.status_code == 503
    assert not answer.cookies
    store.away.clear()
    assert visitor.who() == "ada"


def test_sign_in_without_an_answer_is_503_and_nobody_is_signed_in(visitor: Any, ada: Any, store: Any):
    visitor.post("/put/theme/dark")
    store.away.add("create")
    answer = visitor.post("/sign-in", {"username": "ada", "password": PASSWORD})
    assert answer.status_code == 503
    assert not answer.cookies
    store.away.clear()
    assert visitor.who() == ""
    assert visitor.get("/read").json() == {"theme": "dark"}


def test_update_session_auth_hash_rotates_the_token_and_keeps_the_session(visitor: Any, ada: Any):
    visitor.sign_in("ada")
    before = visitor.token
    id_before = get_manager().open(before).id
    visitor.post("/new-password", {"password": "another long passphrase"})
    assert visitor.token != before
    assert get_manager().open(visitor.token).id == id_before
    assert visitor.who() == "ada"
    assert not get_manager().open(before).exists


def test_a_password_change_elsewhere_signs_this_browser_out(new_visitor: Callable[[], Any], ada: Any):
    one, other = new_visitor(), new_visitor()
    one.sign_in("ada")
    other.sign_in("ada")
    one.post("/new-password", {"password": "another long passphrase"})
    assert (one.who(), other.who()) == ("ada", "")


def test_a_disabled_user_is_nobody(visitor: Any, ada: Any):
    visitor.sign_in("ada")
    ada.is_active = False
    ada.save()
    assert visitor.who() == ""


def test_deleting_the_user_id_signs_out_and_keeps_the_rest(visitor: Any, ada: Any):
    visitor.sign_in("ada")
    held = SessionStore(visitor.token)
    held["theme"] = "dark"
    del held["_auth_user_id"]
    held.save()
    assert not get_manager().open(visitor.token).exists
    assert get_manager().open(held.session_key).principal is None
    assert held["theme"] == "dark"
    with pytest.raises(KeyError):
        del held["_auth_user_id"]


# --- generations


def test_a_sign_in_that_raced_with_ending_all_is_refused(ada: Any):
    get_manager().end_principal(str(ada.pk), generation=5)
    request = RequestFactory().post("/")
    request.session = SessionStore()
    ada.session_generation = 4
    user_logged_in.send(sender=type(ada), request=request, user=ada)
    with pytest.raises(GenerationOutdated):
        request.session.save()
    ada.session_generation = 5
    request.session = SessionStore()
    user_logged_in.send(sender=type(ada), request=request, user=ada)
    request.session.save()
    assert get_manager().open(request.session.session_key).principal == str(ada.pk)


def test_a_refused_sign_in_is_401_without_a_cookie(visitor: Any, ada: Any):
    get_manager().end_principal(str(ada.pk), generation=5)
    answer = visitor.post("/sign-in", {"username": "ada", "password": PASSWORD})
    assert (answer.status_code, answer.json()["end_reason"]) == (401, "revoked")
    assert COOKIE not in answer.cookies


def test_a_refused_sign_in_leaves_nothing_behind_when_the_view_answers_itself(
    visitor: Any, ada: Any, events: RecordedEvents
):
    get_manager().end_principal(str(ada.pk), generation=5)
    answer = visitor.post("/sign-in?token&own-answer", {"username": "ada", "password": PASSWORD})
    assert answer.status_code == 200
    assert COOKIE not in answer.cookies
    assert events.created_kinds == []


# --- CSRF


def strict(new_visitor: Callable[..., Any]) -> Any:
    return new_visitor(enforce_csrf_checks=True)


def test_a_form_without_its_token_is_403(new_visitor: Callable[..., Any]):
    visitor = strict(new_visitor)
    assert visitor.post("/put/theme/dark").status_code == 403
    visitor.get("/form")
    assert visitor.post("/put/theme/dark").status_code == 403
    assert visitor.post("/put/theme/dark", {"csrfmiddlewaretoken": "A" * 64}).status_code == 403


def test_the_template_tags_token_is_taken_before_and_after_sign_in(new_visitor: Callable[..., Any], ada: Any):
    visitor = strict(new_visitor)
    before = field(visitor)
    assert visitor.post("/put/theme/dark", {"csrfmiddlewaretoken": before}).status_code == 200
    credentials = {"username": "ada", "password": PASSWORD, "csrfmiddlewaretoken": field(visitor)}
    assert visitor.post("/sign-in", credentials).status_code == 200
    assert visitor.post("/put/theme/dark", {"csrfmiddlewaretoken": before}).status_code == 403
    assert visitor.post("/put/theme/dark", {"csrfmiddlewaretoken": field(visitor)}).status_code == 200


def test_a_token_given_in_the_answer_to_a_sign_in_is_good_from_then_on(
    new_visitor: Callable[..., Any], ada: Any
):
    visitor = strict(new_visitor)
    credentials = {"username": "ada", "password": PASSWORD, "csrfmiddlewaretoken": field(visitor)}
    answer = visitor.post("/sign-in?token", credentials)
    headers = {"X-CSRF-Token": answer.content.decode()}
    assert visitor.post("/put/theme/dark", headers=headers).status_code == 200


def test_the_header_is_taken_as_well_as_the_field(new_visitor: Callable[..., Any]):
    visitor = strict(new_visitor)
    token = visitor.get("/token").json()["token"]
    assert visitor.post("/put/theme/dark", headers={"X-CSRF-Token": token}).status_code == 200


def test_djangos_own_middleware_and_decorator_take_the_same_token(
    new_visitor: Callable[..., Any], settings: Any
):
    settings.MIDDLEWARE = [
        "django.middleware.csrf.CsrfViewMiddleware" if name.endswith(".CsrfMiddleware") else name
        for name in settings.MIDDLEWARE
    ]
    visitor = strict(new_visitor)
    assert visitor.post("/put/theme/dark").status_code == 403
    for _ in range(2):
        assert visitor.post("/put/theme/dark", {"csrfmiddlewaretoken": field(visitor)}).status_code == 200
    # The secret is derived, never kept.
    assert list(get_manager().open(visitor.token)) == ["theme"]


def test_asking_for_a_token_creates_no_session(visitor: Any, store: Any):
    answer = visitor.get("/token")
    assert "create" not in store.asked
    assert set(answer.cookies) == {"__Host-csrf"}
    assert "__Host-csrf" not in visitor.get("/token").cookies


def test_another_sites_origin_is_403(new_visitor: Callable[..., Any]):
    visitor = strict(new_visitor)
    headers = {"X-CSRF-Token": visitor.get("/token").json()["token"], "Origin": "https://evil.example"}
    assert visitor.post("/put/theme/dark", headers=headers).status_code == 403


def test_the_csrf_check_without_an_answer_from_the_store_is_503(new_visitor: Callable[..., Any], store: Any):
    visitor = strict(new_visitor)
    token = visitor.get("/token").json()["token"]
    visitor.post("/put/theme/dark", headers={"X-CSRF-Token": token})
    store.away.add("all")
    answer = visitor.post("/put/theme/dark", headers={"X-CSRF-Token": token})
    assert answer.status_code == 503
    assert not answer.cookies


def field(visitor: Any) -> str:
    return str(visitor.get("/form").content.decode().split('value="')[1].split('"')[0])


# --- the admin, the test client, threads


def test_the_admins_own_form_signs_in_and_out(new_visitor: Callable[..., Any], db: None):
    get_user_model().objects.create_superuser("root", "root@example.org", PASSWORD)
    visitor = strict(new_visitor)
    page = visitor.get("/admin/login/").content.decode()
    token = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    form = {"username": "root", "password": PASSWORD, "csrfmiddlewaretoken": token, "next": "/admin/"}
    assert visitor.post("/admin/login/", form).status_code == 302
    page = visitor.get("/admin/").content.decode()
    assert "Log out" in page
    token = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    assert visitor.post("/admin/logout/", {"csrfmiddlewaretoken": token}).status_code == 200
    assert visitor.get("/admin/").status_code == 302


def test_the_test_client_signs_in_and_out(visitor: Any, ada: Any):
    assert visitor.login(username="ada", password=PASSWORD)
    assert visitor.who() == "ada"
    visitor.logout()
    assert visitor.who() == ""
    visitor.force_login(ada)
    assert visitor.who() == "ada"


def test_the_test_clients_session_is_the_visitors(visitor: Any):
    held = visitor.session
    held["theme"] = "dark"
    held.save()
    assert visitor.get("/read").json() == {"theme": "dark"}


def test_two_users_alternating_on_one_thread_never_meet(new_visitor: Callable[[], Any], ada: Any, bob: Any):
    one, other = new_visitor(), new_visitor()
    one.sign_in("ada")
    other.sign_in("bob")
    thread = threading.get_ident()
    seen = [(one.who(), other.who(), new_visitor().who()) for _ in range(20)]
    assert seen == [("ada", "bob", "")] * 20
    assert thread == threading.get_ident()
