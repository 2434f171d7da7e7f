"""The port: what a store does. ``stores.memory`` is the reference, ``stores.redis`` the product; one contract
suite tests both.

Every operation is atomic in its partition. Every operation may raise ``StoreUnavailable`` (*unknown*);
``None`` or ``Absent`` mean that the node answered: nothing there. An operation may be repeated after
``StoreUnavailable``: none applies twice. Expiry is judged by the store's own clock (Redis ``TIME``; a memory
store's by construction).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from .record import Address, Attribute, EndReason, Header, Record, Tombstone


@dataclass(frozen=True, slots=True)
class Ended:
    """A session that this operation ended: once a session, whoever asks again. Count it by reason."""

    session_id: str
    reason: EndReason


@dataclass(frozen=True, slots=True)
class Absent:
    """The node answered: there is no such record. Only a first write creates; nothing else can."""


@dataclass(frozen=True, slots=True)
class Created:
    # What it ended on the way: up to 16 due sessions of the partition, and those of an older generation.
    due: tuple[Ended, ...] = ()


@dataclass(frozen=True, slots=True)
class Exists:
    """There is a record or a tombstone under this address already. Nothing was written."""


@dataclass(frozen=True, slots=True)
class Outdated:
    """The principal's generation in the partition is newer than the header's. Nothing was written."""

    current: int


@dataclass(frozen=True, slots=True)
class Change:
    """``expected``: the tag as read, ``None`` for an attribute that was not there. ``attribute`` ``None``
    deletes.
    """

    expected: bytes | None
    attribute: Attribute | None


@dataclass(frozen=True, slots=True)
class Written:
    """All was written, or was already there by an earlier try of the same write."""


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
    it meanwhile).
    """

    expected_hash: bytes
    secret_hash: bytes
    pepper_id: str
    rotation_count: int
    previous_until: int
    generation: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A live session of a principal, attributes left out."""

    session_id: str
    header: Header


class Store(Protocol):
    def now(self) -> int:
        """The caller's clock, corrected by the store's last reply. Milliseconds."""
        ...

    def read(self, address: Address) -> Record | Tombstone | None:
        """One round trip, no write. May return an expired record: the caller judges by ``now()`` and ends it."""
        ...

    def create(self, address: Address, record: Record) -> Created | Exists | Outdated:
        """The first write of a session. With a ``principal_key``: enters the principal's sessions, and
        refuses an older generation; a newer one ends what the principal still has of older ones (``revoked``):
        whoever raised it got no answer to ``end_principal``. Repeating it with the same secret hash is ``Created``.
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

    def rotate(self, address: Address, rotation: Rotation) -> Written | Tombstone | Absent | Conflicted:
        """``Conflicted`` (no winners): another rotation came first. Repeating one is ``Written``."""
        ...

    def end(
        self,
        address: Address,
        reason: EndReason,
        *,
        principal_key: str = "",
        if_tags: Mapping[str, bytes] | None = None,
        successor: str = "",
    ) -> Ended | Tombstone | Absent | Conflicted:
        """Tombstone in place of the record. ``Ended`` for the one call that did it, ``Tombstone`` for any
        later one.

        ``principal_key``: the record's own, or nothing is touched and the answer is ``Absent``: partitions
        are shared, and a session ID is no secret. ``reason`` ``idle`` or ``absolute``: only if the record has
        expired, else ``Conflicted`` without winners, and the store puts the true one of the two. ``if_tags``:
        only if the record's attributes are exactly these, else ``Conflicted`` with *all* attributes that
        differ (sign-in takes them along). ``successor``: a session ID that the tombstone keeps. Always writes, also
        when repeated.
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
    ) -> tuple[Ended, ...]:
        """Ends every session of the principal but ``keep``, and raises the generation to ``generation``
        (never lowers it): no sign-in under way with an older one is created after this. ``keep`` gets the new
        generation.
        """
        ...

    def list(self, partition: int, principal_key: str) -> tuple[tuple[Listed, ...], tuple[Ended, ...]]:
        """The principal's unexpired sessions, most recently seen first; and what was due and is now ended."""
        ...

    def count(self) -> int:
        """Unexpired sessions: exact in each partition, no snapshot of the whole."""
        ...

    def ping(self) -> None:
        """Raises ``StoreUnavailable`` unless every slot has an owner that answers."""
        ...

    def close(self) -> None: ...
