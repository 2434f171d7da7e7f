"""The attributes of one session as one request sees and changes them: values decoded at first use, and their delta.

Pure: it says what to write (``changes``), takes what stood in the way (``resolve``) and what was written (``settle``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from . import values
from .codec import plain_size, size_of
from .errors import Conflict, InvalidAttribute, TooLarge
from .merge import MERGE, MISSING, POLICIES, Policy, Rule, merge, same
from .record import TAG_BYTES, Attribute
from .settings import SessionSettings
from .store import Change

Outcome = Literal["merged", "last_write"]
Random = Callable[[int], bytes]
NO_POLICIES: Mapping[str, Policy] = MappingProxyType({})


@dataclass(slots=True)
class _Updates:
    """Functions that made an attribute's value from the value as read; valid while the value is still ``result``."""

    steps: list[tuple[Callable[[Any], Any], bytes]]  # each with its default, encoded
    result: bytes


class Attributes:
    def __init__(
        self,
        base: Mapping[str, Attribute],
        settings: SessionSettings,
        defaults: Mapping[str, Policy] = NO_POLICIES,
    ) -> None:
        """``defaults``: policies of what neither the schema nor the request declares."""
        self._settings = settings
        self._defaults = defaults
        # As the store has them, as far as this request knows: as read, and what it has learned since.
        self._base = base
        self._learned: dict[str, Attribute | None] = {}
        self._values: dict[str, Any] = {}  # decoded or assigned
        self._mutable: set[str] = set()  # of these, which were handed out and may have changed since
        self._encoded: dict[str, bytes] = {}  # of what was assigned and cannot change inside
        self._assigned: set[str] = set()
        self._deleted: set[str] = set()
        self._updates: dict[str, _Updates] = {}
        self._policies: Mapping[str, Policy] = NO_POLICIES  # of this request; they go before the schema
        # Defaults that were handed out, encoded: no change while they are so.
        self._drafts: dict[str, bytes] = {}
        # Not all of the value is this request's, so its type is not this request's fault.
        self._merged: set[str] = set()
        self._drawn: dict[str, Attribute] = {}  # a repeated try writes the same tag, so it finds its own

    def renewed(self, base: Mapping[str, Attribute]) -> Attributes:
        """Of the same request, with the same policies, but of another record: without a delta."""
        other = Attributes(base, self._settings, self._defaults)
        other._policies = self._policies
        return other

    def begin(self, base: Mapping[str, Attribute]) -> None:
        """What was read, before anything else is known or changed."""
        self._base = base

    # --- what the app sees

    def __contains__(self, name: object) -> bool:
        if name in self._values:
            return not (isinstance(name, str) and self._is_draft(name))
        return name not in self._deleted and self._is_stored(name)

    def __iter__(self) -> Iterator[str]:
        stored = tuple(self.base)
        yield from (name for name in stored if name in self)
        yield from (name for name in tuple(self._values) if name not in stored and name in self)

    def get(self, name: str) -> Any:
        """Raises ``KeyError``, ``Unreadable``."""
        if name in self._values:
            if name in self:
                return self._values[name]
            raise KeyError(name)
        stored = self._learned[name] if name in self._learned else self._base.get(name)
        if stored is None or name in self._deleted:
            raise KeyError(name)
        value = self._values[name] = values.decode(stored.value)
        if type(value) not in values.IMMUTABLE:
            self._mutable.add(name)
        return value

    def set(self, name: str, value: Any) -> None:
        """Raises ``InvalidAttribute``, ``TooLarge``."""
        encoded = self._encode(values.check_name(name), value)
        if self._settings.declared:
            self._check_type(name, value)
        self._put(name, value)
        if name not in self._mutable:
            self._encoded[name] = encoded
        self._updates.pop(name, None)
        self._merged.discard(name)

    def draft(self, name: str, default: Any) -> Any:
        """The value, else ``default``, which becomes the value once something in it was changed."""
        if name not in self and name not in self._drafts:
            self._drafts[name] = self._encode(values.check_name(name), default)
            self._values[name] = default
            self._mutable.add(name)
        return self._values[name] if name in self._drafts else self.get(name)

    def delete(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        self._put(name, MISSING)
        self._updates.pop(name, None)

    def update(self, name: str, function: Callable[[Any], Any], default: Any) -> Any:
        values.check_name(name)
        fallback = self._encode(name, default)
        before = self._bytes(name)
        try:
            after = function(values.decode(fallback if before is None else before))
        except TypeError as cause:
            if before is not None or default is not None:
                raise
            fault = (
                f"update({name!r}, …): the session has no {name!r}, so the function got None; pass default=…"
            )
            raise TypeError(fault) from cause
        result = self._encode(name, after)
        self._check_type(name, after)
        updates = self._updates.get(name)
        if updates is not None and updates.result == before:
            updates.steps.append((function, fallback))
            updates.result = result
        elif before == self._base_bytes(name):
            self._updates[name] = _Updates([(function, fallback)], result)
        # else: it was assigned before, so there is nothing that the functions could run on again
        self._put(name, after)
        return after

    def set_policy(self, name: str, policy: Policy) -> None:
        if policy not in POLICIES:
            raise ValueError(f"policy must be one of {', '.join(POLICIES)}, not {policy!r}")
        self._policies = {**self._policies, values.check_name(name): policy}

    # --- what the store hears

    @property
    def base(self) -> dict[str, Attribute]:
        """As the store has them, as far as this request knows."""
        known = {**self._base, **self._learned}
        return {name: attribute for name, attribute in known.items() if attribute is not None}

    @property
    def changed(self) -> bool:
        return bool(self._delta())

    def changes(self, random: Random) -> dict[str, Change]:
        """The delta. Raises ``InvalidAttribute``, ``TooLarge``: nested values are checked here."""
        if not (self._mutable or self._assigned or self._deleted):
            return {}  # as most requests do
        delta = self._delta()
        if not delta:
            return {}
        self._check_delta(delta)
        changes: dict[str, Change] = {}
        for name, value in delta.items():
            stored = self._stored(name)
            drawn = None if value is None else self._draw(name, value, random)
            changes[name] = Change(stored.tag if stored else None, drawn)
        return changes

    def all(self, random: Random) -> dict[str, Attribute]:
        """Every attribute with the delta applied, for a record that is to be created. Raises like ``changes``."""
        self._check_delta(self._delta())
        encoded = {name: self._bytes(name) for name in self}
        return {name: self._draw(name, value, random) for name, value in encoded.items() if value is not None}

    def settle(self, changes: Mapping[str, Change]) -> None:
        """The store has these now."""
        for name, change in changes.items():
            self._learn(name, change.attribute)
            self._forget_delta(name)

    def rebase(self, base: Mapping[str, Attribute]) -> None:
        """A record that was made from these attributes stands behind them from now on."""
        self._base, self._learned = base, {}
        self._deleted &= base.keys()
        self._drafts = {name: draft for name, draft in self._drafts.items() if name not in base}

    def forget_updates(self) -> None:
        """What the functions made is stored: a later conflict must not run them again."""
        self._updates.clear()

    def yield_to(self, winners: Mapping[str, Attribute | None]) -> None:
        """The delta is dropped; values are as the store has them."""
        for name, winner in winners.items():
            self._learn(name, winner)
        self._drafts.clear()
        self._values.clear()
        self._mutable.clear()
        self._encoded.clear()
        self._assigned.clear()
        self._deleted.clear()
        self._updates.clear()

    def resolve(self, winners: Mapping[str, Attribute | None]) -> list[Outcome]:
        """Lays the delta over what other requests wrote. Raises ``Conflict``, with the delta dropped, where the
        policy of a name is ``raise``.
        """
        refused = tuple(name for name in winners if self._rule(name).policy == "raise")
        if refused:
            self.yield_to(winners)
            raise Conflict(refused)
        bases = {name: self._stored(name) for name in winners}
        outcomes: list[Outcome | None] = [
            self._lay_over(name, bases[name], winner) for name, winner in winners.items()
        ]
        for name, winner in winners.items():
            self._learn(name, winner)
        return [outcome for outcome in outcomes if outcome is not None]

    def absorb(self, base: Mapping[str, Attribute], winners: Mapping[str, Attribute | None]) -> list[Outcome]:
        """Takes along what changed in the session that this one replaces; ``base``: its attributes as read."""
        outcomes: list[Outcome | None] = [
            self._lay_over(name, base.get(name), winner) for name, winner in winners.items()
        ]
        return [outcome for outcome in outcomes if outcome is not None]

    # --- inside

    def _lay_over(self, name: str, base: Attribute | None, winner: Attribute | None) -> Outcome | None:
        """``None``: this request had not changed it, so there was no conflict."""
        read, theirs = _decoded(base), _decoded(winner)
        mine = self.get(name) if name in self else MISSING
        updates = self._updates.get(name)
        if updates is not None and updates.result == self._bytes(name):
            value = theirs
            for function, default in updates.steps:
                value = function(values.decode(default) if value is MISSING else value)
            updates.result = self._encode(name, value)
            self._put(name, value)
            return "merged"
        self._updates.pop(name, None)
        merged = merge(read, mine, theirs, self._rule(name))
        self._put(name, merged.value)
        if same(mine, read):
            return None
        self._merged.add(name)
        return "last_write" if merged.last_write else "merged"

    def _rule(self, name: str) -> Rule:
        if name in self._policies:
            return Rule(self._policies[name])
        declaration = self._settings.declared.get(name)
        if declaration is not None:
            return declaration.rule
        return Rule(self._defaults[name]) if name in self._defaults else MERGE

    def _check_type(self, name: str, value: Any) -> None:
        declaration = self._settings.declared.get(name)
        if declaration is not None:
            declaration.check(f"attribute {name!r}", value)

    def _is_draft(self, name: str) -> bool:
        """The value is a default that was handed out, and still the same."""
        return name in self._drafts and self._encode(name, self._values[name]) == self._drafts[name]

    def _put(self, name: str, value: Any) -> None:
        self._drafts.pop(name, None)
        self._encoded.pop(name, None)
        if value is MISSING:
            self._values.pop(name, None)
            self._assigned.discard(name)
            self._deleted.add(name)
        else:
            self._values[name] = value
            if type(value) in values.IMMUTABLE:
                self._mutable.discard(name)
            else:
                self._mutable.add(name)
            self._assigned.add(name)
            self._deleted.discard(name)

    def _is_stored(self, name: object) -> bool:
        learned = self._learned.get(name, MISSING) if self._learned else MISSING  # type: ignore[call-overload]
        return name in self._base if learned is MISSING else learned is not None

    def _stored(self, name: str) -> Attribute | None:
        if name in self._learned:
            return self._learned[name]
        return self._base.get(name)

    def _learn(self, name: str, attribute: Attribute | None) -> None:
        self._learned[name] = attribute
        if attribute is None:
            self._deleted.discard(name)
        else:
            self._drafts.pop(name, None)

    def _forget_delta(self, name: str) -> None:
        self._assigned.discard(name)
        self._encoded.pop(name, None)
        self._deleted.discard(name)
        self._updates.pop(name, None)
        self._drawn.pop(name, None)
        self._merged.discard(name)

    def _delta(self) -> dict[str, bytes | None]:
        """Only what was assigned, deleted or may have changed inside is looked at."""
        delta: dict[str, bytes | None] = {}
        for name in sorted({*self._mutable, *self._assigned, *self._deleted}):
            encoded = self._bytes(name)
            if encoded != self._base_bytes(name):
                delta[name] = encoded
        return delta

    def _bytes(self, name: str) -> bytes | None:
        """The attribute as it would be stored now."""
        if name in self._encoded:
            return self._encoded[name]
        if name in self._values and not self._is_draft(name):
            value = self._values[name]
            if name in self._assigned or values.is_mutable(value):
                return self._encode(name, value)
        return None if name in self._deleted else self._base_bytes(name)

    def _base_bytes(self, name: str) -> bytes | None:
        attribute = self._stored(name)
        return attribute.value if attribute else None

    def _draw(self, name: str, value: bytes, random: Random) -> Attribute:
        drawn = self._drawn.get(name)
        if drawn is None or drawn.value != value:
            drawn = self._drawn[name] = Attribute(random(TAG_BYTES), value)
        return drawn

    def _encode(self, name: str, value: Any) -> bytes:
        try:
            encoded = values.encode(value)
        except InvalidAttribute as cause:
            raise InvalidAttribute(f"attribute {name!r}: {cause}") from cause
        if len(encoded) > self._settings.attribute_bytes:
            limit = self._settings.attribute_bytes
            raise TooLarge(f"attribute {name!r}", len(encoded), limit, setting="attribute_bytes")
        return encoded

    def _check_delta(self, delta: Mapping[str, bytes | None]) -> None:
        """A value may have been changed inside since it was assigned or read."""
        if self._settings.declared:
            for name, value in delta.items():
                if value is not None and name not in self._merged:
                    self._check_type(name, self._values[name])
        if delta:
            self._check_size(delta)

    def _check_size(self, delta: Mapping[str, bytes | None]) -> None:
        """What was not looked at is not read for it; it is counted exactly only where that may matter."""
        added = 0  # no less than it is
        for name, value in delta.items():
            added += 4 * len(name) + len(value or b"")
        if (
            not self._learned
            and len(self._base) + len(delta) <= self._settings.attributes
            and getattr(self._base, "bulk", math.inf) + added <= self._settings.session_bytes
        ):
            return
        count, size = len(self._base), size_of(self._base)
        for name in {*self._learned, *delta}:
            before = self._base.get(name)
            after = delta[name] if name in delta else self._base_bytes(name)
            count += (after is not None) - (before is not None)
            size += _size(name, after) - _size(name, before.value if before else None)
        if count > self._settings.attributes:
            limit = self._settings.attributes
            raise TooLarge("the number of attributes", count, limit, setting="attributes")
        if size > self._settings.session_bytes:
            raise TooLarge("the session", size, self._settings.session_bytes, setting="session_bytes")


def _size(name: str, value: bytes | None) -> int:
    return 0 if value is None else len(name.encode()) + plain_size(value)


def _decoded(attribute: Attribute | None) -> Any:
    return MISSING if attribute is None else values.decode(attribute.value)
