"""What the scripts answer, as the port's results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..core.codec import decode_attribute, decode_header
from ..core.record import END_REASONS, Attribute, Tombstone
from ..core.store import Absent, Conflicted, Ended, Listed, Written
from .keys import session_id_of

_WRITTEN = Written()


def read_outcome(status: bytes, rest: Sequence[Any]) -> Written | Conflicted | Tombstone | Absent:
    match status:
        case b"written":
            return _WRITTEN
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


def read_ended(flat: Sequence[Any], *, confirmed: bool = False) -> tuple[Ended, ...]:
    return tuple(
        Ended(session_id_of(name), END_REASONS[reason], confirmed)
        for name, reason in zip(flat[::2], flat[1::2], strict=True)
    )


def read_listed(flat: Sequence[bytes]) -> tuple[Listed, ...]:
    found = []
    for name, data in zip(flat[::2], flat[1::2], strict=True):
        header = decode_header(data)
        if not isinstance(header, Tombstone):
            found.append(Listed(session_id_of(name), header))
    return tuple(sorted(found, key=lambda listed: listed.header.last_seen_at, reverse=True))
