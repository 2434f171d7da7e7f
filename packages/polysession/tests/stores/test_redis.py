"""The Redis Cluster store keeps the port's promises, also under contention."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import redis
from polysession.core import base64url
from polysession.core.codec import encode_record
from polysession.core.manager import SessionManager
from polysession.core.record import Address, Record, Tombstone
from polysession.core.settings import SessionSettings
from polysession.core.store import Absent, Change, Created, Ended, Written
from polysession.stores.keys import Keyspace, member
from polysession.stores.redis import RedisStore
from polysession.testing import (
    HOUR,
    FakeClock,
    RecordedEvents,
    StoreContract,
    make_address,
    make_attribute,
    make_keys,
    make_principal,
    make_record,
)

Nodes = tuple[tuple[str, int], ...]
DAY = 24 * HOUR


class TestRedisStore(StoreContract):
    @pytest.fixture
    def store(self, shared_store: RedisStore) -> RedisStore:
        return shared_store


@pytest.fixture
def client(redis_nodes: Nodes) -> Iterator[redis.RedisCluster]:
    """redis-py's own client, to look at what the store wrote."""
    host, port = redis_nodes[0]
    with redis.RedisCluster(host=host, port=port) as cluster:
        yield cluster


# --- contention


def test_no_write_of_many_threads_to_one_session_is_lost(shared_store: RedisStore) -> None:
    address = make_address()
    shared_store.create(address, make_record(shared_store.now()))
    names = [f"{thread}-{number}" for thread in range(8) for number in range(200)]

    def write(thread: int) -> None:
        for name in names[thread * 200 : (thread + 1) * 200]:
            assert shared_store.write(address, {name: Change(None, make_attribute(name))}) == Written()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))

    found = shared_store.read(address)
    assert isinstance(found, Record)
    assert sorted(found.attributes) == sorted(names)


def test_no_key_that_requests_at_once_put_into_one_attribute_is_lost(shared_store: RedisStore) -> None:
    # The promise is that none is lost, not that 8 threads that do nothing else get through in a second.
    manager = SessionManager(shared_store, make_keys(), settings=SessionSettings(commit_deadline_ms=60_000))
    first = manager.open(None)
    first["cart"] = {}
    first.commit()

    def put(thread: int) -> None:
        for number in range(200):
            session = manager.open(first.token)
            session["cart"][f"{thread}-{number}"] = number
            session.commit()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(put, range(8)))

    assert len(manager.open(first.token)["cart"]) == 1600


def test_a_session_that_ends_while_it_is_written_stays_ended(shared_store: RedisStore) -> None:
    rng = random.Random(4)
    partition, principal_key = 17, make_principal()
    alive = []
    with ThreadPoolExecutor(2) as pool:
        for trial in range(400):
            address = make_address(partition)
            shared_store.create(address, make_record(shared_store.now(), principal_key=principal_key))
            start = Barrier(2)

            def write(address: Address = address, start: Barrier = start, trial: int = trial) -> object:
                start.wait()
                return [
                    shared_store.write(address, {str(n): Change(None, make_attribute(trial))}, touch=True)
                    for n in range(rng.randint(1, 3))
                ][-1]

            def end(address: Address = address, start: Barrier = start) -> object:
                start.wait()
                return shared_store.end(address, "logout", principal_key=principal_key)

            written, ended = (future.result() for future in (pool.submit(write), pool.submit(end)))
            assert ended == Ended(address.session_id, "logout")
            assert isinstance(written, Written | Tombstone)
            if not isinstance(shared_store.read(address), Tombstone):
                alive.append(trial)
    assert alive == []
    assert shared_store.list(partition, principal_key) == ((), ())
    assert shared_store.count() == 0


def test_of_two_that_end_a_session_at_once_one_is_told_that_it_did(shared_store: RedisStore) -> None:
    addresses = [make_address() for _ in range(50)]
    for address in addresses:
        shared_store.create(address, make_record(shared_store.now()))
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda address: shared_store.end(address, "logout"), addresses * 4))
    assert sum(isinstance(outcome, Ended) for outcome in outcomes) == 50
    assert sum(isinstance(outcome, Tombstone) for outcome in outcomes) == 150


def test_a_sign_in_under_way_does_not_survive_the_end_of_its_principal(shared_store: RedisStore) -> None:
    partition = 23
    for _ in range(50):
        principal_key, start = make_principal(), Barrier(2)
        older = make_record(shared_store.now(), principal_key=principal_key, generation=1)

        def sign_in(start: Barrier = start, older: Record = older) -> None:
            start.wait()
            shared_store.create(make_address(partition), older)

        with ThreadPoolExecutor(1) as pool:
            signed_in = pool.submit(sign_in)
            start.wait()
            shared_store.end_principal(partition, principal_key, "revoked", generation=2)
            signed_in.result()
        assert shared_store.list(partition, principal_key)[0] == ()


