"""The reference store keeps the port's promises."""

from __future__ import annotations

import pytest
from polysession.core.record import Tombstone
from polysession.stores.memory import DUE_AT_ONCE, MemoryStore
from polysession.testing import HOUR, FakeClock, StoreContract, make_address, make_record


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore(clock=FakeClock())


def test_a_tombstone_is_gone_after_its_time() -> None:
    clock = FakeClock()
    store = MemoryStore(clock=clock, tombstone_ms=HOUR)
    address = make_address()
    store.create(address, make_record(clock.now()))
    store.end(address, "logout")
    clock.advance(milliseconds=HOUR - 1)
    assert isinstance(store.read(address), Tombstone)
    clock.advance(milliseconds=1)
    assert store.read(address) is None


def test_one_creation_ends_at_most_sixteen_due_sessions() -> None:
    clock = FakeClock()
    store = MemoryStore(clock=clock)
    for _ in range(DUE_AT_ONCE + 4):
        store.create(make_address(9), make_record(clock.now()))
    clock.advance(milliseconds=HOUR)
    due = [len(store.create(make_address(9), make_record(clock.now())).due) for _ in range(3)]  # type: ignore[union-attr]
    assert due == [DUE_AT_ONCE, 4, 0]
