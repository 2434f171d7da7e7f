"""Three-way merge of one attribute: what another request wrote, with what this request changed laid over it.

Each policy says what a change *is*, between the value as read and the value to be written:

===========  ==========================================================================================
merge        (default) mappings by key at any depth; everything else is a leaf: the last write wins
last_write   the whole value: the last write wins
counter      the difference; all differences are summed
set          elements added and elements removed
list         items removed and items appended; what others appended comes first
raise        as ``merge`` where there is no way to refuse (a sign-in); else see ``Attributes.resolve``
===========  ==========================================================================================

Where the last write wins over another's, it is counted. A value that does not fit its policy (an older release
wrote a ``str`` where there is a counter now) is a leaf. Pure functions; no input is changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from . import values

Policy = Literal["merge", "last_write", "counter", "set", "list", "raise"]
POLICIES: tuple[Policy, ...] = get_args(Policy)


class Missing:
    """No value: the attribute or key is not there."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = Missing()


@dataclass(frozen=True, slots=True)
class Rule:
    """``values``: of a mapping's values, whose keys are merged one by one."""

    policy: Policy = "merge"
    values: Rule | None = None


MERGE = Rule()


@dataclass(frozen=True, slots=True)
class Merged:
    """``value`` may be ``MISSING``. ``last_write``: how many leaves both had changed, so that one change was
    lost.
    """

    value: Any
    last_write: int = 0


def merge(base: Any, mine: Any, theirs: Any, rule: Rule = MERGE) -> Merged:
    """``base`` as read, ``mine`` to be written, ``theirs`` as it now stands; each may be ``MISSING``.

    The result may share parts with them.
    """
    if same(mine, base):
        return Merged(theirs)
    if same(theirs, base):
        return Merged(mine)
    if mine is MISSING and theirs is MISSING:
        return Merged(MISSING)
    sides = (base, mine, theirs)
    if rule.policy in _DECLARED:
        kinds, merge_declared = _DECLARED[rule.policy]
        if all(type(side) in kinds for side in sides if side is not MISSING):
            return Merged(merge_declared(*sides))
    elif rule.policy != "last_write" and type(mine) is dict and type(theirs) is dict:
        return _merge_mappings(base if type(base) is dict else {}, mine, theirs, rule.values or MERGE)
    return Merged(mine, last_write=0 if same(mine, theirs) else 1)


def _merge_mappings(base: dict[Any, Any], mine: dict[Any, Any], theirs: dict[Any, Any], rule: Rule) -> Merged:
    """Keys in the order of ``theirs``, then those that only ``mine`` has."""
    merged: dict[Any, Any] = {}
    last_write = 0
    for key in (*theirs, *(key for key in mine if key not in theirs)):
        one = merge(base.get(key, MISSING), mine.get(key, MISSING), theirs.get(key, MISSING), rule)
        last_write += one.last_write
        if one.value is not MISSING:
            merged[key] = one.value
    return Merged(merged, last_write)


def _merge_counter(base: Any, mine: Any, theirs: Any) -> Any:
    """A counter that is not there stands at 0: deleting it takes off what was read, so what others add stays."""
    read, to_write, stands = (0 if side is MISSING else side for side in (base, mine, theirs))
    return stands + to_write - read


def _merge_set(base: Any, mine: Any, theirs: Any) -> Any:
    read, to_write, stands = (() if side is MISSING else side for side in (base, mine, theirs))
    removed = set(read).difference(to_write) | set(read).difference(stands)
    kind = type(theirs if mine is MISSING else mine)
    return _unless_deleted(kind(set(stands).union(to_write) - removed), mine, theirs)


def _merge_list(base: Any, mine: Any, theirs: Any) -> Any:
    """Of what was read, an item stays that both have kept; then what they appended, then what I did. An item that
    was replaced in place counts as removed and appended; one that was moved, too.
    """
    read, to_write, stands = ([] if side is MISSING else side for side in (base, mine, theirs))
    i_kept, i_appended = _kept_and_appended(read, to_write)
    they_kept, they_appended = _kept_and_appended(read, stands)
    kept = [item for index, item in enumerate(read) if index in i_kept and index in they_kept]
    return _unless_deleted([*kept, *they_appended, *i_appended], mine, theirs)


def _kept_and_appended(read: list[Any], now: list[Any]) -> tuple[set[int], list[Any]]:
    """Positions in ``read`` of the longest beginning of ``now`` that ``read`` holds in this order; and the rest."""
    kept: set[int] = set()
    position = 0
    for count, item in enumerate(now):
        while position < len(read) and not same(read[position], item):
            position += 1
        if position == len(read):
            return kept, now[count:]
        kept.add(position)
        position += 1
    return kept, []


def _unless_deleted(merged: Any, mine: Any, theirs: Any) -> Any:
    """Nothing in it, and somebody took it away: then it is gone."""
    return MISSING if not merged and (mine is MISSING or theirs is MISSING) else merged


_DECLARED: dict[Policy, tuple[tuple[type, ...], Callable[[Any, Any, Any], Any]]] = {
    "counter": ((int,), _merge_counter),
    "set": ((set, frozenset), _merge_set),
    "list": ((list,), _merge_list),
}


def same(one: Any, other: Any) -> bool:
    """Equal and of equal types all the way down (``1``, ``1.0`` and ``True`` differ); NaN is the same as NaN."""
    if one is other:
        return True
    if one is MISSING or other is MISSING or type(one) is not type(other):
        return False
    return values.encode(one) == values.encode(other)
