"""Whose clock judges a session."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from polysession.stores.redis import RedisStore
from polysession.testing import FakeClock

HOUR = 3_600_000
NEAR = 10_000  # milliseconds; the machine may be busy


@pytest.fixture(params=[-HOUR, HOUR])
def skewed_store(
    request: pytest.FixtureRequest, redis_nodes: tuple[tuple[str, int], ...], redis_prefix: str
) -> Iterator[RedisStore]:
    """Of a process whose clock is an hour off."""
    clock = FakeClock(time.time_ns() // 1_000_000 + request.param)
    store = RedisStore(redis_nodes, prefix=redis_prefix, deadline_ms=5000, clock=clock)
    yield store
    store.close()


def test_a_process_that_has_only_asked_for_health_judges_by_the_clock_of_redis(
    skewed_store: RedisStore,
) -> None:
    now = time.time_ns() // 1_000_000
    assert abs(skewed_store.now() - now) > HOUR - NEAR
    skewed_store.ping()
    assert abs(skewed_store.now() - now) < NEAR
