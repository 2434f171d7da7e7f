"""Bare redis-py: no framework, no session, one string of 1 KB."""

from __future__ import annotations

import secrets
from typing import Any

from redis.cluster import RedisCluster

from .payload import BLOB
from .peer import Operation, Peer

SECONDS = 600


def make_floor(name: str, redis: str, client: Any) -> Peer:
    key = f"bench-{secrets.token_hex(8)}"
    client.set(key, BLOB, ex=SECONDS)

    def read() -> Operation:
        return lambda: client.get(key)

    def write() -> Operation:
        blob = secrets.token_bytes(8) + BLOB[8:]

        def get_and_set() -> None:
            client.get(key)
            client.set(key, blob, ex=SECONDS)

        return get_and_set

    return Peer(
        name, redis, read, write, lambda: disconnect(client), lambda: int(client.memory_usage(key, samples=0))
    )


def disconnect(client: Any) -> None:
    nodes: list[Any] = client.get_nodes() if isinstance(client, RedisCluster) else []  # type: ignore[no-untyped-call]
    for one in [node.redis_connection for node in nodes if node.redis_connection] or [client]:
        one.connection_pool.disconnect()
