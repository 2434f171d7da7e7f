"""A look at a session from outside its requests: a background job, an operator. Nothing is touched, created, ended or
counted; what was read is of that moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from . import timeouts, values
from .record import Address, Attribute, Device, EndReason, Header, Record, Tombstone
from .state import Context
from .token import is_session_id, place


@dataclass(frozen=True, slots=True)
class LiveSession:
    """Times in milliseconds since the epoch. ``authenticated_at`` 0: nobody signed in. ``attributes``: read-only."""

    id: str
    principal: str | None
    device: Device
    created_at: int
    last_seen_at: int
    authenticated_at: int
    idle_expires_at: int
    absolute_expires_at: int
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class EndedSession:
    """Its tombstone, which stays for an hour; or a session that has expired, and nobody came to end it yet."""

    id: str
    reason: EndReason
    ended_at: int


class AttributesView(Mapping[str, Any]):
    """Decoded at use, anew each time: changing a value that it gave changes nothing. A value that this release cannot
    read raises ``Unreadable`` when it is used.
    """

    def __init__(self, attributes: Mapping[str, Attribute]) -> None:
        self._attributes = attributes

    def __getitem__(self, name: str) -> Any:
        return values.decode(self._attributes[name].value)

    def __iter__(self) -> Iterator[str]:
        return iter(self._attributes)

    def __len__(self) -> int:
        return len(self._attributes)

    def __contains__(self, name: object) -> bool:
        return name in self._attributes

    def __repr__(self) -> str:
        return f"<AttributesView {', '.join(self._attributes)}>"  # values are personal data


def judge_from_outside(
    found: Record | Tombstone | None, *, now: int, unreturned: int
) -> Record | Tombstone | None:
    """For ``Store.peek``: an expired record is answered as the tombstone that it is about to become."""
    if not isinstance(found, Record):
        return found
    reason = timeouts.expiry(found.header, now, unreturned=unreturned)
    if reason is None:
        return found
    return Tombstone(reason, timeouts.expires_at(found.header, unreturned=unreturned))


def peek_of(context: Context, session_id: str, *, principal: str) -> LiveSession | EndedSession | None:
    """``None`` also for a live session of somebody else: partitions are shared, and a session ID is no secret. A
    tombstone does not say whose it was.
    """
    if not is_session_id(session_id):
        return None
    partition, principal_key = place(context.keys, principal)
    found = context.store.peek(Address(partition, session_id))
    if isinstance(found, Record) and found.header.principal_key != principal_key:
        return None
    return _view(context, session_id, found)


def peek_at(context: Context, address: Address) -> LiveSession | EndedSession | None:
    return _view(context, address.session_id, context.store.peek(address))


def _view(
    context: Context, session_id: str, found: Record | Tombstone | None
) -> LiveSession | EndedSession | None:
    if isinstance(found, Tombstone):
        return EndedSession(session_id, found.reason, found.ended_at)
    return None if found is None else _live(session_id, found.header, found.attributes, context.unreturned)


def _live(
    session_id: str, header: Header, attributes: Mapping[str, Attribute], unreturned: int
) -> LiveSession:
    idle_expires_at = header.last_seen_at + header.idle
    if timeouts.is_unreturned(header):
        idle_expires_at = min(idle_expires_at, header.created_at + unreturned)
    return LiveSession(
        id=session_id,
        principal=header.principal,
        device=header.device,
        created_at=header.created_at,
        last_seen_at=header.last_seen_at,
        authenticated_at=header.authenticated_at,
        idle_expires_at=idle_expires_at,
        absolute_expires_at=header.absolute_at,
        attributes=AttributesView(attributes),
    )
