"""The reference store: one process's memory. What it does is what the port means; the contract suite holds
others to it.

For tests and single-process development: sessions are gone with the process, and no other process sees them.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace

from ..core import timeouts
from ..core.clock import Clock, SystemClock
from ..core.record import Address, Attribute, EndReason, Header, Record, Tombstone
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

DUE_AT_ONCE = 16


class MemoryStore:
    """Thread-safe: one lock makes each operation atomic. ``clock`` is the store's clock; times in
    milliseconds.
    """

    def __init__(
        self, *, clock: Clock | None = None, tombstone_ms: int = 3_600_000, unreturned_ms: int = 3_600_000
    ) -> None:
        self._clock = clock or SystemClock()
        self._tombstone_ms = tombstone_ms
        self._unreturned_ms = unreturned_ms
        self._lock = threading.Lock()
        self._entries: dict[Address, Record | Tombstone] = {}
        self._generations: dict[tuple[int, str], int] = {}

    def now(self) -> int:
        return self._clock.now()

    def read(self, address: Address) -> Record | Tombstone | None:
        with self._lock:
            return self._get(address)

    def create(self, address: Address, record: Record) -> Created | Exists | Outdated:
        header = record.header
        with self._lock:
            standing = self._get(address)
            if isinstance(standing, Record) and standing.header.secret_hash == header.secret_hash:
                return Created()
            if standing is not None:
                return Exists()
            if header.principal_key:
                owner = (address.partition, header.principal_key)
                current = self._generations.get(owner, 0)
                if header.generation < current:
                    return Outdated(current)
            older = self._end_older(address.partition, header)
            due = self._end_due(address.partition)
            self._entries[address] = Record(header, dict(record.attributes))
            return Created(older + due)

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
            header = timeouts.touched(record.header, self.now()) if touch else record.header
            self._entries[address] = Record(header, attributes)
            return Written()

    def rotate(self, address: Address, rotation: Rotation) -> Written | Tombstone | Absent | Conflicted:
        with self._lock:
            record = self._live(address)
            if not isinstance(record, Record):
                return record
            header = record.header
            if header.secret_hash == rotation.secret_hash:
                return Written()
            if header.secret_hash != rotation.expected_hash:
                return Conflicted({})
            rotated = replace(
                header,
                secret_hash=rotation.secret_hash,
                pepper_id=rotation.pepper_id,
                rotation_count=rotation.rotation_count,
                previous_hash=rotation.expected_hash,
                previous_until=rotation.previous_until,
                generation=max(header.generation, rotation.generation),
            )
            self._entries[address] = Record(rotated, record.attributes)
            return Written()

    def end(
        self,
        address: Address,
        reason: EndReason,
        *,
        principal_key: str = "",
        if_tags: Mapping[str, bytes] | None = None,
        successor: str = "",
    ) -> Ended | Tombstone | Absent | Conflicted:
        with self._lock:
            record = self._get(address)
            if isinstance(record, Tombstone):
                return record
            if record is None or record.header.principal_key != principal_key:
                return Absent()
            if reason in ("idle", "absolute"):
                due = self._expiry(record.header)
                if due is None:
                    return Conflicted({})
                reason = due
            elif if_tags is not None and (winners := _differing(record.attributes, if_tags)):
                return Conflicted(winners)
            return self._bury(address, reason, successor)

    def end_principal(
        self,
        partition: int,
        principal_key: str,
        reason: EndReason,
        *,
        generation: int,
        keep: str | None = None,
    ) -> tuple[Ended, ...]:
        with self._lock:
            owner = (partition, principal_key)
            raised = max(generation, self._generations.get(owner, 0))
            self._generations[owner] = raised
            ended = []
            for address, record in self._records(partition, principal_key):
                if address.session_id == keep:
                    header = replace(record.header, generation=max(raised, record.header.generation))
                    self._entries[address] = Record(header, record.attributes)
                else:
                    ended.append(self._bury(address, self._expiry(record.header) or reason))
            return tuple(ended)

    def list(self, partition: int, principal_key: str) -> tuple[tuple[Listed, ...], tuple[Ended, ...]]:
        with self._lock:
            ended = self._end_due(partition)
            live = [
                Listed(address.session_id, record.header)
                for address, record in self._records(partition, principal_key)
                if self._expiry(record.header) is None
            ]
            return tuple(sorted(live, key=lambda one: -one.header.last_seen_at)), ended

    def count(self) -> int:
        with self._lock:
            records = [entry for entry in self._entries.values() if isinstance(entry, Record)]
            return sum(self._expiry(record.header) is None for record in records)

    def ping(self) -> None:
        """Always answers."""

    def close(self) -> None:
        """Holds nothing open."""

    # --- with the lock held

    def _get(self, address: Address) -> Record | Tombstone | None:
        """What stands there; a tombstone past its time is gone."""
        entry = self._entries.get(address)
        if isinstance(entry, Tombstone) and self.now() >= entry.ended_at + self._tombstone_ms:
            del self._entries[address]
            return None
        return entry

    def _live(self, address: Address) -> Record | Tombstone | Absent:
        """The live record; an expired one is ended first."""
        entry = self._get(address)
        if isinstance(entry, Record) and (reason := self._expiry(entry.header)):
            self._bury(address, reason)
            return Tombstone(reason, self.now(), placed=True)
        return entry or Absent()

    def _expiry(self, header: Header) -> EndReason | None:
        return timeouts.expiry(header, self.now(), unreturned=self._unreturned_ms)

    def _bury(self, address: Address, reason: EndReason, successor: str = "") -> Ended:
        self._entries[address] = Tombstone(reason, self.now(), successor)
        return Ended(address.session_id, reason)

    def _records(
        self, partition: int, principal_key: str | None = None
    ) -> tuple[tuple[Address, Record], ...]:
        return tuple(
            (address, entry)
            for address, entry in self._entries.items()
            if address.partition == partition
            and isinstance(entry, Record)
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
        due = [
            (address, reason)
            for address, record in self._records(partition)
            if (reason := self._expiry(record.header))
        ]
        return tuple(self._bury(address, reason) for address, reason in due[:DUE_AT_ONCE])


def _applies(change: Change, standing: Attribute | None) -> bool:
    """The tag is as expected, or an earlier try of the same change was applied."""
    tag = standing.tag if standing else None
    return tag == change.expected or tag == (change.attribute.tag if change.attribute else None)


def _differing(attributes: Mapping[str, Attribute], tags: Mapping[str, bytes]) -> dict[str, Attribute | None]:
    standing = {name: attribute.tag for name, attribute in attributes.items()}
    names = [name for name in (*standing, *tags) if standing.get(name) != tags.get(name)]
    return {name: attributes.get(name) for name in names}
