"""What the store does when its cluster is damaged. Needs ``redis-server``: six nodes of its own, stopped at the end."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from polysession.core import values
from polysession.core.errors import StoreUnavailable
from polysession.core.record import Address, Record, Tombstone
from polysession.core.store import Change, Created, Ended, Written
from polysession.stores.commands import Command
from polysession.stores.keys import Keyspace, slot
from polysession.stores.redis import RedisStore
from polysession.testing import make_address, make_attribute, make_record

PARTITION = 11
STORED = time.time_ns() // 1_000_000
SOON = 5  # seconds: not hung. The deadline is a second, but this machine may be busy


def answer(call: Callable[[], Any]) -> Any:
    """The call's result, or that the store gave none, soon."""
    began = time.monotonic()
    try:
        return call()
    except StoreUnavailable as error:
        return error
    finally:
        assert time.monotonic() - began < SOON


def eventually(call: Callable[[], Any], *, seconds: float = 20) -> tuple[Any, int]:
    """The first answer, and how often there was none before it."""
    end = time.monotonic() + seconds
    refused = 0
    while isinstance(result := answer(call), StoreUnavailable):
        assert time.monotonic() < end, f"still none: {result}"
        refused += 1
        time.sleep(0.02)
    return result, refused


def elsewhere(cluster: Any, owner: int) -> int:
    """A partition of another primary."""
    return next(partition for partition in range(100) if cluster.owner(partition) != owner)


def begin_move(cluster: Any, partition: int) -> tuple[int, int]:
    """The slot's owner, and the primary to which it now moves."""
    source = cluster.owner(partition)
    target = cluster.another(source)
    cluster.command(target, "CLUSTER SETSLOT", slot(partition), "IMPORTING", cluster.id(source))
    cluster.command(source, "CLUSTER SETSLOT", slot(partition), "MIGRATING", cluster.id(target))
    return source, target


def finish_move(cluster: Any, partition: int, source: int, target: int) -> None:
    keys = cluster.command(source, "CLUSTER GETKEYSINSLOT", slot(partition), 1000)
    if keys:
        cluster.command(source, "MIGRATE", "127.0.0.1", target, "", 0, 5000, "KEYS", *keys)
    for port in (target, source):
        cluster.command(port, "CLUSTER SETSLOT", slot(partition), "NODE", cluster.id(target))


def test_a_killed_primary_is_unknown_until_its_replica_serves_the_same_client(
    own_store: RedisStore, damageable: Any
) -> None:
    address = make_address(PARTITION)
    own_store.create(address, make_record(STORED, {"cart": "1"}))
    owner = damageable.owner(PARTITION)
    damageable.command(owner, "WAIT", 1, 2000)

    damageable.kill(owner)

    assert isinstance(answer(lambda: own_store.read(address)), StoreUnavailable)
    with pytest.raises(StoreUnavailable):
        own_store.ping()
    record, refused = eventually(lambda: own_store.read(address))
    assert refused > 0
    assert values.decode(record.attributes["cart"].value) == "1"
    assert own_store.write(address, {}, touch=True) == Written()
    eventually(own_store.ping)


def test_a_dead_primary_does_not_stop_the_partitions_of_the_others(
    own_store: RedisStore, damageable: Any
) -> None:
    owner = damageable.owner(PARTITION)
    other = make_address(elsewhere(damageable, owner))
    own_store.create(other, make_record(STORED))

    damageable.kill(owner)

    for _ in range(20):
        assert isinstance(own_store.read(other), Record)


def test_a_frozen_primary_is_unknown_and_serves_again_when_it_wakes(
    own_store: RedisStore, damageable: Any
) -> None:
    address = make_address(PARTITION)
    own_store.create(address, make_record(STORED))
    owner = damageable.owner(PARTITION)

    damageable.pause(owner)
    try:
        refused = answer(lambda: own_store.read(address))
    finally:
        damageable.resume(owner)

    assert isinstance(refused, StoreUnavailable)
    record, _ = eventually(lambda: own_store.read(address))
    assert isinstance(record, Record)


