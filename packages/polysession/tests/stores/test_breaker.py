"""A node that gives no answers costs no waiting; the others are not touched by it."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest
from polysession.core.errors import StoreUnavailable
from polysession.core.record import Record
from polysession.stores.breaker import FAILURES, PROBE_SECONDS, Breaker
from polysession.stores.pool import Node
from polysession.stores.redis import RedisStore
from polysession.testing import make_address, make_record

ONE, TWO = Node("10.0.0.1", 6379), Node("10.0.0.2", 6379)
PARTITION = 11


def test_after_three_failures_in_a_row_one_caller_asks_each_quarter_second() -> None:
    now = 0.0
    breaker = Breaker(lambda: now)
    for _ in range(FAILURES):
        assert breaker.admits(ONE)
        breaker.failed(ONE)
    assert not breaker.admits(ONE)
    assert breaker.admits(TWO)
    now = PROBE_SECONDS
    assert [breaker.admits(ONE) for _ in range(3)] == [True, False, False]
    breaker.failed(ONE)
    now = 2 * PROBE_SECONDS
    assert [breaker.admits(ONE) for _ in range(3)] == [True, False, False]
    breaker.answered(ONE)
    assert [breaker.admits(ONE) for _ in range(3)] == [True, True, True]


def test_an_answer_between_failures_starts_the_count_again() -> None:
    breaker = Breaker(lambda: 0.0)
    for _ in range(2 * FAILURES):
        breaker.failed(ONE)
        breaker.answered(ONE)
    assert breaker.admits(ONE)


def connect(store: RedisStore) -> None:
    """Its deadline is short, so that the cluster does not notice; the first answers may need longer."""
    for _ in range(50):
        with contextlib.suppress(StoreUnavailable):
            return store.ping()
    raise AssertionError("the cluster does not answer")


def test_a_frozen_node_is_refused_at_once_the_others_answer_and_it_comes_back(
    own_store: RedisStore, damageable: Any
) -> None:
    here = make_address(PARTITION)
    owner = damageable.owner(PARTITION)
    there = make_address(next(one for one in range(100) if damageable.owner(one) != owner))
    for address in (here, there):
        own_store.create(address, make_record(own_store.now()))
    store = RedisStore(damageable.nodes, prefix=own_store._keys.prefix, deadline_ms=100)
    connect(store)

    damageable.pause(owner)
    try:
        for _ in range(FAILURES):
            with pytest.raises(StoreUnavailable):
                store.read(here)
        began, refused = time.monotonic(), 0
        while time.monotonic() - began < 0.2:  # before the others notice: a node timeout is a second
            with pytest.raises(StoreUnavailable):
                store.read(here)
            refused += 1
        assert refused > 10
    finally:
        damageable.resume(owner)
    began = time.monotonic()
    while True:
        try:
            assert isinstance(store.read(here), Record)
            break
        except StoreUnavailable:
            assert time.monotonic() - began < 5
    assert isinstance(store.read(there), Record)
    store.close()
