"""What both of our peers share: a manager, and the bytes of a record."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import Any

import polysession
from polysession.core import values
from polysession.core.record import Address, Device
from polysession.core.token import Key, KeyRing, parse
from polysession.stores.cluster import Cluster
from polysession.stores.commands import Command
from polysession.stores.keys import Keyspace
from polysession.stores.redis import RedisStore
from polysession.testing import make_keys, make_principal, make_record
from redis.crc import key_slot

from .floor import SECONDS
from .payload import READ, WRITTEN, make_values, other_values
from .peer import Operation, Peer

AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)
PARTITION = 2026
DEADLINE_MS = 5000  # a busy machine is slow, not away
MILLION_A_PARTITION = 1_000_000 // 4096


def connect(nodes: str, *, sealed: bool) -> tuple[polysession.SessionManager, str]:
    """A manager with a key prefix of its own, as long as the one that everybody has: it counts in Redis' memory."""
    prefix = secrets.token_hex(1)
    keys = make_keys()
    if sealed:
        keys = replace(keys, seal=KeyRing((Key("A", secrets.token_bytes(32)),)))
    return polysession.connect(nodes, keys, prefix=prefix, deadline_ms=DEADLINE_MS), prefix


def measure_record(manager: polysession.SessionManager, prefix: str, token: str, cluster: Any) -> int:
    """Bytes in Redis, without its place in the indexes."""
    key = Keyspace(prefix).record(parse(manager.keys, token).address)
    return int(cluster.memory_usage(key, samples=0))


def make_client_peer(nodes: str) -> Peer:
    """Our client alone: HGETALL of a record, and then HSET of one field."""
    client = Cluster(polysession.parse_nodes(nodes))
    key = f"bench-{secrets.token_hex(8)}"
    here = key_slot(key.encode())
    tag = bytes(8)
    fields = [word for name, value in make_values().items() for word in (name, tag + values.encode(value))]
    client.execute(here, Command.of("HSET", key, *fields), client.deadline(1))
    client.execute(here, Command.of("EXPIRE", key, SECONDS), client.deadline(1))
    others = other_values()

    def read() -> Operation:
        return lambda: client.execute(here, Command.of("HGETALL", key), client.deadline(DEADLINE_MS))

    def write() -> Operation:
        written = tag + values.encode(next(others))

        def get_and_set() -> None:
            client.execute(here, Command.of("HGETALL", key), client.deadline(DEADLINE_MS))
            client.execute(here, Command.of("HSET", key, WRITTEN, written), client.deadline(DEADLINE_MS))

        return get_and_set

    def memory() -> int:
        return int(client.execute(here, Command.of("MEMORY", "USAGE", key, "SAMPLES", 0), client.deadline(1)))

    return Peer("Polysession's client, bare HGETALL, HSET", "cluster", read, write, client.close, memory)


def make_core_peer(manager: polysession.SessionManager, prefix: str, cluster: Any) -> Peer:
    """Without a framework's adapter."""
    token = _create(manager, Device(AGENT, "127.0.0.1"))
    others = other_values()

    def read() -> Operation:
        def serve() -> None:
            session = manager.open(token)
            _ = session[READ]
            session.commit()

        return serve

    def write() -> Operation:
        value = next(others)

        def serve() -> None:
            session = manager.open(token)
            session[WRITTEN] = value
            session.commit()

        return serve

    name = "Polysession, no framework"
    return Peer(
        name, "cluster", read, write, manager.close, lambda: measure_record(manager, prefix, token, cluster)
    )


def _create(manager: polysession.SessionManager, device: Device | None) -> str:
    """The token of a session of 1 KB, whose cookie has come back."""
    session = manager.open(None, device=device)
    session.update(make_values())
    session.commit()
    assert session.token is not None
    returned = manager.open(session.token)
    _ = returned[READ]
    returned.commit()
    return session.token


@dataclass(frozen=True)
class OwnBytes:
    """In Redis. Of the record, plain and without a device; and of its place in the indexes, with a million sessions."""

    record: int
    anonymous: int
    signed_in: int


def measure_own(nodes: str, cluster: Any) -> OwnBytes:
    """The indexes of one partition, filled as a million sessions would fill it: they are spread evenly."""
    manager, prefix = connect(nodes, sealed=False)
    record = measure_record(manager, prefix, _create(manager, None), cluster)
    anonymous, signed_in = (
        _measure_indexes(nodes, cluster, signed_in=signed_in) for signed_in in (False, True)
    )
    manager.close()
    return OwnBytes(record, anonymous, signed_in)


def _measure_indexes(nodes: str, cluster: Any, *, signed_in: bool) -> int:
    prefix = secrets.token_hex(1)
    store, keys = RedisStore(polysession.parse_nodes(nodes), prefix=prefix), Keyspace(prefix)
    principals = [make_principal() if signed_in else "" for _ in range(MILLION_A_PARTITION)]
    addresses = []
    for principal in principals:
        address = Address(PARTITION, secrets.token_urlsafe(12))
        store.create(address, make_record(store.now(), make_values(), principal_key=principal))
        addresses.append(address)
    indexes = [keys.expiry(PARTITION), *([keys.principals(PARTITION)] if signed_in else [])]
    total = sum(int(cluster.memory_usage(key, samples=0)) for key in indexes)
    for key in (*indexes, *map(keys.record, addresses)):
        cluster.delete(key)
    store.close()
    return total // len(principals)
