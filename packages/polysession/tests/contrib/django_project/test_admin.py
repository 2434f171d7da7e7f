"""Where a user is signed in, on that user's page in the admin."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.checks import run_checks
from polysession.core.errors import StoreUnavailable

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def staff(db: None, new_visitor: Any) -> Any:
    get_user_model().objects.create_superuser("root", "root@example.org", "correct horse battery staple")
    visitor = new_visitor()
    visitor.sign_in("root")
    return visitor


def page_of(visitor: Any, user: Any) -> Any:
    return visitor.get(f"/admin/auth/user/{user.pk}/change/")


def end(visitor: Any, user: Any, session_id: str = "") -> Any:
    found = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page_of(visitor, user).content.decode())
    fields = {"csrfmiddlewaretoken": found[-1], "session_id": session_id}
    return visitor.post(f"/admin/auth/user/{user.pk}/sessions/end/", fields, follow=True)


def session_ids(page: Any) -> list[str]:
    return re.findall(r'name="session_id" value="([\w-]{16})"', page.content.decode())


def test_the_page_of_a_user_lists_where_it_is_signed_in(staff: Any, ada: Any, new_visitor: Any) -> None:
    assert "Signed in nowhere." in page_of(staff, ada).content.decode()
    for device in (FIREFOX, "<script>alert(1)</script>"):
        visitor = new_visitor(HTTP_USER_AGENT=device)
        visitor.sign_in("ada")
    page = page_of(staff, ada)
    text = page.content.decode()
    assert len(session_ids(page)) == 2
    assert FIREFOX in text
    assert "<script>alert(1)" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "This one" not in text


def test_one_session_is_ended_by_its_button_and_the_history_says_by_whom(
    staff: Any, ada: Any, new_visitor: Any
) -> None:
    one, other = new_visitor(), new_visitor()
    one.sign_in("ada")
    other.sign_in("ada")
    session_id = one.get("/who")["X-Session-Id"]
    answer = end(staff, ada, session_id)
    assert answer.redirect_chain == [(f"/admin/auth/user/{ada.pk}/change/", 302)]
    assert "The session has ended." in answer.content.decode()
    assert (one.who(), other.who()) == ("", "ada")
    entry = LogEntry.objects.get(object_id=str(ada.pk))
    assert (entry.user.username, entry.get_change_message()) == ("root", f"Ended session {session_id}.")
    assert "may have ended already" in end(staff, ada, session_id).content.decode()
    assert LogEntry.objects.count() == 1


def test_all_sessions_are_ended_by_one_button(staff: Any, ada: Any, bob: Any, new_visitor: Any) -> None:
    visitors = [new_visitor() for _ in range(3)]
    for visitor, name in zip(visitors, ("ada", "ada", "bob"), strict=True):
        visitor.sign_in(name)
    end(staff, ada)
    assert [visitor.who() for visitor in visitors] == ["", "", "bob"]
    assert LogEntry.objects.get().get_change_message() == "Ended all sessions."


def test_on_ones_own_page_this_session_is_marked_and_stays(staff: Any, new_visitor: Any) -> None:
    root = get_user_model().objects.get(username="root")
    elsewhere = new_visitor()
    elsewhere.sign_in("root")
    page = page_of(staff, root)
    assert "This one" in page.content.decode()
    assert "End all others" in page.content.decode()
    own = page["X-Session-Id"]
    assert own not in session_ids(page)
    assert "sign out instead" in end(staff, root, own).content.decode()
    end(staff, root)
    assert (staff.who(), elsewhere.who()) == ("root", "")


def test_a_session_of_somebody_else_is_not_ended_by_this_users_page(
    staff: Any, ada: Any, bob: Any, new_visitor: Any
) -> None:
    visitor = new_visitor()
    visitor.sign_in("bob")
    end(staff, ada, visitor.get("/who")["X-Session-Id"])
    assert visitor.who() == "bob"


def test_only_who_may_change_the_user_sees_and_ends(db: None, ada: Any, bob: Any, new_visitor: Any) -> None:
    bob.is_staff = True
    bob.save()
    bob.user_permissions.add(Permission.objects.get(codename="view_user"))
    visitor, victim = new_visitor(), new_visitor()
    visitor.sign_in("bob")
    victim.sign_in("ada")
    page = page_of(visitor, ada)
    assert page.status_code == 200
    assert 'class="module polysession"' not in page.content.decode()
    path = f"/admin/auth/user/{ada.pk}/sessions/end/"
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.content.decode())[1]  # type: ignore[index]
    assert visitor.post(path, {"csrfmiddlewaretoken": token}).status_code == 403
    assert victim.who() == "ada"
    assert new_visitor().post(path).status_code in (302, 403)
    bob.user_permissions.add(Permission.objects.get(codename="change_user"))
    assert len(session_ids(page_of(visitor, ada))) == 1


def test_ending_takes_a_post_with_a_csrf_token(staff: Any, ada: Any, new_visitor: Any) -> None:
    victim = new_visitor()
    victim.sign_in("ada")
    path = f"/admin/auth/user/{ada.pk}/sessions/end/"
    assert staff.get(path).status_code == 405
    strict = new_visitor(enforce_csrf_checks=True)
    strict.cookies = staff.cookies
    assert strict.post(path, {"session_id": ""}).status_code == 403
    assert victim.who() == "ada"
    assert staff.post("/admin/auth/user/4711/sessions/end/").status_code == 404


def test_a_store_that_gives_no_answer_is_a_sentence_and_no_500(
    staff: Any, ada: Any, manager: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("list", "away")

    monkeypatch.setattr(manager, "sessions", away)
    page = page_of(staff, ada)
    assert page.status_code == 200
    assert "The session store gave no answer" in page.content.decode()
    answer = end(staff, ada)
    assert answer.status_code == 200
    assert "gave no answer. Try again." in answer.content.decode()
    assert not LogEntry.objects.exists()


def test_the_page_that_adds_a_user_is_as_ever(staff: Any) -> None:
    assert staff.get("/admin/auth/user/add/").status_code == 200


def test_without_the_app_a_check_says_what_to_install(settings: Any) -> None:
    settings.INSTALLED_APPS = [name for name in settings.INSTALLED_APPS if not name.startswith("polysession")]
    found = {one.id: one.hint for one in run_checks()}
    assert "INSTALLED_APPS" in found["polysession.E010"]
