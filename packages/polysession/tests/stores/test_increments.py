"""1,600 increments of one session by 16 threads, on a real cluster: each counts, however they are written."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from polysession.core.manager import SessionManager
from polysession.core.schema import Counter, ListOf, SessionSchema, SetOf
from polysession.core.session import Session
from polysession.core.settings import SessionSettings
from polysession.stores.redis import RedisStore
from polysession.testing import RecordedEvents, make_keys

THREADS, EACH = 16, 100
EVERY = THREADS * EACH


class Visits(SessionSchema):
    visits: Counter
    pages: dict[str, Counter]
    seen: SetOf[int]
    log: ListOf[int]


def count_by_schema(session: Session, _number: int) -> None:
    Visits(session).visits += 1


def count_by_function(session: Session, _number: int) -> None:
    session.update("undeclared", lambda visits: visits + 1, default=0)


@pytest.fixture
def events() -> RecordedEvents:
    return RecordedEvents()


@pytest.fixture
def manager(shared_store: RedisStore, events: RecordedEvents) -> SessionManager:
    """Patient with a busy machine: at the deadline a conflict would be raised, which is not lost but said."""
    settings = SessionSettings(schema=Visits, commit_deadline_ms=60_000)
    return SessionManager(shared_store, make_keys(), settings=settings, events=events)


def contend(manager: SessionManager, change: Callable[[Session, int], None], each: int) -> dict[str, Any]:
    first = manager.open(None)
    first["begun"] = True
    first.commit()

    def visit(thread: int) -> None:
        for number in range(each):
            session = manager.open(first.token)
            change(session, thread * each + number)
            session.commit()

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(visit, range(THREADS)))
    return dict(manager.open(first.token))


@pytest.mark.parametrize(("change", "name"), [(count_by_schema, "visits"), (count_by_function, "undeclared")])
def test_of_1600_concurrent_increments_none_is_lost(
    manager: SessionManager, events: RecordedEvents, change: Callable[[Session, int], None], name: str
) -> None:
    assert contend(manager, change, EACH)[name] == EVERY
    assert Tally(events.conflicts).keys() == {"merged"}  # they did meet, and no leaf was overwritten


def test_every_element_item_and_nested_counter_of_parallel_requests_is_kept(manager: SessionManager) -> None:
    def change(session: Session, number: int) -> None:
        view = Visits(session)
        view.seen.add(number)
        view.log.append(number)
        view.pages["home"] = view.pages.get("home", 0) + 1

    found = contend(manager, change, 10)
    numbers = range(THREADS * 10)
    assert found["seen"] == set(numbers)
    assert sorted(found["log"]) == list(numbers)
    for thread in range(THREADS):  # each thread's items are in its order
        mine = [number for number in found["log"] if number // 10 == thread]
        assert mine == sorted(mine)
    assert found["pages"] == {"home": THREADS * 10}
