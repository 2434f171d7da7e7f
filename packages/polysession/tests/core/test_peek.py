"""A look at a session from outside its requests."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from polysession import Device, SessionManager, SessionSettings, StoreUnavailable
from polysession.core.peek import EndedSession, LiveSession
from polysession.core.record import Address
from polysession.testing import HOUR, START, FailingStore, FakeClock, RecordedEvents, memory_manager

DEVICE = Device("Mozilla/5.0", "192.0.2.7")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def events() -> RecordedEvents:
    return RecordedEvents()


@pytest.fixture
def store(clock: FakeClock) -> FailingStore:
    return FailingStore(clock)


@pytest.fixture
def manager(clock: FakeClock, store: FailingStore, events: RecordedEvents) -> SessionManager:
    return memory_manager(clock=clock, store=store, events=events, settings=SessionSettings(idle=1800))


def signed_in(manager: SessionManager, principal: str, **attributes: Any) -> Any:
    session = manager.open(None, device=DEVICE)
    session.update(attributes)
    session.sign_in(principal, generation=0)
    session.commit()
    return session


def test_a_job_sees_who_when_where_and_the_values(manager: SessionManager, clock: FakeClock) -> None:
    session = signed_in(manager, "42", cart={"book": 1})
    clock.advance(milliseconds=60_000)
    found = manager.peek(session.id, principal="42")
    assert isinstance(found, LiveSession)
    assert (found.id, found.principal, found.device) == (session.id, "42", DEVICE)
    assert (found.created_at, found.last_seen_at, found.authenticated_at) == (START, START, START)
    assert found.idle_expires_at == START + 1_800_000
    assert found.absolute_expires_at == START + 12 * HOUR
    assert dict(found.attributes) == {"cart": {"book": 1}}


def test_a_look_asks_once_writes_nothing_and_is_no_activity(
    manager: SessionManager, clock: FakeClock, store: FailingStore, events: RecordedEvents
) -> None:
    session = signed_in(manager, "42")
    heard = repr(events)
    store.asked.clear()
    clock.advance(milliseconds=1_799_999)
    assert isinstance(manager.peek(session.id, principal="42"), LiveSession)
    assert store.asked == ["read"]
    assert repr(events) == heard
    clock.advance(milliseconds=1)
    assert manager.peek(session.id, principal="42") == EndedSession(session.id, "idle", START + 1_800_000)
    assert set(store.asked) == {"read"}


def test_what_a_job_does_to_a_value_changes_nothing(manager: SessionManager) -> None:
    session = signed_in(manager, "42", cart={"book": 1})
    found = manager.peek(session.id, principal="42")
    assert isinstance(found, LiveSession)
    found.attributes["cart"]["book"] = 9
    assert found.attributes["cart"] == {"book": 1}
    with pytest.raises(TypeError):
        found.attributes["cart"] = {}  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.principal = "43"  # type: ignore[misc]


def test_a_session_id_opens_nothing_of_somebody_else(manager: SessionManager) -> None:
    session = signed_in(manager, "42")
    assert manager.peek(session.id, principal="43") is None
    assert manager.peek("not an ID", principal="42") is None


def test_an_anonymous_session_is_found_by_its_address(manager: SessionManager) -> None:
    session = manager.open(None)
    session["cart"] = {"book": 1}
    session.commit()
    address = session.address
    assert isinstance(address, Address)
    found = manager.peek_at(address)
    assert isinstance(found, LiveSession)
    assert (found.principal, found.authenticated_at) == (None, 0)
    assert found.idle_expires_at == START + HOUR  # its cookie has not come back
    session.end("logout")
    assert manager.peek_at(address) == EndedSession(session.id or "", "logout", START)


def test_unknown_is_not_absent(manager: SessionManager, store: FailingStore) -> None:
    session = signed_in(manager, "42")
    store.away = {"read"}
    with pytest.raises(StoreUnavailable):
        manager.peek(session.id, principal="42")


def test_a_representation_names_attributes_and_no_values(manager: SessionManager) -> None:
    session = signed_in(manager, "42", secret_plan="confidential")
    assert "secret_plan" in repr(manager.peek(session.id, principal="42"))
    assert "confidential" not in repr(manager.peek(session.id, principal="42"))
