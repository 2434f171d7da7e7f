"""A principal that has so many sessions: what a further sign-in, the list of them, and the end of all take."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from polysession.core.store import Created, Limit
from polysession.core.token import PARTITIONS
from polysession.stores.redis import RedisStore
from polysession.testing import make_address, make_principal, make_record

from .seeding import VALUES
from .turns import Operation, Subject, Work

SIZES = (1, 10, 100)
BLOCK = 4


def principals(store: RedisStore, clients: Sequence[Any]) -> Sequence[Subject]:
    return [Subject(str(size), _works(store, size), clients) for size in SIZES]


def _works(store: RedisStore, size: int) -> Sequence[Work]:
    """Each operation on a principal of its own, who has ``size`` sessions; they are ended some operations later."""
    begun: deque[tuple[int, str]] = deque()

    def on_one(act: Callable[[int, str], object]) -> Callable[[], Operation]:
        def prepare() -> Operation:
            partition, key = secrets.randbelow(PARTITIONS), make_principal()
            for _ in range(size):
                _sign_in(store, 0, partition, key)
            begun.append((partition, key))
            if len(begun) > BLOCK:
                _end(store, *begun.popleft())
            return partial(act, partition, key)

        return prepare

    def list_(partition: int, key: str) -> None:
        assert len(store.list(partition, key)[0]) == size

    def end_all(partition: int, key: str) -> None:
        assert len(store.end_principal(partition, key, "revoked", generation=1).ended) == size

    acts: dict[str, Callable[[int, str], object]] = {
        "sign-in": partial(_sign_in, store, size + 1),
        "list": list_,
        "sign-in over the limit": partial(_sign_in, store, size),
        "end all": end_all,
    }
    return [Work(name, on_one(act), "evalsha", block=BLOCK, warm=1) for name, act in acts.items()]


def _sign_in(store: RedisStore, limit: int, partition: int, key: str) -> None:
    """``limit`` 0: none."""
    record = make_record(store.now(), VALUES, principal_key=key)
    created = store.create(make_address(partition), record, limit=Limit(limit) if limit else None)
    assert isinstance(created, Created)


def _end(store: RedisStore, partition: int, key: str) -> None:
    """All that the principal has, and what the outbox tells of it: the next finds the store as this one did."""
    store.end_principal(partition, key, "revoked", generation=1)
    store.acknowledge(partition, [event.event_id for event in store.outbox(partition)])
