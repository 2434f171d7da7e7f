"""A store that holds so many sessions, small ones, each the only one of its principal; and what is asked of it."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Sequence
from functools import partial

from polysession.core.ending import end_due
from polysession.core.events import Events
from polysession.core.record import Address
from polysession.core.store import Change, Created, Ended, Written
from polysession.core.token import PARTITIONS
from polysession.stores.cluster import Cluster
from polysession.stores.commands import Command, Script
from polysession.stores.keys import Keyspace, slot
from polysession.stores.redis import RedisStore
from polysession.testing import HOUR, make_address, make_attribute, make_principal, make_record
from redis import Redis

from .seeding import VALUES, Seeder, place, string_key
from .turns import Operation, Subject, Work

DUE = 100
_DEADLINE_MS = 5000  # a busy machine is slow, not away
_SCRIPT = Script.of("bare", b"return redis.call('TIME')")
_TOMBSTONE_MS = 1000  # else those of the sessions that end here would soon outnumber the smallest store


class SizedStore:
    def __init__(self, nodes: Sequence[tuple[str, int]], size: int, draw: random.Random) -> None:
        self.size, self._draw = size, draw
        self.clients = [Redis(host, port) for host, port in nodes]
        self._cluster, self._keys = Cluster(nodes), Keyspace("ps")
        self.store = RedisStore(
            nodes,
            prefix=self._keys.prefix,
            confirm=False,
            deadline_ms=_DEADLINE_MS,
            tombstone_ms=_TOMBSTONE_MS,
        )
        seeder = Seeder(self._cluster, self._keys, self.store.now())
        empty = self._used()
        seeder.add_sessions(size)
        self.bytes_each = (self._used() - empty) / size
        seeder.add_strings(size)
        self._seeded = seeder.tags["theme"]
        self._tags: dict[int, bytes] = {}  # of those that were written since
        self._signed_in: deque[tuple[Address, str]] = deque()

    def subject(self, used: int | None = None) -> Subject:
        """What concerns one session. ``used``: only so many of them are."""
        few = used or self.size
        works = (
            Work("bare GET", partial(self._get, few), "get"),
            Work("bare script", partial(self._script, few), "evalsha"),
            Work("read", partial(self._read, few), "hgetall"),
            Work("write", partial(self._write, few, touch=False), "evalsha"),
            Work("write and touch", partial(self._write, few, touch=True), "evalsha"),
            Work("sign-in", partial(self._sign_in, few), "evalsha"),
            Work("sign-out", self._sign_out, "evalsha"),
        )
        return Subject(f"{self.size:,}" + (f", {used:,} of them in use" if used else ""), works, self.clients)

    def whole(self) -> Subject:
        """What asks all partitions."""
        works = (
            Work("live count", lambda: self.store.count, "zcount", block=2, warm=1),
            Work("keeper, nothing due", self._keep_idle, "zcount", block=2, warm=1),
            Work(f"keeper, {DUE} due", self._keep_due, block=1, warm=0),
        )
        return Subject(f"{self.size:,}", works, self.clients)

    def close(self) -> None:
        self.store.close()
        self._cluster.close()
        for client in self.clients:
            client.close()

    def _any(self, few: int) -> tuple[int, Address]:
        number = self._draw.randrange(few)
        return number, place(number)[0]

    def _get(self, few: int) -> Operation:
        _, address = self._any(few)
        return self._send(address, Command.of("GET", string_key(self._keys, address)))

    def _script(self, few: int) -> Operation:
        """As each of ours begins; it looks at no key."""
        _, address = self._any(few)
        return self._send(address, _SCRIPT.call([string_key(self._keys, address)], []))

    def _send(self, address: Address, command: Command) -> Operation:
        here = slot(address.partition)
        return lambda: self._cluster.execute(here, command, self._cluster.deadline(_DEADLINE_MS / 1000))

    def _read(self, few: int) -> Operation:
        return partial(self.store.read, self._any(few)[1])

    def _write(self, few: int, *, touch: bool) -> Operation:
        """Without a read before it, which would bring the record into the processor's caches."""
        number, address = self._any(few)
        attribute = make_attribute("grey")  # as long as it was

        def write() -> None:
            change = Change(self._tags.get(number, self._seeded), attribute)
            assert isinstance(self.store.write(address, {"theme": change}, touch=touch), Written)
            self._tags[number] = attribute.tag

        return write

    def _sign_in(self, few: int) -> Operation:
        """In the partition of a session that is in use."""
        address, key = make_address(self._any(few)[1].partition), make_principal()
        record = make_record(self.store.now(), VALUES, principal_key=key)

        def sign_in() -> None:
            assert isinstance(self.store.create(address, record), Created)
            self._signed_in.append((address, key))

        return sign_in

    def _sign_out(self) -> Operation:
        """Of who signed in first."""

        def sign_out() -> None:
            address, key = self._signed_in.popleft()
            assert isinstance(self.store.end(address, "logout", principal_key=key), Ended)

        return sign_out

    def _keep_idle(self) -> Operation:
        self._keep()  # what sign-outs left behind
        return self._keep

    def _keep_due(self) -> Operation:
        for partition in self._draw.sample(range(PARTITIONS), DUE):
            record = make_record(self.store.now() - 2 * HOUR, VALUES, principal_key=make_principal())
            self.store.create(make_address(partition), record)

        def keep() -> None:
            assert self._keep() == DUE

        return keep

    def _keep(self) -> int:
        """What a pass of the keeper asks of Redis: it ends what is due, and carries the events on. How many ended."""
        ended = end_due(self.store, Events())
        for partition in self.store.pending():
            events = self.store.outbox(partition)
            for event in events:
                self.store.publish(event)
            self.store.acknowledge(partition, [event.event_id for event in events])
        return ended

    def _used(self) -> int:
        """Bytes that Redis has allocated, in all nodes."""
        return sum(int(client.info("memory")["used_memory"]) for client in self.clients)
