"""What stands in for the real thing in a test: clock, listener, keys, records, and a manager over memory."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ..core import values
from ..core.clock import Clock
from ..core.errors import StoreUnavailable
from ..core.events import ConflictOutcome, Events, KeysOutcome, MigrationOutcome, RotationCause, Validation
from ..core.manager import SessionManager
from ..core.record import (
    TAG_BYTES,
    Address,
    Attribute,
    EndReason,
    Header,
    Kind,
    Record,
    Tail,
    alter,
    alter_tail,
)
from ..core.settings import SessionSettings
from ..core.store import Store
from ..core.token import PARTITIONS, Key, KeyRing, Keys, new_session_id
from ..stores.memory import MemoryStore

START = 1_800_000_000_000  # 2027-01-15T08:00:00Z, in milliseconds
HOUR = 3_600_000


class FakeClock:
    """Stands still until ``advance``."""

    def __init__(self, now: int = START) -> None:
        self._now = now

    def now(self) -> int:
        return self._now

    def advance(self, *, seconds: float = 0, milliseconds: int = 0) -> None:
        self._now += int(seconds * 1000) + milliseconds


@dataclass
class RecordedEvents(Events):
    """Keeps what it was told, in order."""

    created_kinds: list[Kind] = field(default_factory=list)
    ended_reasons: list[EndReason] = field(default_factory=list)
    validations: list[Validation] = field(default_factory=list)
    conflicts: list[ConflictOutcome] = field(default_factory=list)
    rotations: list[RotationCause] = field(default_factory=list)
    keys_outcomes: list[KeysOutcome] = field(default_factory=list)
    migrations: list[MigrationOutcome] = field(default_factory=list)
    operations: list[str] = field(default_factory=list)

    def created(self, kind: Kind) -> None:
        self.created_kinds.append(kind)

    def ended(self, reason: EndReason) -> None:
        self.ended_reasons.append(reason)

    def validated(self, result: Validation) -> None:
        self.validations.append(result)

    def conflict(self, outcome: ConflictOutcome) -> None:
        self.conflicts.append(outcome)

    def keys_read(self, outcome: KeysOutcome) -> None:
        self.keys_outcomes.append(outcome)

    def rotated(self, cause: RotationCause) -> None:
        self.rotations.append(cause)

    def migrated(self, outcome: MigrationOutcome) -> None:
        self.migrations.append(outcome)

    @contextmanager
    def operation(self, name: str, attributes: Mapping[str, str | int]) -> Iterator[None]:  # noqa: ARG002
        self.operations.append(name)
        yield


class FailingStore(MemoryStore):
    """A memory store that counts what is asked of it and can be away.

    ``asked``: the names of the operations, in order. ``away``: operations (``"read"``, …, or ``"all"``) that raise
    ``StoreUnavailable`` and do nothing.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock=clock)
        self.asked: list[str] = []
        self.away: set[str] = set()

    def __getattribute__(self, name: str) -> Any:
        if name in ("read", "create", "write", "rotate", "end"):
            self.asked.append(name)
            if name in self.away or "all" in self.away:
                raise StoreUnavailable(name, "away", retry_after=3)
        return super().__getattribute__(name)


def make_keys() -> Keys:
    """Random keys, one a ring, ID ``A``."""

    def ring() -> KeyRing:
        return KeyRing((Key("A", secrets.token_bytes(32)),))

    return Keys(mac=ring(), pepper=ring(), csrf=ring(), placement=secrets.token_bytes(32))


def memory_manager(
    *,
    clock: FakeClock | None = None,
    settings: SessionSettings | None = None,
    events: Events | None = None,
    keys: Keys | None = None,
    store: Store | None = None,
) -> SessionManager:
    """A manager over a ``MemoryStore`` of its own; its clock is a ``FakeClock`` unless one is given."""
    clock = clock or FakeClock()
    settings = settings or SessionSettings()
    store = store or MemoryStore(
        clock=clock,
        tombstone_ms=settings.tombstone * 1000,
        unreturned_ms=settings.anonymous_unreturned * 1000,
    )
    return SessionManager(store, keys or make_keys(), settings=settings, clock=clock, events=events)


def make_address(partition: int | None = None) -> Address:
    chosen = secrets.randbelow(PARTITIONS) if partition is None else partition
    return Address(chosen, new_session_id(secrets.token_bytes))


def make_attribute(value: object) -> Attribute:
    return Attribute(secrets.token_bytes(TAG_BYTES), values.encode(value))


def make_record(now: int, attributes: Mapping[str, object] | None = None, **fields: object) -> Record:
    """An anonymous session that began ``now`` and whose cookie came back, unless ``fields`` of the header
    say other.
    """
    header = Header(
        secret_hash=secrets.token_bytes(16),
        pepper_id="A",
        created_at=now,
        last_seen_at=now,
        idle=HOUR,
        absolute_at=now + 12 * HOUR,
        returned=True,
    )
    of_tail = {name: fields.pop(name) for name in Tail.__struct_fields__ if name in fields}
    header = alter_tail(alter(header, **fields), **of_tail)
    return Record(header, {name: make_attribute(value) for name, value in (attributes or {}).items()})


def make_principal() -> str:
    """A ``principal_key`` that nobody else has."""
    return secrets.token_urlsafe(16)