def test_a_primary_that_stays_frozen_is_replaced_and_the_same_client_finds_its_successor(
    own_store: RedisStore, damageable: Any
) -> None:
    address = make_address(PARTITION)
    own_store.create(address, make_record(STORED))
    owner = damageable.owner(PARTITION)
    damageable.command(owner, "WAIT", 1, 2000)

    damageable.pause(owner)
    try:
        record, refused = eventually(lambda: own_store.read(address))
    finally:
        damageable.resume(owner)

    assert refused > 0
    assert isinstance(record, Record)


def test_a_late_answer_is_never_taken_for_the_next_one(own_store: RedisStore, damageable: Any) -> None:
    one, two = make_address(PARTITION), make_address(PARTITION)
    own_store.create(one, make_record(STORED, {"whose": "one"}))
    own_store.create(two, make_record(STORED, {"whose": "two"}))
    owner = damageable.owner(PARTITION)

    damageable.pause(owner)
    try:
        assert isinstance(answer(lambda: own_store.read(one)), StoreUnavailable)
    finally:
        damageable.resume(owner)

    record, _ = eventually(lambda: own_store.read(two))
    assert values.decode(record.attributes["whose"].value) == "two"


def test_a_slot_that_moved_is_found_by_a_client_with_an_old_table(
    own_store: RedisStore, damageable: Any
) -> None:
    address = make_address(PARTITION)
    own_store.create(address, make_record(STORED, {"cart": "1"}))

    source, target = begin_move(damageable, PARTITION)
    finish_move(damageable, PARTITION, source, target)

    record = own_store.read(address)
    assert isinstance(record, Record)
    assert own_store.end(address, "logout") == Ended(address.session_id, "logout")


def test_while_a_slot_moves_a_record_is_read_and_written_on_either_side(
    own_store: RedisStore, damageable: Any, redis_prefix: str
) -> None:
    here, there = make_address(PARTITION), make_address(PARTITION)
    own_store.create(here, make_record(STORED))
    own_store.create(there, make_record(STORED))

    source, target = begin_move(damageable, PARTITION)
    key = Keyspace(redis_prefix).record(there)
    damageable.command(source, "MIGRATE", "127.0.0.1", target, key, 0, 5000)
    damageable.command(target, "SCRIPT FLUSH")
    try:
        for address in (here, there):
            change = Change(None, make_attribute("x"))
            assert own_store.write(address, {"cart": change}) == Written()
            record = own_store.read(address)
            assert isinstance(record, Record)
            assert set(record.attributes) == {"cart"}
    finally:
        finish_move(damageable, PARTITION, source, target)


def test_a_session_is_created_as_soon_as_its_slot_has_moved(damageable: Any, redis_prefix: str) -> None:
    store = RedisStore(damageable.nodes, prefix=redis_prefix, deadline_ms=5000)
    store.create(
        make_address(PARTITION), make_record(STORED)
    )  # so that the expiry set is there, and its record not
    source, target = begin_move(damageable, PARTITION)
    later = threading.Timer(0.3, finish_move, (damageable, PARTITION, source, target))
    later.start()
    try:
        assert store.create(make_address(PARTITION), make_record(STORED)) == Created()
    finally:
        later.join()
        store.close()


def test_a_creation_in_a_slot_that_goes_on_moving_is_unknown(own_store: RedisStore, damageable: Any) -> None:
    own_store.create(make_address(PARTITION), make_record(STORED))
    source, target = begin_move(damageable, PARTITION)
    try:
        assert isinstance(
            answer(lambda: own_store.create(make_address(PARTITION), make_record(STORED))), StoreUnavailable
        )
    finally:
        finish_move(damageable, PARTITION, source, target)


