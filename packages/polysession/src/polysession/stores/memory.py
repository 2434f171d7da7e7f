"""The reference store: one process's memory. What it does is what the port means; the contract suite holds
others to it.

For tests and single-process development: sessions are gone with the process, and no other process sees them.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeGuard

from ..core import rotation as age
from ..core import timeouts as timing
from ..core.clock import Clock, SystemClock
from ..core.peek import judge_from_outside
from ..core.record import Address, Attribute, EndReason, Header, Record, Timeouts, Tombstone, alter
from ..core.store import (
    Absent,
    Change,
    Conflicted,
    Created,
    Ended,
    EndedPrincipal,
    Exists,
    Full,
    Limit,
    Listed,
    Offer,
    Offered,
    OutboxEvent,
    Outdated,
    Rotation,
    Written,
)

DUE_AT_ONCE = 16
EVENTS_AT_ONCE = 256
PUBLISHED = 10_000  # as many as the public stream keeps


class MemoryStore:
    """Thread-safe: one lock makes each operation atomic. ``clock`` is the store's clock; times in
    milliseconds.
    """

    asynchronous = True  # it never waits

    def __init__(
        self, *, clock: Clock | None = None, tombstone_ms: int = 3_600_000, unreturned_ms: int = 3_600_000
    ) -> None:
        self._clock = clock or SystemClock()
        self._tombstone_ms = tombstone_ms
        self._unreturned_ms = unreturned_ms
        self._lock = threading.Lock()
        self._entries: dict[Address, Record | Tombstone] = {}
        self._generations: dict[tuple[int, str], int] = {}
        self._outbox: dict[int, dict[str, OutboxEvent]] = {}
        self.published: deque[OutboxEvent] = deque(maxlen=PUBLISHED)

    def now(self) -> int:
        return self._clock.now()

    def read(self, address: Address) -> Record | Tombstone | None:
        with self._lock:
            return self._get(address)

    def peek(self, address: Address) -> Record | Tombstone | None:
        return judge_from_outside(self.read(address), now=self.now(), unreturned=self._unreturned_ms)

    def find(self, session_id: str) -> Address | None:
        with self._lock:
            found = [address for address in self._entries if address.session_id == session_id]
            return next((address for address in found if self._get(address)), None)

    def create(
        self, address: Address, record: Record, *, limit: Limit | None = None
    ) -> Created | Exists | Outdated | Full:
        header = record.header
        with self._lock:
            standing = self._get(address)
            if isinstance(standing, Record) and standing.header.secret_hash == header.secret_hash:
                return Created(confirmed=True)
            if standing is not None:
                return Exists()
            owner = (address.partition, header.principal_key)
            current = self._generations.get(owner, 0)
            if header.principal_key and header.generation < current:
                return Outdated(current)
            older = self._end_older(address.partition, header)
            excess = self._excess(owner, limit) if header.principal_key and limit else ()
            if excess and limit and limit.policy == "refuse":
                return Full()
            due = self._end_due(address.partition) + tuple(self._bury(one, "replaced") for one in excess)
            self._entries[address] = Record(header, dict(record.attributes))
            return Created(older + due, confirmed=True)

    def restore(self, address: Address, record: Record) -> Created | Exists | Outdated:
        outcome = self.create(address, record)
        assert not isinstance(outcome, Full)  # without a limit
        return outcome

    def refuse(self, address: Address, reason: EndReason = "revoked") -> None:
        with self._lock:
            if self._get(address) is None:
                self._entries[address] = Tombstone(reason, self.now())

    def write(
        self, address: Address, changes: Mapping[str, Change], *, touch: bool = False
    ) -> Written | Conflicted | Tombstone | Absent:
        with self._lock:
            record = self._live(address)
            if not isinstance(record, Record):
                return record
            attributes = dict(record.attributes)
            disputed = [
                name for name, change in changes.items() if not _applies(change, attributes.get(name))
            ]
            if disputed:
                return Conflicted({name: attributes.get(name) for name in disputed})
            for name, change in changes.items():
                if change.attribute is None:
                    attributes.pop(name, None)
                else:
                    attributes[name] = change.attribute
            header = timing.touched(record.header, self.now()) if touch else record.header
            self._entries[address] = Record(header, attributes)
            return Written()

    def retime(
        self, address: Address, timeouts: Timeouts, *, principal_key: str = ""
    ) -> Written | Tombstone | Absent:
        with self._lock:
            record = self._live(address)
            if not isinstance(record, Record):
                return record
            if record.header.principal_key != principal_key:
                return Absent()
            header = timing.retimed(record.header, timeouts, self.now())
            self._entries[address] = Record(header, record.attributes)
            return Written()

    def rotate(self, address: Address, rotation: Rotation) -> Written | Tombstone | Absent | Conflicted:
        with self._lock:
            record = self._live(address)
            if not isinstance(record, Record):
                return record
            header = record.header
            if header.secret_hash == rotation.secret_hash:
                return Written(confirmed=True)
            if header.secret_hash != rotation.expected_hash:
                return Conflicted({})
            again = rotation.previous_until == 0
            rotated = age.repeated(header, rotation) if again else age.rotated(header, rotation)
            self._entries[address] = Record(rotated, record.attributes)
            if not again:
                self._tell(address, rotated, None)
            return Written(confirmed=True)

    def offer(self, address: Address, offer: Offer) -> Offered | Tombstone | Absent | Conflicted:
        with self._lock:
            record = self._live(address)
            if not isinstance(record, Record):
                return record
            header = record.header
            if header.secret_hash != offer.expected_hash:
                return Conflicted({})
            if age.is_offered(header):
                return Offered(header.nonce, header.previous_hash, False, confirmed=True)
            offered = alter(header, nonce=offer.nonce, previous_hash=offer.successor_hash, previous_until=0)
            self._entries[address] = Record(offered, record.attributes)
            self._tell(address, age.rotated(header, age.accept(offered, until=0)), None)
            return Offered(offer.nonce, offer.successor_hash, True, confirmed=True)

    def end(
        self,
        address: Address,
        reason: EndReason,
        *,
        principal_key: str = "",
        if_tags: Mapping[str, bytes] | None = None,
        successor: str = "",
        confirm: bool = True,
    ) -> Ended | Tombstone | Absent | Conflicted:
        with self._lock:
            record = self._get(address)
            if isinstance(record, Tombstone):
                return replace(record, confirmed=confirm)
            if record is None or record.header.principal_key != principal_key:
                return Absent()
            if reason in ("idle", "absolute"):
                due = self._expiry(record.header)
                if due is None:
                    return Conflicted({})
                reason = due
            elif if_tags is not None and (winners := _differing(record.attributes, if_tags)):
                return Conflicted(winners)
            return replace(self._bury(address, reason, successor), confirmed=confirm)

    def end_principal(
        self,
        partition: int,
        principal_key: str,
        reason: EndReason,
        *,
        generation: int,
        keep: str | None = None,
    ) -> EndedPrincipal:
        with self._lock:
            owner = (partition, principal_key)
            raised = max(generation, self._generations.get(owner, 0))
            self._generations[owner] = raised
            ended = []
            for address, record in self._records(partition, principal_key):
                if address.session_id == keep:
                    header = alter(record.header, generation=max(raised, record.header.generation))
                    self._entries[address] = Record(header, record.attributes)
                else:
                    ended.append(self._bury(address, self._expiry(record.header) or reason))
            return EndedPrincipal(tuple(ended), confirmed=True)

    def list(self, partition: int, principal_key: str) -> tuple[tuple[Listed, ...], tuple[Ended, ...]]:
        with self._lock:
            ended = self._end_due(partition)
            live = [
                Listed(address.session_id, record.header)
                for address, record in self._records(partition, principal_key)
                if self._expiry(record.header) is None
            ]
            return tuple(sorted(live, key=lambda one: -one.header.last_seen_at)), ended

    def end_due(self, partition: int) -> tuple[Ended, ...]:
        with self._lock:
            return self._end_due(partition)

    def outbox(self, partition: int) -> tuple[OutboxEvent, ...]:
        with self._lock:
            return tuple(self._outbox.get(partition, {}).values())[:EVENTS_AT_ONCE]

    def acknowledge(self, partition: int, event_ids: Sequence[str]) -> None:
        with self._lock:
            for event_id in event_ids:
                self._outbox.get(partition, {}).pop(event_id, None)

    def pending(self) -> tuple[int, ...]:
        with self._lock:
            partitions = {partition for partition, events in self._outbox.items() if events}
            for address, entry in self._entries.items():
                if _is_session(entry) and self._expiry(entry.header):
                    partitions.add(address.partition)
            return tuple(sorted(partitions))

    def publish(self, event: OutboxEvent) -> None:
        self.published.append(event)

    def epochs(self) -> Mapping[str, str]:
        """None: memory is lost as a whole."""
        return {}

    def partitions_of(self, node: str) -> tuple[int, ...]:  # noqa: ARG002
        return ()

    def count(self) -> int:
        with self._lock:
            records = [entry for entry in self._entries.values() if _is_session(entry)]
            return sum(self._expiry(record.header) is None for record in records)

    def ping(self) -> None:
        """Always answers."""

    def close(self) -> None:
        """Holds nothing open."""

    # --- with the lock held

    def _get(self, address: Address) -> Record | Tombstone | None:
        """What stands there; a tombstone past its time is gone, and so is a claim."""
        entry = self._entries.get(address)
        if isinstance(entry, Tombstone):
            gone = self.now() >= entry.ended_at + self._tombstone_ms
        else:
            gone = entry is not None and entry.header.claim and self._expiry(entry.header) is not None
        if gone:
            del self._entries[address]
        return None if gone else entry

    def _live(self, address: Address) -> Record | Tombstone | Absent:
        """The live record; an expired one is ended first."""
        entry = self._get(address)
        if isinstance(entry, Record) and (reason := self._expiry(entry.header)):
            self._bury(address, reason)
            return Tombstone(reason, self.now(), placed=True)
        return entry or Absent()

    def _expiry(self, header: Header) -> EndReason | None:
        return timing.expiry(header, self.now(), unreturned=self._unreturned_ms)

    def _bury(self, address: Address, reason: EndReason, successor: str = "") -> Ended:
        entry = self._entries[address]
        assert isinstance(entry, Record)
        self._entries[address] = Tombstone(reason, self.now(), successor)
        self._tell(address, entry.header, reason)
        return Ended(address.session_id, reason, confirmed=True)

    def _tell(self, address: Address, header: Header, reason: EndReason | None) -> None:
        """Into the outbox: an end with its reason, or else a rotation."""
        suffix = "e" if reason else f"r{header.rotation_count}"
        event = OutboxEvent(
            event_id=f"{address.session_id}.{suffix}",
            kind="ended" if reason else "rotated",
            partition=address.partition,
            session_id=address.session_id,
            principal_key=header.principal_key,
            at=self.now(),
            reason=reason,
            secret_hash=header.secret_hash,
            pepper_id=header.pepper_id,
            rotation_count=header.rotation_count,
            previous_hash=header.previous_hash,
            generation=header.generation,
        )
        self._outbox.setdefault(address.partition, {})[event.event_id] = event

    def _excess(self, owner: tuple[int, str], limit: Limit) -> tuple[Address, ...]:
        """What must end for one more to fit, least recently seen first."""
        live = [entry for entry in self._records(*owner) if self._expiry(entry[1].header) is None]
        live.sort(key=lambda entry: entry[1].header.last_seen_at)
        return tuple(address for address, _ in live[: max(0, len(live) - limit.sessions + 1)])

    def _records(
        self, partition: int, principal_key: str | None = None
    ) -> tuple[tuple[Address, Record], ...]:
        return tuple(
            (address, entry)
            for address, entry in self._entries.items()
            if address.partition == partition
            and _is_session(entry)
            and principal_key in (None, entry.header.principal_key)
        )

    def _end_older(self, partition: int, header: Header) -> tuple[Ended, ...]:
        """A first write that raises its principal's generation does what the end of all should have done."""
        owner = (partition, header.principal_key)
        if not header.principal_key or header.generation <= self._generations.get(owner, 0):
            return ()
        self._generations[owner] = header.generation
        standing = self._records(partition, header.principal_key)
        return tuple(self._bury(address, self._expiry(old.header) or "revoked") for address, old in standing)

    def _end_due(self, partition: int) -> tuple[Ended, ...]:
        due: list[tuple[Address, EndReason]] = [
            (address, reason)
            for address, record in self._records(partition)
            if (reason := self._expiry(record.header))
        ]
        return tuple(self._bury(address, reason) for address, reason in due[:DUE_AT_ONCE])


def _is_session(entry: Record | Tombstone) -> TypeGuard[Record]:
    return isinstance(entry, Record) and not entry.header.claim


def _applies(change: Change, standing: Attribute | None) -> bool:
    """The tag is as expected, or an earlier try of the same change was applied."""
    tag = standing.tag if standing else None
    return tag == change.expected or tag == (change.attribute.tag if change.attribute else None)


def _differing(attributes: Mapping[str, Attribute], tags: Mapping[str, bytes]) -> dict[str, Attribute | None]:
    standing = {name: attribute.tag for name, attribute in attributes.items()}
    names = [name for name in (*standing, *tags) if standing.get(name) != tags.get(name)]
    return {name: attributes.get(name) for name in names}
