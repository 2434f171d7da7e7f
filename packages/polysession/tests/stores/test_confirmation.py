"""When an end, a sign-in or a rotation is confirmed: a replica has it. On a cluster whose replicas freeze."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from polysession.core.errors import StoreUnavailable
from polysession.core.record import Record, Tombstone
from polysession.core.store import Created, Ended, Rotation, Written
from polysession.stores.redis import RedisStore
from polysession.testing import make_address, make_principal, make_record

PARTITION = 23
Other = Callable[..., RedisStore]


@pytest.fixture
def other(damageable: Any, redis_prefix: str) -> Iterator[Other]:
    """Makes another process's store: its connections wrote nothing yet."""
    stores = []

    def make(**options: Any) -> RedisStore:
        stores.append(RedisStore(damageable.nodes, prefix=redis_prefix, **{"deadline_ms": 1000, **options}))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


@pytest.fixture
def frozen(damageable: Any) -> Iterator[Callable[[], None]]:
    """Stops the replica of our partition; it wakes after the test, or at the second call."""
    port = damageable.replica(PARTITION)
    asleep = False

    def turn() -> None:
        nonlocal asleep
        (damageable.resume if asleep else damageable.pause)(port)
        asleep = not asleep

    yield turn
    if asleep:
        turn()


def test_what_no_replica_has_is_done_but_not_confirmed(
    own_store: RedisStore, other: Other, frozen: Callable[[], None]
) -> None:
    now, key = own_store.now(), make_principal()
    ended, rotated, created = (make_address(PARTITION) for _ in range(3))
    record = make_record(now, principal_key=key)
    own_store.create(ended, make_record(now))
    own_store.create(rotated, record)
    frozen()

    outcome = own_store.end(ended, "logout")
    assert outcome == Ended(ended.session_id, "logout")
    assert not outcome.confirmed
    for store in (own_store, other()):  # also on a connection that wrote nothing before
        again = store.end(ended, "logout")
        assert isinstance(again, Tombstone)
        assert not again.confirmed
    rotation = Rotation(record.header.secret_hash, b"n" * 16, "A", 1, 1, 0)
    written = own_store.rotate(rotated, rotation)
    assert written == Written()
    assert not written.confirmed
    sign_in = own_store.create(created, make_record(now, principal_key=key))
    assert sign_in == Created()
    assert not sign_in.confirmed
    everything = own_store.end_principal(PARTITION, key, "revoked", generation=1)
    assert {one.session_id for one in everything.ended} == {rotated.session_id, created.session_id}
    assert not everything.confirmed
    assert not other().end_principal(PARTITION, key, "revoked", generation=1).confirmed

    frozen()
    repeated = own_store.end(ended, "logout")
    assert isinstance(repeated, Tombstone)
    assert repeated.confirmed
    assert own_store.end_principal(PARTITION, key, "revoked", generation=1).confirmed


def test_a_confirmation_fits_the_deadline_of_250_ms(
    own_store: RedisStore, other: Other, frozen: Callable[[], None]
) -> None:
    addresses = [make_address(PARTITION) for _ in range(20)]
    for address in addresses:
        own_store.create(address, make_record(own_store.now()))
    store = other(deadline_ms=250)
    for _ in range(20):  # six connections at once are more than the deadline of a busy machine
        with suppress(StoreUnavailable):
            store.ping()
            break
    frozen()
    times = []
    for address in addresses:
        began = time.monotonic()
        with suppress(StoreUnavailable):  # a busy machine may take the rest of the deadline, not of all
            assert isinstance(store.end(address, "logout"), Ended)
            times.append(time.monotonic() - began)
        if len(times) == 5:
            break
    assert 0.09 <= min(times) < 0.2  # it did wait