def test_a_node_that_forgot_the_scripts_is_told_them_again(own_store: RedisStore, damageable: Any) -> None:
    address = make_address(PARTITION)
    own_store.create(address, make_record(STORED))

    damageable.command(damageable.owner(PARTITION), "SCRIPT FLUSH")

    assert own_store.write(address, {}, touch=True) == Written()
    assert own_store.end(address, "logout") == Ended(address.session_id, "logout")


def test_connections_that_the_node_closed_are_replaced_unnoticed(
    own_store: RedisStore, damageable: Any
) -> None:
    address = make_address(PARTITION)
    own_store.create(address, make_record(STORED))

    damageable.command(damageable.owner(PARTITION), "CLIENT KILL", "TYPE", "normal", "SKIPME", "yes")

    assert isinstance(own_store.read(address), Record)


def test_without_the_password_the_store_is_unknown_and_with_it_it_answers(
    damageable: Any, redis_prefix: str
) -> None:
    for port in damageable.ports:
        damageable.command(port, "CONFIG SET", "requirepass", "not-a-secret")
    stranger = RedisStore(damageable.nodes, prefix=redis_prefix)
    friend = RedisStore(damageable.nodes, prefix=redis_prefix, password="not-a-secret")
    try:
        refused = answer(lambda: stranger.read(make_address(PARTITION)))
        assert isinstance(refused, StoreUnavailable)
        assert friend.read(make_address(PARTITION)) is None
    finally:
        for port in damageable.ports:
            damageable.command(port, "CONFIG SET", "requirepass", "")
        friend.close()
    assert "not-a-secret" not in repr(vars(friend._cluster))


def test_where_memory_is_full_a_write_is_unknown_and_a_session_still_ends(
    own_store: RedisStore, damageable: Any
) -> None:
    address = make_address(PARTITION)
    own_store.create(address, make_record(STORED))
    owner = damageable.owner(PARTITION)
    damageable.command(owner, "CONFIG SET", "maxmemory", 1)
    try:
        change = Change(None, make_attribute("x"))
        assert isinstance(answer(lambda: own_store.write(address, {"a": change})), StoreUnavailable)
        assert own_store.end(address, "logout") == Ended(address.session_id, "logout")
    finally:
        damageable.command(owner, "CONFIG SET", "maxmemory", 0)
    assert isinstance(own_store.read(address), Tombstone)


def test_a_child_process_opens_connections_of_its_own(own_store: RedisStore) -> None:
    def connection() -> int:
        cluster = own_store._cluster
        return int(cluster.execute(slot(PARTITION), Command.of("CLIENT", "ID"), cluster.deadline(5)))

    before = connection()
    child = os.fork()
    if child == 0:  # nothing of pytest may run here
        good = False
        try:
            good = connection() != before
        finally:
            os._exit(0 if good else 1)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert connection() == before


def test_after_all_of_redis_was_stopped_the_same_client_finds_its_sessions_again(
    own_store: RedisStore, damageable: Any
) -> None:
    for port in damageable.ports:  # else kill -9 loses the last second
        damageable.command(port, "CONFIG SET", "appendfsync", "always")
    addresses = [make_address(partition) for partition in range(20)]
    for address in addresses:
        own_store.create(address, make_record(STORED))
    for port in damageable.ports:
        damageable.kill(port)
    assert all(isinstance(answer(lambda one=one: own_store.read(one)), StoreUnavailable) for one in addresses)
    damageable.heal()

    assert all(isinstance(eventually(lambda one=one: own_store.read(one))[0], Record) for one in addresses)


def test_no_node_at_all_is_unknown_and_made_without_asking() -> None:
    store = RedisStore([("127.0.0.1", 1)])
    with pytest.raises(StoreUnavailable) as caught:
        store.read(Address(0, "A" * 16))
    assert caught.value.operation == "read"
    assert caught.value.__cause__ is not None
