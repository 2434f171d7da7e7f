"""The asynchronous store: the sync one's promises on an event loop, and those that only a loop needs."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from polysession import AsyncSessionManager, InvalidSettings, connect
from polysession.core import bridge, values
from polysession.core.errors import StoreUnavailable
from polysession.core.manager import SessionManager
from polysession.core.record import Address, Record
from polysession.core.store import Change, Written
from polysession.stores.asynchronous import AsyncRedisStore
from polysession.stores.redis import RedisStore
from polysession.stores.sockets import Turns
from polysession.telemetry.otel import OTelEvents
from polysession.testing import StoreContract, make_address, make_attribute, make_keys, make_record
from polysession.testing.loops import OnLoop

Nodes = tuple[tuple[str, int], ...]
PARTITION = 11


class TestAsyncRedisStore(StoreContract):
    @pytest.fixture
    def store(self, redis_nodes: Nodes, redis_prefix: str) -> Iterator[Any]:
        running = OnLoop(AsyncRedisStore(redis_nodes, prefix=redis_prefix, deadline_ms=5000))
        yield running
        running.stop()


@pytest.fixture
def make_store(redis_nodes: Nodes, redis_prefix: str) -> Iterator[Callable[..., AsyncRedisStore]]:
    made: list[AsyncRedisStore] = []

    def make(nodes: Nodes = redis_nodes, **options: Any) -> AsyncRedisStore:
        made.append(AsyncRedisStore(nodes, **{"prefix": redis_prefix, "deadline_ms": 5000} | options))
        return made[-1]

    yield make
    for store in made:
        store.close()


@pytest.fixture
def store(make_store: Callable[..., AsyncRedisStore]) -> AsyncRedisStore:
    return make_store()


def value_of(record: Any) -> Any:
    assert isinstance(record, Record)
    return values.decode(record.attributes["a"].value)


async def fill(store: RedisStore, count: int, partition: int | None = None) -> list[Address]:
    """``count`` sessions; the attribute ``a`` of each is its index."""
    addresses = [make_address(partition) for _ in range(count)]
    records = [make_record(store.now(), {"a": index}) for index in range(count)]
    await asyncio.gather(
        *(bridge.run(store.create, one, record) for one, record in zip(addresses, records, strict=True))
    )
    return addresses


# --- one loop, many tasks


def test_two_hundred_tasks_share_a_pool(make_store: Callable[..., AsyncRedisStore]) -> None:
    store = make_store(pool_size=8)

    async def main() -> None:
        addresses = await fill(store, 200, PARTITION)
        found = await asyncio.gather(*(bridge.run(store.read, one) for one in addresses))
        assert [value_of(one) for one in found] == list(range(200))
        (state,) = [one for one in store._cluster._states() if one.pools]  # type: ignore[attr-defined]
        assert all(len(pool._idle) <= 8 for pool in state.pools.values())
        assert any(len(pool._idle) == 8 for pool in state.pools.values())

    asyncio.run(main())


def test_no_write_of_many_tasks_to_one_session_is_lost(store: RedisStore) -> None:
    names = [str(number) for number in range(400)]

    async def main() -> None:
        (address,) = await fill(store, 1)

        def write(name: str) -> None:
            assert store.write(address, {name: Change(None, make_attribute(name))}) == Written()

        await asyncio.gather(*(bridge.run(write, name) for name in names))
        found = await bridge.run(store.read, address)
        assert isinstance(found, Record)
        assert sorted(found.attributes) == sorted([*names, "a"])

    asyncio.run(main())


def test_a_pool_that_is_used_up_is_no_answer_within_the_deadline(
    make_store: Callable[..., AsyncRedisStore],
) -> None:
    store = make_store(pool_size=1, deadline_ms=1000)

    async def main() -> None:
        (address,) = await fill(store, 1)
        node = store._cluster.likely  # the pool of the address's owner
        owner = await bridge.run(lambda: store._cluster._pool(store._cluster._here(), node(slot_of(address))))
        owner._free.get(timeout=1)
        try:
            with pytest.raises(StoreUnavailable, match="no free connection"):
                await bridge.run(store.read, address)
        finally:
            owner._free.put(None)
        assert value_of(await bridge.run(store.read, address)) == 0

    asyncio.run(main())


def slot_of(address: Address) -> int:
    from polysession.stores.keys import slot

    return slot(address.partition)


# --- cancellation


@pytest.mark.parametrize("seed", range(5))
def test_a_cancelled_requests_late_answer_never_reaches_another_session(
    make_store: Callable[..., AsyncRedisStore], seed: int
) -> None:
    """Each task reads a session of its own on few connections; some are cancelled, at any moment."""
    store, chance = make_store(pool_size=3), random.Random(seed)

    async def main() -> None:
        addresses = await fill(store, 40, PARTITION)

        async def read(index: int) -> None:
            assert value_of(await bridge.run(store.read, addresses[index])) == index

        async def cancel(task: asyncio.Task[None], delay: float) -> None:
            await asyncio.sleep(delay)
            task.cancel()

        for _ in range(10):
            tasks = [asyncio.create_task(read(chance.randrange(40))) for _ in range(60)]
            doomed = chance.sample(tasks, 25)
            cancels = [asyncio.create_task(cancel(one, chance.uniform(0, 0.01))) for one in doomed]
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.gather(*cancels)
            wrong = [
                one for one in outcomes if one is not None and not isinstance(one, asyncio.CancelledError)
            ]
            assert wrong == []
        await asyncio.gather(*(read(index) for index in range(40)))

    asyncio.run(main())


def test_an_answer_to_a_cancelled_request_that_comes_later_is_nobodys(
    damageable: Any, redis_prefix: str
) -> None:
    """Of sixteen requests on four connections some have sent and some wait for their turn, and half of each kind is
    cancelled before the node, frozen till then, answers them all.
    """
    store = AsyncRedisStore(damageable.nodes, prefix=redis_prefix, deadline_ms=5000, pool_size=4)
    frozen = damageable.owner(PARTITION)

    async def main() -> None:
        addresses = await fill(store, 16, PARTITION)
        damageable.pause(frozen)
        tasks = [asyncio.create_task(bridge.run(store.read, one)) for one in addresses]
        await asyncio.sleep(0.05)
        for task in tasks[::2]:
            task.cancel()
        await asyncio.sleep(0.05)
        damageable.resume(frozen)
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(one, asyncio.CancelledError) for one in outcomes[::2])
        assert [value_of(one) for one in outcomes[1::2]] == list(range(1, 16, 2))
        found = [value_of(await bridge.run(store.read, one)) for one in addresses]
        assert found == list(range(16))

    try:
        asyncio.run(main())
    finally:
        store.close()


def test_a_permit_that_comes_together_with_the_cancellation_is_passed_on() -> None:
    async def main() -> None:
        turns = Turns(1)
        assert turns.acquire()
        cancelled = asyncio.create_task(bridge.run(turns.acquire, timeout=5))
        other = asyncio.create_task(bridge.run(turns.acquire, timeout=5))
        await asyncio.sleep(0)
        turns.release()
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        assert await other is True
        assert turns.acquire(blocking=False) is False
        turns.release()
        assert turns.acquire(blocking=False) is True

    asyncio.run(main())


# --- a node that freezes


async def ticking(work: Awaitable[Any]) -> tuple[Any, float]:
    """What the work gives, or the error, and the longest time that the loop did nothing else meanwhile."""
    longest, done = 0.0, False

    async def tick() -> None:
        nonlocal longest
        while not done:
            began = time.monotonic()
            await asyncio.sleep(0.005)
            longest = max(longest, time.monotonic() - began)

    ticker = asyncio.create_task(tick())
    try:
        result: Any = await work
    except StoreUnavailable as error:
        result = error
    done = True
    await ticker
    return result, longest


def test_a_frozen_node_is_unknown_within_the_deadline_and_the_loop_goes_on(
    damageable: Any, redis_prefix: str
) -> None:
    store = AsyncRedisStore(damageable.nodes, prefix=redis_prefix, deadline_ms=2000)

    async def main() -> None:
        (address,) = await fill(store, 1, PARTITION)
        damageable.pause(damageable.owner(PARTITION))
        began = time.monotonic()
        result, blocked = await ticking(bridge.run(store.read, address))
        took = time.monotonic() - began
        assert isinstance(result, StoreUnavailable)
        assert 0.9 < took < 5  # half of it is kept for another node; and a busy machine is no damage
        assert blocked < 0.9  # nor a block, which would take as long

    try:
        asyncio.run(main())
    finally:
        store.close()


# --- loops and threads


def test_each_loop_has_connections_of_its_own_and_a_closed_loops_are_closed(store: AsyncRedisStore) -> None:
    addresses = asyncio.run(fill(store, 1))

    async def read() -> Any:
        return value_of(await bridge.run(store.read, addresses[0]))

    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(asyncio.run(read()))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [0] * 4
    asyncio.run(read())
    assert len(store._cluster._states()) <= 2  # type: ignore[attr-defined]  # the process's, the last loop's


def test_outside_of_a_loop_it_blocks_as_the_sync_store_does(store: RedisStore) -> None:
    address = make_address()
    store.create(address, make_record(store.now(), {"a": 1}))
    assert value_of(store.read(address)) == 1


def test_a_sync_use_on_an_event_loop_is_an_error_that_says_what_to_do(store: RedisStore) -> None:
    async def main() -> None:
        with pytest.raises(bridge.OutsideBridge, match="await"):
            store.read(make_address())

    asyncio.run(main())


# --- telemetry


def test_each_operations_span_is_its_own_tasks_child_also_when_some_are_cancelled(
    make_store: Callable[..., AsyncRedisStore], caplog: pytest.LogCaptureFixture
) -> None:
    """Context variables cross the bridge both ways; one detached in another's context would be logged as an error."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    store, tracer = make_store(pool_size=2, events=OTelEvents(provider)), provider.get_tracer("test")

    async def main() -> None:
        addresses = await fill(store, 40, PARTITION)
        exporter.clear()

        async def request(address: Address) -> None:
            with tracer.start_as_current_span("request"):
                await bridge.run(store.read, address)

        tasks = [asyncio.create_task(request(one)) for one in addresses]
        await asyncio.sleep(0)
        for task in tasks[::4]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())
    spans = exporter.get_finished_spans()
    requests = {span.context.span_id for span in spans if span.name == "request"}
    parents = [span.parent.span_id for span in spans if span.name == "HGETALL read" and span.parent]
    assert len(requests) == len(parents) == 40
    assert set(parents) == requests
    assert "detach" not in caplog.text


# --- the manager


def test_a_manager_that_is_awaited_signs_in_reads_lists_and_ends(
    redis_nodes: Nodes, redis_prefix: str
) -> None:
    manager = connect(redis_nodes, make_keys(), prefix=redis_prefix, deadline_ms=5000, asynchronous=True)

    async def main() -> None:
        sessions = AsyncSessionManager(manager)
        session = await sessions.open(None)
        session["cart"] = ["clock"]
        await sessions.sign_in(session, "ada", generation=0)
        await sessions.commit(session)
        again = await sessions.open(session.token)
        assert (again.principal, again["cart"]) == ("ada", ["clock"])
        (listed,) = await sessions.sessions("ada")
        assert listed.id == session.id
        assert (await sessions.end_session("ada", listed.id)).count == 1
        gone = await sessions.open(session.token)
        assert (gone.principal, gone.end_reason) == (None, "revoked")
        await sessions.ping()
        sessions.close()

    asyncio.run(main())


def test_a_store_that_would_block_is_refused_at_once(shared_store: RedisStore) -> None:
    with pytest.raises(InvalidSettings, match="asynchronous=True"):
        AsyncSessionManager(SessionManager(shared_store, make_keys()))
