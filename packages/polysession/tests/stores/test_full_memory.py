"""What goes on where a node's memory is full. Needs ``redis-server``: six nodes of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from polysession.core.errors import StoreUnavailable
from polysession.core.record import Record, Tombstone
from polysession.core.store import Rotation, Written
from polysession.stores.redis import RedisStore
from polysession.testing import make_address, make_principal, make_record

PARTITION = 12


@pytest.fixture
def full(damageable: Any) -> Iterator[Any]:
    """Call it: from then on the node of `PARTITION` takes nothing that needs memory."""
    owner = damageable.owner(PARTITION)
    yield lambda: damageable.command(owner, "CONFIG SET", "maxmemory", 1)
    damageable.command(owner, "CONFIG SET", "maxmemory", 0)


def test_where_memory_is_full_all_sessions_of_a_principal_still_end(own_store: RedisStore, full: Any) -> None:
    now, principal_key = time.time_ns() // 1_000_000, make_principal()
    kept, gone = make_address(PARTITION), make_address(PARTITION)
    for address in (kept, gone):
        own_store.create(address, make_record(now, principal_key=principal_key, generation=1))
    full()
    ended = own_store.end_principal(PARTITION, principal_key, "revoked", generation=2, keep=kept.session_id)
    assert [one.session_id for one in ended.ended] == [gone.session_id]
    assert isinstance(own_store.read(gone), Tombstone)
    found = own_store.read(kept)
    assert isinstance(found, Record)
    assert found.header.generation == 2


def test_where_memory_is_full_a_secret_still_changes(own_store: RedisStore, full: Any) -> None:
    address, record = make_address(PARTITION), make_record(time.time_ns() // 1_000_000)
    own_store.create(address, record)
    rotation = Rotation(
        expected_hash=record.header.secret_hash,
        secret_hash=bytes(range(16)),
        pepper_id="A",
        rotation_count=1,
        previous_until=record.header.created_at + 30_000,
        generation=0,
    )
    full()
    assert own_store.rotate(address, rotation) == Written()
    found = own_store.read(address)
    assert isinstance(found, Record)
    assert found.header.secret_hash == rotation.secret_hash


def test_where_memory_is_full_who_is_active_does_not_idle_out(own_store: RedisStore, full: Any) -> None:
    now = time.time_ns() // 1_000_000
    address, record = make_address(PARTITION), make_record(now - 60_000)
    own_store.create(address, record)
    full()
    assert own_store.write(address, {}, touch=True) == Written()
    found = own_store.read(address)
    assert isinstance(found, Record)
    assert found.header.last_seen_at >= now
    with pytest.raises(StoreUnavailable):  # it is full, indeed
        own_store.create(make_address(PARTITION), record)
