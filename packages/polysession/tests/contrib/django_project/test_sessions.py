"""What a Django app that moves here relies on: ``request.session`` as it knows it, and the cookie's rules."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.sessions.backends.base import CreateError
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from polysession.contrib.django import CsrfMiddleware, SessionStore, get_manager
from polysession.core.record import Kind
from polysession.testing import FakeClock, RecordedEvents

COOKIE = "__Host-session"
PAGE = {"Sec-Fetch-Mode": "navigate", "Accept": "text/html"}


def test_what_is_put_in_is_there_at_the_next_request(visitor: Any):
    visitor.post("/put/theme/dark")
    assert visitor.get("/read").json() == {"theme": "dark"}


def test_a_nested_change_is_found_without_modified(visitor: Any):
    visitor.post("/nested/clock")
    visitor.post("/nested/compass")
    assert visitor.get("/read").json() == {"cart": {"lines": ["clock", "compass"]}}


def test_a_request_that_does_not_use_the_session_asks_nothing_and_varies_on_nothing(visitor: Any, store: Any):
    visitor.post("/put/theme/dark")
    store.asked.clear()
    answer = visitor.get("/plain")
    assert store.asked == []
    assert "Vary" not in answer.headers


def test_a_read_creates_no_session(visitor: Any, store: Any):
    answer = visitor.get("/read")
    assert "create" not in store.asked
    assert COOKIE not in answer.cookies
    assert "Cookie" in answer["Vary"]


def test_the_cookie_is_set_at_creation_and_not_again(visitor: Any):
    cookie = visitor.post("/put/theme/dark").cookies[COOKIE]
    assert cookie["secure"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert not cookie["domain"]
    assert COOKIE not in visitor.post("/put/theme/light").cookies


def test_the_answer_names_the_session_by_its_id_and_not_by_its_token(visitor: Any):
    created = visitor.post("/put/theme/dark")
    later = visitor.get("/plain")
    assert created["X-Session-Id"] == later["X-Session-Id"] == get_manager().open(visitor.token).id
    assert "X-Session-Id" not in type(visitor)().get("/plain").headers


def test_nothing_is_saved_by_a_request_that_failed(visitor: Any):
    visitor.post("/put/theme/dark")
    visitor.raise_request_exception = False
    assert visitor.post("/fail").status_code == 500
    assert visitor.get("/read").json() == {"theme": "dark"}


@pytest.mark.parametrize(
    ("headers", "cleared"),
    [
        (PAGE, True),
        ({"Accept": "text/html"}, True),
        ({"Sec-Fetch-Mode": "cors", "Accept": "text/html"}, False),
        ({}, False),
    ],
)
def test_a_cookie_that_names_nothing_live_is_cleared_by_page_navigations_only(
    visitor: Any, clock: FakeClock, headers: dict[str, str], cleared: bool
):
    visitor.post("/put/theme/dark")
    clock.advance(seconds=8 * 24 * 3600)
    answer = visitor.get("/read", headers=headers)
    assert (COOKIE in answer.cookies) is cleared


def test_a_forged_token_is_no_session_and_no_question(visitor: Any, store: Any, events: RecordedEvents):
    visitor.cookies[COOKIE] = "s" + "A" * 69
    assert visitor.get("/read").json() == {}
    assert store.asked == []
    assert events.validations == ["invalid"]


def test_passive_requests_do_not_keep_a_session_alive(visitor: Any, clock: FakeClock):
    visitor.post("/put/theme/dark")
    visitor.get("/read")
    for _ in range(5):
        clock.advance(seconds=5 * 3600)
        visitor.get("/poll")
        visitor.get("/read", headers={"X-Session-Passive": "1"})
    assert visitor.get("/read").json() == {}


def test_other_requests_do_keep_it_alive(visitor: Any, clock: FakeClock):
    visitor.post("/put/theme/dark")
    for _ in range(5):
        clock.advance(seconds=50 * 60)
        assert visitor.get("/read").json() == {"theme": "dark"}


# --- the store is away


@pytest.mark.parametrize("path", ["/read", "/who", "/admin/"])
def test_without_an_answer_from_the_store_it_is_503_and_the_cookie_stays(visitor: Any, store: Any, path: str):
    visitor.post("/put/theme/dark")
    store.away.add("all")
    answer = visitor.get(path, headers=PAGE)
    assert answer.status_code == 503
    assert answer["Retry-After"] == "3"
    assert answer["Content-Type"] == "application/problem+json"
    assert not answer.cookies
    store.away.clear()
    assert visitor.get("/read").json() == {"theme": "dark"}


def test_a_save_without_an_answer_is_503_too(visitor: Any, store: Any):
    visitor.post("/put/theme/dark")
    store.away.add("write")
    answer = visitor.post("/put/theme/light")
    assert (answer.status_code, answer["Retry-After"]) == (503, "3")
    assert not answer.cookies


def test_a_middleware_that_needs_the_store_gets_503_and_not_500(visitor: Any, store: Any, settings: Any):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
    held = SessionStore()
    held.save()
    visitor.cookies[COOKIE] = held.session_key
    store.away.add("all")
    visitor.raise_request_exception = False
    assert visitor.get("/plain").status_code == 503


def test_an_optional_view_answers_without_the_store(visitor: Any, store: Any):
    visitor.post("/put/theme/dark")
    assert visitor.get("/catalogue").json() == {"theme": "dark"}
    store.away.add("all")
    answer = visitor.get("/catalogue", headers=PAGE)
    assert (answer.status_code, answer.json()) == (200, {"theme": "light"})
    assert not answer.cookies


def test_a_request_without_a_cookie_does_not_need_the_store(visitor: Any, store: Any):
    store.away.add("all")
    assert visitor.get("/read").status_code == 200


# --- the engine


def test_a_saved_session_has_a_key_even_if_it_is_empty():
    held = SessionStore()
    held.save()
    assert held.session_key is not None
    assert SessionStore().exists(held.session_key)
    assert list(SessionStore(held.session_key).keys()) == []


def test_create_makes_another_session():
    first = SessionStore()
    first.create()
    key = first.session_key
    first.create()
    assert first.session_key not in (None, key)
    with pytest.raises(CreateError):
        first.save(must_create=True)


def test_cycle_key_keeps_the_attributes_and_refuses_the_old_key():
    held = SessionStore()
    held["theme"] = "dark"
    held.save()
    key = held.session_key
    held.cycle_key()
    held.save()
    assert held.session_key != key
    assert not held.exists(str(key))
    assert SessionStore(held.session_key)["theme"] == "dark"


def test_flush_ends_the_session_at_once(events: RecordedEvents):
    held = SessionStore()
    held["theme"] = "dark"
    held.save()
    key = held.session_key
    held.flush()
    assert not SessionStore().exists(str(key))
    assert held.session_key is None
    assert held.is_empty()
    assert events.ended_reasons == ["logout"]


def test_delete_ends_a_session_by_its_key():
    held = SessionStore()
    held.save()
    SessionStore().delete(held.session_key)
    assert not SessionStore().exists(str(held.session_key))


def test_the_mapping_has_the_methods_of_djangos():
    held = SessionStore()
    held.update({"a": 1, "b": 2})
    assert held.setdefault("c", 3) == 3
    assert held.pop("a") == 1
    assert held.pop("a", None) is None
    assert held.get("missing", "default") == "default"
    assert "b" in held
    assert held.has_key("c")
    del held["b"]
    assert dict(held.items()) == {"c": 3}
    with pytest.raises(KeyError):
        _ = held["b"]
    held.clear()
    assert list(held.keys()) == []


def test_the_async_methods_do_the_same():
    from asgiref.sync import async_to_sync

    async def use() -> str | None:
        held = SessionStore()
        await held.aset("theme", "dark")
        await held.asave()
        key = held.session_key
        await held.acycle_key()
        await held.asave()
        assert held.session_key != key
        return await SessionStore(held.session_key).aget("theme")

    assert async_to_sync(use)() == "dark"


# --- the manager


@pytest.mark.parametrize("wrong", [None, 1, lambda: "no manager"])
def test_a_setting_that_gives_no_manager_is_named(settings: Any, wrong: Any):
    settings.POLYSESSION_MANAGER = wrong
    with pytest.raises(ImproperlyConfigured, match="POLYSESSION_MANAGER"):
        get_manager()


def test_a_callable_is_called_once(settings: Any, manager: Any):
    calls: list[int] = []
    settings.POLYSESSION_MANAGER = lambda: calls.append(1) or manager
    assert get_manager() is get_manager() is manager
    assert calls == [1]


def test_a_cookie_name_that_differs_from_the_session_settings_is_named(settings: Any, manager: Any):
    settings.SESSION_COOKIE_NAME = "another"
    settings.POLYSESSION_MANAGER = manager
    with pytest.raises(ImproperlyConfigured, match="SESSION_COOKIE_NAME"):
        get_manager()


def test_a_csrf_secret_beside_the_session_is_refused(settings: Any):
    settings.CSRF_USE_SESSIONS = False
    with pytest.raises(ImproperlyConfigured, match="CSRF_USE_SESSIONS"):
        CsrfMiddleware(lambda request: HttpResponse())


def test_an_anonymous_session_counts_as_one(visitor: Any, events: RecordedEvents):
    visitor.post("/put/theme/dark")
    assert events.created_kinds == [Kind.ANONYMOUS]
    assert json.loads(visitor.get("/who").content) == {"user": "", "id": None}
