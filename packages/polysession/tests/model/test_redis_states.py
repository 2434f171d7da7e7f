"""Any order of requests, tabs, sign-ins, ends and waiting on the real Redis Cluster, against the same plain model as the
memory store's (tests/core).

Redis' time cannot be advanced, so the world grows older instead: waiting takes the seconds off every time that is
stored, which no script can tell from waiting.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test
from polysession.core.codec import HEADER_FIELD, RECORD_KIND, decode_header, encode_header, encode_tombstone
from polysession.core.manager import SessionManager
from polysession.core.record import Tombstone, alter
from polysession.core.token import parse
from polysession.stores.keys import Keyspace, member
from polysession.stores.redis import RedisStore
from polysession.testing import make_keys

Nodes = tuple[tuple[str, int], ...]
MARGIN = 20_000  # ms: nothing is to fall due by the time that the test itself takes
EXAMPLES = 120 if os.environ.get("POLYSESSION_FULL") else 12


def load_states() -> Any:
    """The module in tests/core that has the model: pytest imports test modules by path, and so do we."""
    path = Path(__file__).parents[1] / "core" / "test_manager_states.py"
    spec = importlib.util.spec_from_file_location("manager_states", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)  # dataclasses look there
    spec.loader.exec_module(module)
    return module


states = load_states()


class OlderClock:
    """The model's clock: the real one, and all that was waited for."""

    def __init__(self) -> None:
        self.waited = 0

    def now(self) -> int:
        return time.time_ns() // 1_000_000 + self.waited


def older(header: bytes, milliseconds: int) -> bytes:
    found = decode_header(header)
    if isinstance(found, Tombstone):
        return encode_tombstone(replace(found, ended_at=found.ended_at - milliseconds))
    names = ("created_at", "last_seen_at", "absolute_at", "previous_until")
    return encode_header(
        alter(found, **{name: max(getattr(found, name) - milliseconds, 0) for name in names})
    )


class RedisSessions(states.Sessions):  # type: ignore[misc, name-defined]
    waits = 0  # over all examples, so that a test that never waited is not one that passed

    def __init__(self, nodes: Nodes, client: Any) -> None:
        super().__init__()
        prefix = f"test-{secrets.token_hex(6)}"
        self.clock, self.client, self.keyspace = OlderClock(), client, Keyspace(prefix)
        self.store = RedisStore(nodes, prefix=prefix, deadline_ms=30_000)  # a count asks 4,096 partitions
        self.manager = SessionManager(self.store, make_keys(), events=self.events)

    def teardown(self) -> None:
        self.store.close()

    @rule(
        seconds=st.sampled_from(
            [1, 61, 613, states.IDLE + 37, states.UNRETURNED + 41, states.ANONYMOUS_IDLE + 43]
        )
    )
    def wait(self, seconds: int) -> None:
        milliseconds = seconds * 1000
        if any(self.is_close(live, self.clock.now() + milliseconds) for live in self.all):
            return
        type(self).waits += 1
        for live in self.all:
            address = parse(self.manager.keys, live.token).address
            key, expiry = self.keyspace.record(address), self.keyspace.expiry(address.partition)
            header = self.client.hget(key, HEADER_FIELD)
            self.client.hset(key, HEADER_FIELD, older(header, milliseconds))
            if header[0] == RECORD_KIND:
                self.client.zincrby(expiry, -milliseconds, member(address.session_id))
        self.clock.waited += milliseconds

    def forgotten(self, live: Any) -> bool:
        """Redis drops a tombstone by its own time, which has hardly passed."""
        return False

    @staticmethod
    def is_close(live: Any, now: int) -> bool:
        idle = states.IDLE if live.principal else states.ANONYMOUS_IDLE
        absolute = states.ABSOLUTE if live.principal else states.ANONYMOUS_ABSOLUTE
        due = [live.seen + idle * 1000, live.seen + idle * 50, live.started + absolute * 1000]
        if not live.returned:
            due.append(live.started + states.UNRETURNED * 1000)
        return live.ended is None and any(abs(at - now) < MARGIN for at in due)


@pytest.fixture
def client(redis_nodes: Nodes) -> Iterator[Any]:
    host, port = redis_nodes[0]
    with redis.RedisCluster(host=host, port=port) as cluster:
        yield cluster


def test_any_order_of_requests_on_a_redis_cluster_is_as_the_model_says(
    redis_nodes: Nodes, client: Any
) -> None:
    run_state_machine_as_test(
        lambda: RedisSessions(redis_nodes, client),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert RedisSessions.waits > 0