# --- what is due


def test_due_sessions_end_sixteen_at_a_time(
    shared_store: RedisStore, redis_prefix: str, client: redis.RedisCluster
) -> None:
    keys, now = Keyspace(redis_prefix), shared_store.now()
    for _ in range(20):  # past the store, which would end each at the creation of the next
        address, record = make_address(5), make_record(now - 2 * HOUR)
        client.hset(keys.record(address), mapping=encode_record(record))
        client.zadd(keys.expiry(5), {member(address.session_id): now - HOUR})

    outcomes = [shared_store.create(make_address(5), make_record(now)) for _ in range(3)]

    assert [len(outcome.due) for outcome in outcomes if isinstance(outcome, Created)] == [16, 4, 0]
    assert shared_store.count() == 3


def test_a_due_session_that_was_touched_since_is_left_alone(
    shared_store: RedisStore, redis_prefix: str, client: redis.RedisCluster
) -> None:
    address = make_address(5)
    shared_store.create(address, make_record(shared_store.now()))
    expiry = Keyspace(redis_prefix).expiry(5)
    client.zadd(expiry, {member(address.session_id): 1})  # as if an index were behind its record

    outcome = shared_store.create(make_address(5), make_record(shared_store.now()))

    assert outcome == Created()
    assert isinstance(shared_store.read(address), Record)
    assert client.zscore(expiry, member(address.session_id)) > shared_store.now()


def test_a_session_that_redis_dropped_is_still_reported_as_ended(
    shared_store: RedisStore, redis_prefix: str, client: redis.RedisCluster
) -> None:
    keys, principal_key = Keyspace(redis_prefix), make_principal()
    address = make_address(5)
    shared_store.create(address, make_record(shared_store.now() - 2 * HOUR, principal_key=principal_key))
    client.delete(keys.record(address))

    listed, ended = shared_store.list(5, principal_key)

    assert listed == ()
    assert ended == (Ended(address.session_id, "idle"),)
    assert client.exists(keys.principals(5)) == 0
    assert client.zcard(keys.expiry(5)) == 0


# --- what Redis holds


def test_a_record_outlives_its_expiry_by_a_day_and_its_indexes_outlive_it(
    shared_store: RedisStore, redis_prefix: str, client: redis.RedisCluster
) -> None:
    keys, principal_key, now = Keyspace(redis_prefix), make_principal(), shared_store.now()
    address = make_address()
    shared_store.create(address, make_record(now - 1000, principal_key=principal_key))
    assert client.pexpiretime(keys.record(address)) == now - 1000 + HOUR + DAY

    shared_store.write(address, {}, touch=True)

    gone = client.pexpiretime(keys.record(address))
    assert gone >= now + HOUR + DAY
    assert client.pexpiretime(keys.expiry(address.partition)) >= gone
    assert client.pexpiretime(keys.principals(address.partition)) == now - 1000 + 12 * HOUR + DAY


def test_a_principal_takes_16_bytes_and_12_a_session_in_the_index_and_nothing_once_all_have_ended(
    shared_store: RedisStore, redis_prefix: str, client: redis.RedisCluster
) -> None:
    keys, principal_key, now = Keyspace(redis_prefix), make_principal(), shared_store.now()
    sessions = [make_address(5) for _ in range(2)]
    for address in sessions:
        shared_store.create(address, make_record(now, principal_key=principal_key))
    first, second = (member(address.session_id) for address in sessions)
    assert client.hgetall(keys.principals(5)) == {base64url.decode(principal_key): first + second}
    assert sorted(client.zrange(keys.expiry(5), 0, -1)) == sorted((first, second))

    shared_store.end(sessions[0], "logout", principal_key=principal_key)
    assert client.hgetall(keys.principals(5)) == {base64url.decode(principal_key): second}
    shared_store.end(sessions[1], "logout", principal_key=principal_key)
    assert client.exists(keys.principals(5), keys.expiry(5)) == 0


def test_a_generation_is_kept_where_it_is_not_0_for_as_long_as_a_record_may_have_it(
    shared_store: RedisStore, redis_prefix: str, client: redis.RedisCluster
) -> None:
    keys, principal_key, now = Keyspace(redis_prefix), make_principal(), shared_store.now()
    generation = keys.generation(5, principal_key)
    shared_store.create(make_address(5), make_record(now, principal_key=principal_key))
    assert client.get(generation) is None

    shared_store.end_principal(5, principal_key, "revoked", generation=3)
    assert client.get(generation) == b"3"
    assert client.pexpiretime(generation) >= now + DAY

    shared_store.create(make_address(5), make_record(now, principal_key=principal_key, generation=4))
    assert client.get(generation) == b"4"
    assert client.pexpiretime(generation) == now + 12 * HOUR + DAY


