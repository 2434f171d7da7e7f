"""Outbox events as the scripts write them, and as the public stream carries them.

An event is a field of its partition's outbox, named by its ID. Value: ``kind`` B (1 ended, 2 rotated), ``reason`` B
(index in ``END_REASONS``), ``at`` I8, then the record's header without its tail (``core.codec``); later releases
may append.
"""

from __future__ import annotations

import struct

from ..core.codec import decode_facts
from ..core.errors import Unreadable
from ..core.record import END_REASONS, EndReason
from ..core.store import OutboxEvent

_HEAD = struct.Struct(">BBQ")
_ENDED, _ROTATED = 1, 2


def decode_event(partition: int, event_id: str, data: bytes) -> OutboxEvent:
    """Raises ``Unreadable``."""
    if len(data) < _HEAD.size:
        raise Unreadable("event is cut short")
    kind, index, at = _HEAD.unpack_from(data)
    if kind not in (_ENDED, _ROTATED):
        raise Unreadable("event has an unknown kind")
    header = decode_facts(data[_HEAD.size :])
    # As in a tombstone: an end whose reason only a later release knows is an end.
    reason: EndReason = END_REASONS[index] if index < len(END_REASONS) else "revoked"
    return OutboxEvent(
        event_id=event_id,
        kind="ended" if kind == _ENDED else "rotated",
        partition=partition,
        session_id=event_id.partition(".")[0],
        principal_key=header.principal_key,
        at=at,
        reason=reason if kind == _ENDED else None,
        secret_hash=_given(header.secret_hash),
        pepper_id=header.pepper_id.rstrip("\x00"),
        rotation_count=header.rotation_count,
        previous_hash=header.previous_hash,
        generation=header.generation,
    )


def _given(hash_: bytes) -> bytes:
    """Zeros stand for none."""
    return hash_ if any(hash_) else b""


def public_fields(event: OutboxEvent) -> tuple[str | int, ...]:
    """Name, value, … of an event on the public stream. Without hashes: whoever reads it need not hold them."""
    return (
        *("event_id", event.event_id, "kind", event.kind, "partition", event.partition),
        *("session_id", event.session_id, "principal_key", event.principal_key, "at", event.at),
        *("reason", event.reason or ""),
    )
