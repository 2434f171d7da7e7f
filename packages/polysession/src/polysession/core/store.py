"""The port: what a store does. ``stores.memory`` is the reference, ``stores.redis`` the product; one contract
suite tests both.

Every operation is atomic in its partition. Every operation may raise ``StoreUnavailable`` (*unknown*);
``None`` or ``Absent`` mean that the node answered: nothing there. An operation may be repeated after
``StoreUnavailable``: none applies twice. Expiry is judged by the store's own clock (Redis ``TIME``; a memory
store's by construction).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import msgspec

from .record import Address, Attribute, EndReason, Header, Record, Timeouts, Tombstone


@dataclass(frozen=True, slots=True)
class Ended:
    """A session that this operation ended: once a session, whoever asks again. Count it by reason.

    ``confirmed``: a replica has it. ``False`` also where nobody asked: only ends that were asked for are
    confirmed, what was due is not.
    """

    session_id: str
    reason: EndReason
    confirmed: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Absent:
    """The node answered: there is no such record. Only a first write creates; nothing else can."""


@dataclass(frozen=True, slots=True)
class Created:
    """``due``: other sessions that it ended on the way: up to 16 due ones of the partition, those of an older
    generation, and those that it ``replaced``. ``confirmed``: a replica has it; asked for signed-in sessions only.
    """

    due: tuple[Ended, ...] = ()
    confirmed: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Exists:
    """There is a record or a tombstone under this address already. Nothing was written."""


@dataclass(frozen=True, slots=True)
class Outdated:
    """The principal's generation in the partition is newer than the header's. Nothing was written."""

    current: int


LimitPolicy = Literal["replace", "refuse"]


@dataclass(frozen=True, slots=True)
class Limit:
    """How many live sessions a principal has at most. ``replace``: the least recently seen ends,
    ``replaced``. ``refuse``: the creation is ``Full``.
    """

    sessions: int
    policy: LimitPolicy = "replace"


@dataclass(frozen=True, slots=True)
class Full:
    """The principal has as many live sessions as ``Limit`` allows, and its policy refuses. Nothing was
    written.
    """


class Change(msgspec.Struct, frozen=True):
    """``expected``: the tag as read, ``None`` for an attribute that was not there. ``attribute`` ``None``
    deletes.
    """

    expected: bytes | None
    attribute: Attribute | None


@dataclass(frozen=True, slots=True)
class Written:
    """All was written, or was already there by an earlier try of the same write. ``confirmed``: a replica
    has it; asked for rotations only.
    """

    confirmed: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Conflicted:
    """Nothing was written. ``winners``: what now stands for each name in dispute, ``None`` where it was
    deleted.
    """

    winners: Mapping[str, Attribute | None]


@dataclass(frozen=True, slots=True)
class Rotation:
    """A new secret for the same session; applied only while the record has ``expected_hash``.

    ``previous_until``: until then (milliseconds, the caller's clock) the old secret is refused without alarm.
    ``generation``: what the record carries from now on; never lowered (an end of the others may have raised
    it meanwhile). ``previous_until`` 0: the ledger repeats a rotation that a failover may have lost
    (``rotation.repeated``); no event. ``tail``: of the header from now on, plain (``codec``); empty: as it is.
    """

    expected_hash: bytes
    secret_hash: bytes
    pepper_id: str
    rotation_count: int
    previous_until: int
    generation: int
    tail: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Offer:
    """A successor by age (``rotation``), laid beside ``expected_hash`` without taking its place.
    ``rotation_count``: the successor's.
    """

    expected_hash: bytes
    successor_hash: bytes
    nonce: bytes
    rotation_count: int


@dataclass(frozen=True, slots=True)
class Offered:
    """What is on offer now: ``drawn`` by this operation, or else by an earlier one. ``confirmed``: a replica
    has it, or the store was told to ask none.
    """

    nonce: bytes
    successor_hash: bytes
    drawn: bool
    confirmed: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Listed:
    """A live session of a principal, attributes left out."""

    session_id: str
    header: Header


@dataclass(frozen=True, slots=True)
class EndedPrincipal:
    """``ended`` by this operation; ``confirmed``: a replica has it all, the generation too."""

    ended: tuple[Ended, ...]
    confirmed: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class OutboxEvent:
    """A fact that the keeper carries on, written by the script that made it true.

    ``event_id``: ``<session ID>.e`` for its end, ``<session ID>.r<rotation count>`` for a rotation; the same
    fact may come again (after a failover), then with the same ID. ``at``: milliseconds, the store's clock.
    ``reason``: ``None`` for a rotation. The rest is what the record's header said after it; empty and zero
    where the record had been dropped before its end.
    """

    event_id: str
    kind: Literal["ended", "rotated"]
    partition: int
    session_id: str
    principal_key: str
    at: int
    reason: EndReason | None
    secret_hash: bytes
    pepper_id: str
    rotation_count: int
    previous_hash: bytes
    generation: int


class Store(Protocol):
    def now(self) -> int:
        """The caller's clock, corrected by the store's last reply. Milliseconds."""
        ...

    def read(self, address: Address) -> Record | Tombstone | None:
        """One round trip, no write. May return an expired record: the caller judges by ``now()`` and ends it."""
        ...

    def peek(self, address: Address) -> Record | Tombstone | None:
        """``read`` for whoever is not the session's browser: a background job, an operator. Nothing is touched,
        created or ended; an expired record is answered as the tombstone that it is about to become. What it races
        with: everything. The next moment the session may have ended, or have other attributes; so this is no
        answer to "may this request go on".
        """
        ...

    def find(self, session_id: str) -> Address | None:
        """Where a record or tombstone of this ID is, by asking every partition: one question for all 4,096, for an
        operator who has nothing but the ID. Jobs and requests know the address, or the principal. No snapshot of the
        whole; an ID is drawn once, so there is one place at most.
        """
        ...

    def create(
        self, address: Address, record: Record, *, limit: Limit | None = None
    ) -> Created | Exists | Outdated | Full:
        """The first write of a session. With a ``principal_key``: enters the principal's sessions, keeps
        their number within ``limit``, and refuses an older generation; a newer one ends what the principal
        still has of older ones (``revoked``): whoever raised it got no answer to ``end_principal``. Repeating it
        with the same secret hash is ``Created``.
        """
        ...

    def restore(self, address: Address, record: Record) -> Created | Exists | Outdated:
        """A session that the ledger has and the store lost: only where there is neither record nor
        tombstone. The limit was applied when it was created. The caller judged its expiry.
        """
        ...

    def refuse(self, address: Address, reason: EndReason = "revoked") -> None:
        """The ledger's "no", kept as a tombstone where there is neither record nor tombstone: the next use of
        the token asks nobody. No event.
        """
        ...

    def write(
        self, address: Address, changes: Mapping[str, Change], *, touch: bool = False
    ) -> Written | Conflicted | Tombstone | Absent:
        """All of ``changes`` or none: the record is live and unexpired and every tag is as expected.

        ``touch``: last seen becomes the store's now (never goes back) and ``returned`` is set. An expired
        record is ended and its tombstone returned, ``placed``. With no changes and ``touch`` it is a bare
        touch.
        """
        ...

    def retime(
        self, address: Address, timeouts: Timeouts, *, principal_key: str = ""
    ) -> Written | Tombstone | Absent:
        """Other timeouts of the same session, which counts as activity. ``principal_key``: the record's own, or
        nothing is touched and the answer is ``Absent``. On an expired record: as ``write``.
        """
        ...

    def rotate(self, address: Address, rotation: Rotation) -> Written | Tombstone | Absent | Conflicted:
        """``Conflicted`` (no winners): another rotation came first. Repeating one is ``Written``. Also the
        acceptance of what was offered.
        """
        ...

    def offer(self, address: Address, offer: Offer) -> Offered | Tombstone | Absent | Conflicted:
        """The nonce and the successor's hash enter the record; ``expected_hash`` still opens it. The rotation's
        event enters the outbox: the ledger knows both hashes before the successor is used. What is on offer
        already stays. ``Conflicted``: the record has another secret by now.
        """
        ...

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
        """Tombstone in place of the record. ``Ended`` for the one call that did it, ``Tombstone`` for any
        later one.

        ``principal_key``: the record's own, or nothing is touched and the answer is ``Absent``: partitions
        are shared, and a session ID is no secret. ``reason`` ``idle`` or ``absolute``: only if the record has
        expired, else ``Conflicted`` without winners, and the store puts the true one of the two. ``if_tags``:
        only if the record's attributes are exactly these, else ``Conflicted`` with *all* attributes that
        differ (sign-in takes them along). ``successor``: a session ID that the tombstone keeps. Always writes, also
        when repeated, so that ``confirmed`` of ``Ended`` and ``Tombstone`` means this end and not nothing. An end
        enters the outbox. ``confirm=False`` asks no replica, so it does not wait for one: the outcome is unconfirmed.
        """
        ...

    def end_principal(
        self,
        partition: int,
        principal_key: str,
        reason: EndReason,
        *,
        generation: int,
        keep: str | None = None,
    ) -> EndedPrincipal:
        """Ends every session of the principal but ``keep``, and raises the generation to ``generation``
        (never lowers it): no sign-in under way with an older one is created after this. ``keep`` gets the new
        generation.
        """
        ...

    def list(self, partition: int, principal_key: str) -> tuple[tuple[Listed, ...], tuple[Ended, ...]]:
        """The principal's unexpired sessions, most recently seen first; and what was due and is now ended."""
        ...

    def end_due(self, partition: int) -> tuple[Ended, ...]:
        """Ends what has expired: up to 16 sessions, each once, whoever else does the same."""
        ...

    def outbox(self, partition: int) -> tuple[OutboxEvent, ...]:
        """Up to 256 events that nobody acknowledged, oldest first among those given."""
        ...

    def acknowledge(self, partition: int, event_ids: Sequence[str]) -> None:
        """They were carried on: they leave the outbox. Unknown IDs are ignored."""
        ...

    def pending(self) -> tuple[int, ...]:
        """The partitions where ``end_due`` or ``outbox`` would find something: one question for all."""
        ...

    def publish(self, event: OutboxEvent) -> None:
        """To the one public stream, without its hashes. At least once: ``event_id`` to deduplicate."""
        ...

    def epochs(self) -> Mapping[str, str]:
        """The primaries that answer, each with the name of its history. A new name: what its partitions had
        may be lost in part. Empty: nothing can be lost in part.
        """
        ...

    def partitions_of(self, node: str) -> tuple[int, ...]:
        """The partitions of a primary that ``epochs`` named."""
        ...

    def count(self) -> int:
        """Unexpired sessions: exact in each partition, no snapshot of the whole."""
        ...

    def ping(self) -> None:
        """Raises ``StoreUnavailable`` unless every slot has an owner that answers."""
        ...

    def close(self) -> None: ...
