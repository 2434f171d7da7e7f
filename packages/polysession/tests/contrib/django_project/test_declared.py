"""What Django keeps in a session, and a typed view of it, where requests run in parallel."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.messages import constants
from django.contrib.messages.storage.session import SessionStorage
from django.http import HttpResponse
from django.test import RequestFactory
from polysession.contrib.django import SessionStore
from polysession.contrib.django.messages import MessageStorage
from polysession.core.schema import Counter, SessionSchema, SetOf


class Visits(SessionSchema):
    visits: Counter
    seen: SetOf[str]


def one_request(token: str | None, storage: type = MessageStorage) -> Any:
    request = RequestFactory().get("/")
    request.session = SessionStore(token)  # type: ignore[assignment]
    return storage(request)


def answered(storage: Any) -> str:
    storage.update(HttpResponse())
    storage.request.session.commit()
    return str(storage.request.session.session_key)


def texts(token: str) -> list[str]:
    storage = one_request(token)
    shown = [message.message for message in storage]
    answered(storage)
    return shown


@pytest.fixture
def token() -> str:
    first = one_request(None)
    first.add(constants.INFO, "Saved.", extra_tags="quiet")
    return answered(first)


def test_messages_of_parallel_requests_are_all_shown_each_once(token: str):
    storages = [one_request(token) for _ in range(3)]
    for number, storage in enumerate(storages):
        storage.add(constants.WARNING, f"Late {number}.")
        assert len(storage) == 2  # it has read the session
    for storage in storages:
        answered(storage)
    assert texts(token) == ["Saved.", "Late 0.", "Late 1.", "Late 2."]
    assert texts(token) == []


def test_a_message_added_while_others_are_shown_is_shown_next(token: str):
    page, other = one_request(token), one_request(token)
    shown = [(message.message, message.tags) for message in page]
    other.add(constants.INFO, "Late.")
    assert len(other) == 2
    answered(other)
    answered(page)
    assert shown == [("Saved.", "quiet info")]
    assert texts(token) == ["Late."]


def test_messages_that_django_stored_before_the_switch_are_shown():
    before = one_request(None, SessionStorage)
    before.add(constants.INFO, "Stored as one str.")
    assert texts(answered(before)) == ["Stored as one str."]


def test_with_djangos_own_storage_a_lost_message_is_counted(events: Any):
    first = one_request(None, SessionStorage)
    first.add(constants.INFO, "Saved.")
    token = answered(first)
    storages = [one_request(token, SessionStorage) for _ in range(2)]
    for number, storage in enumerate(storages):
        storage.add(constants.INFO, f"Late {number}.")
        assert len(storage) == 2
    for storage in storages:
        answered(storage)
    assert events.conflicts == ["last_write"]


def test_a_typed_view_of_the_request_session_counts_every_request(token: str):
    sessions = [SessionStore(token) for _ in range(4)]
    for number, session in enumerate(sessions):
        assert Visits(session).visits == 0
        session.session.set_policy("visits", "counter")
        session.session.set_policy("seen", "set")
        Visits(session).visits += 1
        Visits(session).seen.add(str(number))
        session.update("pages", lambda pages: pages + 1, default=0)
        session.update({"theme": "dark"})
    for session in sessions:
        session.save()
    now = SessionStore(token)
    assert (now["visits"], now["seen"], now["pages"]) == (4, set("0123"), 4)
    assert now["theme"] == "dark"
