"""The store on a Redis Cluster: ``core.store``'s port. Each operation is one script, or one HGETALL, on one
slot's owner.

The scripts get every key by name. Where a key's name is only known to Redis (what is due, what a principal
has), an earlier reply names it and the next script checks it again. Whatever may have happened to an
operation that got no answer, it can be repeated: no script applies twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ..core.clock import Clock, SystemClock
from ..core.codec import decode_attribute, decode_header, decode_record, encode_attribute, encode_record
from ..core.errors import StoreUnavailable
from ..core.events import Events
from ..core.record import END_REASONS, Address, Attribute, EndReason, Header, Record, Tombstone
from ..core.store import (
    Absent,
    Change,
    Conflicted,
    Created,
    Ended,
    Exists,
    Listed,
    Outdated,
    Rotation,
    Written,
)
from ..core.token import PARTITIONS
from . import scripts
from .cluster import Cluster, Command, NoAnswerError, Script
from .keys import Keyspace, slot, split_member
from .pool import Credentials, Deadline

_COUNT_SECONDS = 2.0  # 4,096 partitions


class RedisStore:
    """Thread-safe and fork-safe; makes no connection before the first operation.

    ``nodes``: any nodes of the cluster. ``deadline_ms``: one operation, redirects and retries included.
    ``unreturned_ms``: how long an anonymous session lives whose cookie never came back (``SessionSettings``).
    ``tombstone_ms``: how long the mark of an ended session stays. ``pool_size``: connections a node.
    """

    def __init__(
        self,
        nodes: Sequence[tuple[str, int]],
        *,
        prefix: str = "ps",
        deadline_ms: int = 250,
        tombstone_ms: int = 3_600_000,
        unreturned_ms: int = 3_600_000,
        username: str | None = None,
        password: str | None = None,
        pool_size: int = 32,
        events: Events | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._cluster = Cluster(nodes, pool_size=pool_size, credentials=Credentials(username, password))
        self._keys = Keyspace(prefix)
        self._seconds = deadline_ms / 1000
        self._tombstone_ms = tombstone_ms
        self._unreturned_ms = unreturned_ms
        self._events = events or Events()
        self._clock = clock or SystemClock()
        self._offset = 0

    def now(self) -> int:
        return self._clock.now() + self._offset

    def read(self, address: Address) -> Record | Tombstone | None:
        with self._operation("read", "HGETALL", address.partition) as deadline:
            command = Command.of("HGETALL", self._keys.record(address))
            fields: Mapping[bytes, bytes] = self._cluster.execute(slot(address.partition), command, deadline)
        return decode_record(fields)

    def create(self, address: Address, record: Record) -> Created | Exists | Outdated:
        partition = address.partition
        fields = encode_record(record)
        arguments: list[str | bytes | int] = [address.session_id, self._unreturned_ms, fields.pop(b"")]
        for name, value in fields.items():
            arguments += (name, value)
        keys = [self._keys.record(address), self._keys.expiry(partition)]
        if record.header.principal_key:
            keys.append(self._keys.principal(partition, record.header.principal_key))
        with self._operation("create", "EVALSHA", partition) as deadline:
            status, *rest = self._run(scripts.CREATE, partition, keys, arguments, deadline)
            older: tuple[Ended, ...] = ()
            while status == b"older":
                older += self._end_older(partition, record.header, rest[0], deadline)
                status, *rest = self._run(scripts.CREATE, partition, keys, arguments, deadline)
            if status == b"exists":
                return Exists()
            if status == b"outdated":
                return Outdated(int(rest[0]))
            try:
                return Created(older + self._end_due(partition, rest[0], deadline))
            except NoAnswerError:
                return Created(older)  # the session is there; what was due still is

    def write(
        self, address: Address, changes: Mapping[str, Change], *, touch: bool = False
    ) -> Written | Conflicted | Tombstone | Absent:
        keys = [self._keys.record(address)]
        if touch:
            keys.append(self._keys.expiry(address.partition))
        arguments: list[str | bytes | int] = [address.session_id, self._unreturned_ms]
        for name, change in changes.items():
            value = encode_attribute(change.attribute) if change.attribute else b""
            arguments += (name, change.expected or b"", value)
        with self._operation("write", "EVALSHA", address.partition) as deadline:
            status, *rest = self._run(scripts.WRITE, address.partition, keys, arguments, deadline)
            if status == b"expired":
                return self._expire(address, rest[0], deadline)
        return self._outcome(status, rest)

    def rotate(self, address: Address, rotation: Rotation) -> Written | Tombstone | Absent | Conflicted:
        arguments: tuple[str | bytes | int, ...] = (
            self._unreturned_ms,
            rotation.expected_hash,
            rotation.secret_hash,
            rotation.pepper_id,
            rotation.rotation_count,
            rotation.previous_until,
            rotation.generation,
        )
        keys = (self._keys.record(address),)
        with self._operation("rotate", "EVALSHA", address.partition) as deadline:
            status, *rest = self._run(scripts.ROTATE, address.partition, keys, arguments, deadline)
            if status == b"expired":
                return self._expire(address, rest[0], deadline)
        return self._outcome(status, rest)

    def end(
        self,
        address: Address,
        reason: EndReason,
        *,
        principal_key: str = "",
        if_tags: Mapping[str, bytes] | None = None,
        successor: str = "",
    ) -> Ended | Tombstone | Absent | Conflicted:
        with self._operation("end", "EVALSHA", address.partition) as deadline:
            return self._end(
                address, reason, deadline, principal_key=principal_key, if_tags=if_tags, successor=successor
            )

    def end_principal(
        self,
        partition: int,
        principal_key: str,
        reason: EndReason,
        *,
        generation: int,
        keep: str | None = None,
    ) -> tuple[Ended, ...]:
        """As the port says. What is created between its two scripts has the new generation, and lives."""
        keys = (self._keys.expiry(partition), self._keys.principal(partition, principal_key))
        arguments = (
            principal_key,
            self._unreturned_ms,
            self._tombstone_ms,
            END_REASONS.index(reason),
            generation,
            keep or "",
        )
        kept = (keep,) if keep else ()
        ended: list[Ended] = []
        with self._operation("end_principal", "EVALSHA", partition) as deadline:
            # The first script ends nothing that it cannot name, but from it on no older generation is created.
            missing: tuple[str, ...] = ()
            for _ in range(2):
                ids = (*kept, *missing)
                records = self._records(partition, ids)
                reply = self._run(
                    scripts.END_PRINCIPAL, partition, (*keys, *records), (*arguments, *ids), deadline
                )
                ended += _ended(reply[0])
                missing = tuple(name.decode() for name in reply[1])
                if not missing:
                    break
        return tuple(ended)

    def list(self, partition: int, principal_key: str) -> tuple[tuple[Listed, ...], tuple[Ended, ...]]:
        keys = (self._keys.expiry(partition), self._keys.principal(partition, principal_key))
        arguments = (principal_key, self._unreturned_ms)
        with self._operation("list", "EVALSHA", partition) as deadline:
            names, due, _ = self._run(scripts.LIST, partition, keys, arguments, deadline)
            ended = self._end_due(partition, due, deadline)
            ids = tuple(name.decode() for name in names)
            live: Sequence[bytes] = ()
            if ids:
                records = self._records(partition, ids)
                *_, live = self._run(scripts.LIST, partition, (*keys, *records), (*arguments, *ids), deadline)
        return _listed(live), ended

    def count(self) -> int:
        now = self.now()
        with self._operation("count", "ZCOUNT", 0, seconds=max(_COUNT_SECONDS, self._seconds)) as deadline:
            commands = [
                (slot(partition), Command.of("ZCOUNT", self._keys.expiry(partition), f"({now}", "+inf"))
                for partition in range(PARTITIONS)
            ]
            return sum(self._cluster.execute_all(commands, deadline))

    def ping(self) -> None:
        with self._operation("ping", "PING", 0) as deadline:
            self._cluster.ping(deadline)
            # A process that only reads hears of no script's time: by a slow clock of its own it would let in who has
            # idled out. Health checks come each few seconds.
            before = self._clock.now()
            seconds, microseconds = self._cluster.execute(0, Command.of("TIME"), deadline)
            self._correct(int(seconds) * 1000 + int(microseconds) // 1000, before, self._clock.now())

    def close(self) -> None:
        self._cluster.close()

    @contextmanager
    def _operation(
        self, name: str, command: str, partition: int, *, seconds: float | None = None
    ) -> Iterator[Deadline]:
        """A span and a duration around one operation. The node is the one expected: a redirect is not known
        before.
        """
        node = self._cluster.likely(slot(partition))
        attributes: dict[str, str | int] = {
            "db.system.name": "redis",
            "db.operation.name": command,
            "server.address": node.host,
            "server.port": node.port,
        }
        with self._events.operation(name, attributes):
            try:
                yield self._cluster.deadline(seconds or self._seconds)
            except NoAnswerError as error:
                raise StoreUnavailable(name, str(error)) from error

    def _run(
        self,
        script: Script,
        partition: int,
        keys: Sequence[str],
        arguments: Sequence[str | bytes | int],
        deadline: Deadline,
    ) -> Sequence[Any]:
        """The script's answer without Redis' time, by which our clock is corrected."""
        before = self._clock.now()
        reply: list[Any] = self._cluster.execute(slot(partition), script.call(keys, arguments), deadline)
        self._correct(reply[0], before, self._clock.now())
        return reply[1:]

    def _correct(self, time: int, before: int, after: int) -> None:
        """The true offset is between ``time - after`` and ``time - before``: no slow answer moves the clock
        further.
        """
        self._offset = max(time - after, min(time - before, self._offset))
        self._events.clock_skew(self._offset / 1000)

    def _end(
        self,
        address: Address,
        reason: EndReason,
        deadline: Deadline,
        *,
        principal_key: str = "",
        if_tags: Mapping[str, bytes] | None = None,
        successor: str = "",
    ) -> Ended | Tombstone | Absent | Conflicted:
        keys = [self._keys.record(address), self._keys.expiry(address.partition)]
        if principal_key:
            keys.append(self._keys.principal(address.partition, principal_key))
        arguments: list[str | bytes | int] = [
            address.session_id,
            self._unreturned_ms,
            self._tombstone_ms,
            END_REASONS.index(reason),
            principal_key,
            0 if if_tags is None else 1,
            successor,
        ]
        for name, tag in (if_tags or {}).items():
            arguments += (name, tag)
        status, *rest = self._run(scripts.END, address.partition, keys, arguments, deadline)
        if status == b"ended":
            return Ended(address.session_id, END_REASONS[rest[0]])
        outcome = self._outcome(status, rest)
        if isinstance(outcome, Written):
            raise TypeError("a script that ends cannot have written")
        return outcome

    def _expire(
        self, address: Address, principal_key: bytes, deadline: Deadline
    ) -> Tombstone | Absent | Conflicted:
        """Ends a record that a script found expired, now with all its keys declared."""
        outcome = self._end(address, "idle", deadline, principal_key=principal_key.decode())
        if isinstance(outcome, Ended):
            return Tombstone(outcome.reason, self.now(), placed=True)
        return outcome

    def _end_older(
        self, partition: int, header: Header, names: Sequence[bytes], deadline: Deadline
    ) -> tuple[Ended, ...]:
        """Ends these sessions of the principal and raises its generation, before the first session that has it."""
        ids = tuple(name.decode() for name in names)
        keys = (self._keys.expiry(partition), self._keys.principal(partition, header.principal_key))
        revoked, generation = END_REASONS.index("revoked"), header.generation
        arguments = (header.principal_key, self._unreturned_ms, self._tombstone_ms, revoked, generation, "")
        records = self._records(partition, ids)
        reply = self._run(scripts.END_PRINCIPAL, partition, (*keys, *records), (*arguments, *ids), deadline)
        return _ended(reply[0])

    def _end_due(self, partition: int, members: Sequence[bytes], deadline: Deadline) -> tuple[Ended, ...]:
        if not members:
            return ()
        expiry = self._keys.expiry(partition)
        keys = [expiry]
        for text in members:
            session_id, principal_key = split_member(text.decode())
            keys.append(self._keys.record(Address(partition, session_id)))
            keys.append(self._keys.principal(partition, principal_key) if principal_key else expiry)
        arguments: tuple[str | bytes | int, ...] = (self._unreturned_ms, self._tombstone_ms, *members)
        return _ended(self._run(scripts.END_DUE, partition, keys, arguments, deadline))

    def _records(self, partition: int, session_ids: Sequence[str]) -> tuple[str, ...]:
        return tuple(self._keys.record(Address(partition, session_id)) for session_id in session_ids)

    @staticmethod
    def _outcome(status: bytes, rest: Sequence[Any]) -> Written | Conflicted | Tombstone | Absent:
        match status:
            case b"written":
                return Written()
            case b"conflicted":
                return Conflicted(_winners(rest))
            case b"tombstone":
                tombstone = decode_header(rest[0])
                assert isinstance(tombstone, Tombstone)
                return tombstone
            case b"absent":
                return Absent()
        raise RuntimeError(f"a script of the session store gave an answer that is none: {status!r}")


def _winners(flat: Sequence[bytes | None]) -> Mapping[str, Attribute | None]:
    names, values = flat[::2], flat[1::2]
    return {
        name.decode(): None if value is None else decode_attribute(value)
        for name, value in zip(names, values, strict=True)
        if name is not None
    }


def _ended(flat: Sequence[Any]) -> tuple[Ended, ...]:
    return tuple(
        Ended(session_id.decode(), END_REASONS[reason])
        for session_id, reason in zip(flat[::2], flat[1::2], strict=True)
    )


def _listed(flat: Sequence[bytes]) -> tuple[Listed, ...]:
    found = []
    for session_id, data in zip(flat[::2], flat[1::2], strict=True):
        header = decode_header(data)
        if not isinstance(header, Tombstone):
            found.append(Listed(session_id.decode(), header))
    return tuple(sorted(found, key=lambda listed: listed.header.last_seen_at, reverse=True))
