"""Routes as templates; the session in the baggage of its request and on no thread afterwards."""

from __future__ import annotations

from typing import Any

import pytest
from chassis.metrics import ROUTE
from opentelemetry import baggage
from polysession.core.events import Events
from users.sessions import views


def test_a_route_is_a_template(person: Any):
    answer = person.ask("DELETE", f"sessions/{'A' * 16}")
    assert answer.wsgi_request.META[ROUTE] == "/api/users/sessions/{id}"
    assert person.get("/api/users/me").wsgi_request.META[ROUTE] == "/api/users/me"
    assert ROUTE not in person.get("/api/users/nothing").wsgi_request.META


def test_the_session_id_is_in_the_baggage_while_the_request_lasts_and_not_after(
    person: Any, new_person: Any, monkeypatch: Any
):
    seen: list[object] = []
    describe = views.describe
    monkeypatch.setattr(
        views, "describe", lambda *given: seen.append(baggage.get_baggage("session.id")) or describe(*given)
    )
    other = new_person().sign_up().sign_in()
    seen.clear()
    ids = [one.current()["id"] for one in (person, other, new_person(), person)]
    assert seen == ids
    assert ids[2] is None
    assert baggage.get_baggage("session.id") is None


def test_the_stores_operation_at_the_end_of_a_request_has_it_too(
    person: Any, manager_events: list[tuple[str, object]]
):
    current = person.current()["id"]
    manager_events.clear()
    person.ask(
        "PUT", "me/password", {"current": "correct horse battery staple", "new": "another long passphrase"}
    )
    assert {name for name, _ in manager_events} >= {"read", "rotate"}
    assert {session_id for _, session_id in manager_events} == {current}


@pytest.fixture
def manager_events(settings: Any) -> list[tuple[str, object]]:
    from users.sessions.manager import make_manager

    heard: list[tuple[str, object]] = []

    class Heard(Events):
        def operation(self, name: str, attributes: Any) -> Any:
            heard.append((name, baggage.get_baggage("session.id")))
            return super().operation(name, attributes)

    manager = make_manager()
    store = manager._store  # behind the seal
    store._events = Heard()  # type: ignore[attr-defined]
    settings.POLYSESSION_MANAGER = manager
    return heard
