"""Old sessions beside a ledger: what Redis loses, it still knows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from polysession.contrib.django.ledger.ledger import DjangoLedger
from polysession.core.manager import SessionManager
from polysession.core.migration import JOIN
from polysession.testing import FailingStore

from .conftest import create_ledger
from .test_migration import Old


@pytest.fixture
def lose_redis(settings: Any, manager: SessionManager, clock: Any, db: None) -> Callable[[], FailingStore]:
    """The manager has a ledger from now on; each call gives it a store that knows nothing."""
    create_ledger()
    keys = manager.keys

    def lose() -> FailingStore:
        store = FailingStore(clock)
        settings.POLYSESSION_MANAGER = SessionManager(store, keys, clock=clock, ledger=DjangoLedger())
        return store

    settings.POLYSESSION_MIGRATE_FROM = "django.contrib.sessions.backends.signed_cookies"
    settings.POLYSESSION_MIGRATE_UNTIL = (datetime.now(UTC) + timedelta(days=5)).date()
    lose()
    return lose


@pytest.mark.parametrize("signs_out", [True, False])
def test_a_used_up_cookie_stays_used_up_after_the_loss_of_all_of_redis(
    visitor: Any, new_visitor: Any, ada: Any, clock: Any, lose_redis: Any, signs_out: bool
) -> None:
    old = Old("signed_cookies", ada)
    assert old.carried_by(visitor).who() == "ada"
    if signs_out:
        visitor.post("/sign-out")
    clock.advance(seconds=JOIN)
    lose_redis()
    copy = old.carried_by(new_visitor())
    assert (copy.who(), copy.token) == ("", None)
    with CaptureQueriesContext(connection) as queries:
        assert old.carried_by(new_visitor()).who() == ""
    assert not [one for one in queries.captured_queries if "polysession_ledger" in one["sql"]]
    if not signs_out:
        assert visitor.who() == "ada"  # by the ledger, with the token that the exchange gave


def test_parallel_requests_join_in_though_redis_lost_everything_between_them(
    visitor: Any, new_visitor: Any, ada: Any, clock: Any, lose_redis: Any
) -> None:
    old = Old("signed_cookies", ada)
    assert old.carried_by(visitor).who() == "ada"
    clock.advance(seconds=JOIN - 1)
    lose_redis()
    other = old.carried_by(new_visitor())
    assert (other.who(), other.token) == ("ada", visitor.token)


def test_an_exchange_that_the_store_did_not_answer_can_be_repeated_at_any_time(
    visitor: Any, ada: Any, clock: Any, lose_redis: Any
) -> None:
    old = Old("signed_cookies", ada)
    store = lose_redis()
    store.away.add("create")
    assert old.carried_by(visitor).get("/read").status_code == 503
    clock.advance(seconds=24 * 3600)
    store.away.clear()
    assert visitor.who() == "ada"
