"""Three-way merge of one attribute: what another request wrote, with what this request changed laid over it.

Mappings merge by key at any depth, against the value as read. Everything else is a leaf: changed by one side,
the change stands; changed by both to different values, this request's wins (it writes last) and is counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import values


class Missing:
    """No value: the attribute or key is not there."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = Missing()


@dataclass(frozen=True, slots=True)
class Merged:
    """``value`` may be ``MISSING``. ``last_write``: how many leaves both had changed, so that one change was
    lost.
    """

    value: Any
    last_write: int = 0


def merge(base: Any, mine: Any, theirs: Any) -> Merged:
    """``base`` as read, ``mine`` to be written, ``theirs`` as it now stands; each may be ``MISSING``.

    Pure: changes none of the three; the result may share parts with them.
    """
    if same(mine, base) or same(mine, theirs):
        return Merged(theirs)
    if same(theirs, base):
        return Merged(mine)
    if type(mine) is dict and type(theirs) is dict:
        return _merge_mappings(base if type(base) is dict else {}, mine, theirs)
    return Merged(mine, last_write=1)


def _merge_mappings(base: dict[Any, Any], mine: dict[Any, Any], theirs: dict[Any, Any]) -> Merged:
    """Keys in the order of ``theirs``, then those that only ``mine`` has."""
    merged: dict[Any, Any] = {}
    last_write = 0
    for key in (*theirs, *(key for key in mine if key not in theirs)):
        one = merge(base.get(key, MISSING), mine.get(key, MISSING), theirs.get(key, MISSING))
        last_write += one.last_write
        if one.value is not MISSING:
            merged[key] = one.value
    return Merged(merged, last_write)


def same(one: Any, other: Any) -> bool:
    """Equal and of equal types all the way down (``1``, ``1.0`` and ``True`` differ); NaN is the same as NaN."""
    if one is other:
        return True
    if one is MISSING or other is MISSING or type(one) is not type(other):
        return False
    return values.encode(one) == values.encode(other)