def test_a_node_that_must_be_told_the_script_again_confirms_only_what_ran(
    own_store: RedisStore, damageable: Any, frozen: Callable[[], None]
) -> None:
    first, second = make_address(PARTITION), make_address(PARTITION)
    for address in (first, second):
        own_store.create(address, make_record(own_store.now()))
    damageable.command(damageable.owner(PARTITION), "SCRIPT FLUSH")
    outcome = own_store.end(first, "logout")
    assert isinstance(outcome, Ended)
    assert outcome.confirmed
    damageable.command(damageable.owner(PARTITION), "SCRIPT FLUSH")
    frozen()
    outcome = own_store.end(second, "logout")
    assert isinstance(outcome, Ended)
    assert not outcome.confirmed


@pytest.mark.parametrize("interruption", [("CLIENT UNBLOCK", "{}", "ERROR"), ("CLIENT KILL", "ID", "{}")])
def test_a_wait_that_is_broken_off_is_unconfirmed_and_the_end_is_reported(
    own_store: RedisStore, damageable: Any, frozen: Callable[[], None], interruption: tuple[str, ...]
) -> None:
    """The first is what a node answers that is demoted meanwhile."""
    address, owner = make_address(PARTITION), damageable.owner(PARTITION)
    own_store.create(address, make_record(own_store.now()))
    frozen()
    outcomes: list[Any] = []
    ending = threading.Thread(target=lambda: outcomes.append(own_store.end(address, "logout")))
    ending.start()
    broken = False
    while ending.is_alive() and not broken:
        clients = damageable.command(owner, "CLIENT LIST")
        waiting = [client["id"] for client in clients if client["cmd"] == "wait"]
        for one in waiting:
            broken = bool(damageable.command(owner, *(word.format(one) for word in interruption)))
    ending.join()
    assert broken
    assert outcomes == [Ended(address.session_id, "logout")]
    assert not outcomes[0].confirmed


def test_a_store_that_shall_not_confirm_does_not_wait(
    other: Other, own_store: RedisStore, frozen: Callable[[], None]
) -> None:
    store, addresses = other(confirm=False), [make_address(PARTITION) for _ in range(5)]
    for address in addresses:
        store.create(address, make_record(own_store.now()))
        assert isinstance(store.read(address), Record)
    frozen()
    times = []
    for address in addresses:
        began = time.monotonic()
        outcome = store.end(address, "logout")
        times.append(time.monotonic() - began)
        assert isinstance(outcome, Ended)
        assert not outcome.confirmed
    assert min(times) < 0.09  # one that waits takes 0.1 each time


def test_what_the_ledger_repeats_waits_for_no_replica(
    own_store: RedisStore, frozen: Callable[[], None]
) -> None:
    """After a failover there is none: at 100 ms each, a principal's restore or the last ten minutes' ends take too long."""
    now, key = own_store.now(), make_principal()
    restored, ended = ([make_address(PARTITION) for _ in range(20)] for _ in range(2))
    record = make_record(now, principal_key=key)
    rotated = make_address(PARTITION)
    for address in (*ended, rotated):
        own_store.restore(address, record)
    again = Rotation(record.header.secret_hash, b"n" * 16, "A", 2, 0, 0)
    frozen()
    began = time.monotonic()
    for address in restored:
        assert own_store.restore(address, record) == Created()
    for address in ended:
        outcome = own_store.end(address, "logout", principal_key=key, confirm=False)
        assert outcome == Ended(address.session_id, "logout")
        assert not outcome.confirmed
    assert own_store.rotate(rotated, again) == Written()
    assert time.monotonic() - began < 2  # else more than 4


def test_a_promotion_and_a_restart_begin_a_new_history_of_the_partitions(
    own_store: RedisStore, damageable: Any
) -> None:
    owner, before = damageable.owner(PARTITION), own_store.epochs()
    assert len(before) == 3
    assert PARTITION in own_store.partitions_of(f"127.0.0.1:{owner}")

    damageable.kill(owner)

    end, changed = time.monotonic() + 20, set()
    while not any(PARTITION in own_store.partitions_of(node) for node in changed):
        assert time.monotonic() < end
        now = own_store.epochs()
        changed = {node for node, name in now.items() if before.get(node) != name}
        time.sleep(0.05)
    assert f"127.0.0.1:{owner}" not in own_store.epochs()