def test_a_repeated_end_writes_again_so_that_it_can_be_confirmed(
    redis_nodes: Nodes, redis_prefix: str, client: redis.RedisCluster
) -> None:
    short = RedisStore(redis_nodes, deadline_ms=5000, prefix=redis_prefix, tombstone_ms=1000)
    long = RedisStore(redis_nodes, deadline_ms=5000, prefix=redis_prefix, tombstone_ms=60_000)
    address = make_address()
    short.create(address, make_record(short.now()))
    short.end(address, "logout")
    key = Keyspace(redis_prefix).record(address)
    assert client.pttl(key) <= 1000
    assert isinstance(long.end(address, "logout"), Tombstone)
    assert client.pttl(key) > 1000
    short.close()
    long.close()


def test_an_ended_session_leaves_only_its_tombstone(
    shared_store: RedisStore, redis_prefix: str, client: redis.RedisCluster
) -> None:
    keys, address = Keyspace(redis_prefix), make_address()
    shared_store.create(address, make_record(shared_store.now(), {"cart": {"a": 1}}))
    shared_store.end(address, "logout")
    assert client.hkeys(keys.record(address)) == [b""]
    assert client.exists(keys.expiry(address.partition)) == 0


def test_prefixes_do_not_see_each_other(
    shared_store: RedisStore, redis_nodes: Nodes, redis_prefix: str
) -> None:
    other = RedisStore(redis_nodes, deadline_ms=5000, prefix=f"{redis_prefix}-other")
    address = make_address()
    shared_store.create(address, make_record(shared_store.now()))
    assert other.read(address) is None
    assert other.end(address, "logout") == Absent()
    assert (shared_store.count(), other.count()) == (1, 0)
    other.close()


# --- time and telemetry


@pytest.mark.parametrize("wrong_by", [-3_600_000, 3_600_000])
def test_a_wrong_clock_of_the_caller_is_corrected_by_the_next_script(
    redis_nodes: Nodes, redis_prefix: str, shared_store: RedisStore, wrong_by: int
) -> None:
    skews: list[float] = []

    class Skews(RecordedEvents):
        def clock_skew(self, seconds: float) -> None:
            skews.append(seconds)

    clock = FakeClock(shared_store.now() + wrong_by)
    store = RedisStore(redis_nodes, deadline_ms=5000, prefix=redis_prefix, clock=clock, events=Skews())
    address = make_address()
    store.create(address, make_record(shared_store.now()))
    assert abs(store.now() - shared_store.now()) < 5000
    assert abs(skews[-1] + wrong_by / 1000) < 5
    assert isinstance(store.read(address), Record)
    store.close()


def test_a_slow_answer_does_not_move_a_right_clock() -> None:
    store = RedisStore([("127.0.0.1", 1)], clock=FakeClock(1000))
    store._correct(900, before=500, after=1300)
    assert store.now() == 1000
    store._correct(2000, before=1000, after=1200)
    assert store.now() == 1800


def test_each_operation_is_told_with_its_name_and_server(redis_nodes: Nodes, redis_prefix: str) -> None:
    told: dict[str, dict[str, str | int]] = {}

    class Told(RecordedEvents):
        def operation(self, name, attributes):  # type: ignore[no-untyped-def]
            told[name] = dict(attributes)
            return super().operation(name, attributes)

    store = RedisStore(redis_nodes, deadline_ms=5000, prefix=redis_prefix, events=Told())
    address = make_address()
    store.create(address, make_record(store.now()))
    store.read(address)
    store.end(address, "logout")
    store.close()

    assert set(told) == {"create", "read", "end"}
    assert told["read"]["db.operation.name"] == "HGETALL"
    assert told["end"]["db.operation.name"] == "EVALSHA"
    assert all(one["db.system.name"] == "redis" for one in told.values())
    assert all((one["server.address"], one["server.port"]) in redis_nodes for one in told.values())


def test_the_manager_signs_in_over_the_cluster_and_ends_everything(
    redis_nodes: Nodes, redis_prefix: str
) -> None:
    store = RedisStore(redis_nodes, deadline_ms=5000, prefix=redis_prefix)
    manager = SessionManager(store, make_keys())
    session = manager.open(None)
    session["cart"] = {"sku-1": 2}
    session.commit()
    anonymous = session.token
    session = manager.open(anonymous)
    session.sign_in("42", generation=0)
    session.commit()
    signed_in = session.token

    assert manager.open(signed_in).principal == "42"
    assert manager.open(signed_in)["cart"] == {"sku-1": 2}
    assert manager.open(anonymous).end_reason == "rotated-away"
    assert manager.end_principal("42", generation=1).count == 1
    assert manager.open(signed_in).end_reason == "revoked"
    store.close()
