"""The checker can fail: each of these breaks one rule of the protocol, and each is found out by the promise it breaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from polysession.core import commit, session
from polysession.core.record import Address, Header, Record, Tombstone, alter
from polysession.core.store import Change, Created, Ended, Exists, Full, Limit, Outdated, Written
from polysession.core.token import parse

from .explorer import Hands, Process, Promise, Snapshot, Violation, World
from .programs import Run, add, assign, end_all, in_turn, reap, rotate, sign_in, sign_out, visit
from .promises import (
    ALWAYS,
    BROWSER_KEEPS_ITS_CART,
    BROWSER_STAYS_IN,
    NO_DEATH_LOSES_THE_CART,
    at_most_alive,
    token_opens_no_principal,
)

ANONYMOUS = (add("first"), visit())
SIGNED_IN = (*ANONYMOUS, sign_in("ada"))


class WriteThatCreates(Snapshot):
    def write(self, address: Address, changes: Mapping[str, Any], *, touch: bool = False) -> Any:
        outcome = super().write(address, changes, touch=touch)
        if isinstance(outcome, Tombstone):
            attributes = {name: one.attribute for name, one in changes.items() if one.attribute}
            header = Header(b"s" * 16, "A", self.now(), self.now(), 1, self.now() + 1)
            self._entries[address] = Record(header, attributes)
            return Written()
        return outcome


class WriteWithoutTags(Snapshot):
    def write(self, address: Address, changes: Mapping[str, Any], *, touch: bool = False) -> Any:
        record = self._entries.get(address)
        standing = record.attributes if isinstance(record, Record) else {}
        tags = {name: attribute.tag for name, attribute in standing.items()}
        careless = {name: Change(tags.get(name), one.attribute) for name, one in changes.items()}
        return super().write(address, careless, touch=touch)


class WriteAfterExpiry(Snapshot):
    def _live(self, address: Address) -> Any:
        return self._get(address)


class EndWithoutTags(Snapshot):
    def end(self, address: Address, reason: Any, *, if_tags: Any = None, **named: str) -> Any:
        return super().end(address, reason, **named)


class EndWithoutLooking(Snapshot):
    def end(self, address: Address, reason: Any, *, if_tags: Any = None, **named: str) -> Any:
        if reason == "idle" and isinstance(self._entries.get(address), Record):
            return self._bury(address, "idle")
        return super().end(address, reason, if_tags=if_tags, **named)


class EndTwice(Snapshot):
    def end(self, address: Address, reason: Any, *, if_tags: Any = None, **named: str) -> Any:
        outcome = super().end(address, reason, if_tags=if_tags, **named)
        return Ended(address.session_id, outcome.reason) if isinstance(outcome, Tombstone) else outcome


class EndThatDeletes(Snapshot):
    def _bury(self, address: Address, reason: Any, successor: str = "") -> Ended:
        del self._entries[address]
        return Ended(address.session_id, reason)


class CreateOverTombstone(Snapshot):
    def create(
        self, address: Address, record: Record, *, limit: Limit | None = None
    ) -> Created | Exists | Outdated | Full:
        if isinstance(self._entries.get(address), Tombstone):
            del self._entries[address]
        return super().create(address, record, limit=limit)


class CreateOfAnyGeneration(Snapshot):
    def create(
        self, address: Address, record: Record, *, limit: Limit | None = None
    ) -> Created | Exists | Outdated | Full:
        generations = dict(self._generations)
        self._generations.clear()
        outcome = super().create(address, record, limit=limit)
        self._generations = generations
        return outcome


class CreateThatPromotes(Snapshot):
    """Sign-in in place: the old token opens the signed-in session."""

    def create(
        self, address: Address, record: Record, *, limit: Limit | None = None
    ) -> Created | Exists | Outdated | Full:
        for other, entry in self._entries.items():
            if isinstance(entry, Record) and record.header.principal_key:
                header = alter(entry.header, principal_key=record.header.principal_key)
                self._entries[other] = Record(header, entry.attributes)
        return super().create(address, record, limit=limit)


class RotateOnAnySecret(Snapshot):
    def rotate(self, address: Address, rotation: Any) -> Any:
        record = self._entries.get(address)
        if isinstance(record, Record):
            rotation = replace(rotation, expected_hash=record.header.secret_hash)
        return super().rotate(address, rotation)


def find(
    prepare: tuple[Run, ...],
    one: Run,
    two: Run,
    *,
    store: Callable[[], Snapshot] = Snapshot,
    promise: Promise | None = None,
    faults: int = 0,
) -> str:
    """The name of the promise that is broken."""
    world = World(store=store)
    start = world.start(*prepare)
    fixation = [token_opens_no_principal(start.jar)] if start.jar and start.jar[0] == "a" else []
    promises = [*fixation, *ALWAYS, *([promise] if promise else [])]
    with pytest.raises(Violation) as violation:
        world.explore(start, (Process("one", one), Process("two", two)), promises, faults=faults)
    return violation.value.promise.split(":")[0]


@pytest.mark.parametrize(
    ("store", "prepare", "one", "two", "promise"),
    [
        (WriteThatCreates, SIGNED_IN, sign_out(), add("b"), "only a first write creates"),
        (WriteWithoutTags, ANONYMOUS, add("a"), add("b"), "what was acknowledged is kept"),
        (WriteAfterExpiry, ANONYMOUS, add("a"), reap, "expired is what has expired"),
        (EndWithoutTags, ANONYMOUS, sign_in("ada"), add("b"), "a sign-in takes the cart along"),
        (EndTwice, SIGNED_IN, sign_out(), sign_out(), "each end is reported once"),
        (EndThatDeletes, (assign("theme", "dark"),), sign_out(), visit(), "a session ends by a tombstone"),
        (
            CreateOfAnyGeneration, ANONYMOUS, sign_in("ada"), end_all("ada", generation=1),
            "no session has an older generation than its principal",
        ),
        (
            CreateThatPromotes, ANONYMOUS, sign_in("ada"), visit(),
            "a token from before sign-in never opens a signed-in session",
        ),
    ],
    ids=lambda one: one.__name__ if isinstance(one, type) else "",
)  # fmt: skip
def test_a_broken_store_is_found_out(
    store: type[Snapshot], prepare: tuple[Run, ...], one: Run, two: Run, promise: str
) -> None:
    assert find(prepare, one, two, store=store) == promise


def test_an_end_of_what_has_not_expired_is_found_out() -> None:
    def reap_by_heart(hands: Hands) -> str:
        """Ends what it heard of long ago."""
        hands.store.end(parse(hands.manager.keys, str(hands.cookie())).address, "idle")
        return "done"

    assert find(ANONYMOUS, add("a"), reap_by_heart, store=EndWithoutLooking) == "expired is what has expired"


def test_a_rotation_over_another_is_found_out() -> None:
    broken = find(SIGNED_IN, rotate(), rotate(), store=RotateOnAnySecret, promise=BROWSER_STAYS_IN)
    assert broken == BROWSER_STAYS_IN.name


def test_a_late_creation_over_a_tombstone_is_found_out() -> None:
    one = in_turn(add("a", tries=2), sign_out())
    assert find((), one, visit(), store=CreateOverTombstone, faults=1) == "only a first write creates"


def test_a_sign_in_that_ends_the_old_session_first_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    create, end = commit._create_signed_in, commit._end_old

    def end_first(context: Any, state: Any, attempt: Any) -> None:
        end(context, attempt)
        create(context, state, attempt)

    monkeypatch.setattr(commit, "_create_signed_in", end_first)
    broken = find(ANONYMOUS, sign_in("ada"), visit(), promise=NO_DEATH_LOSES_THE_CART)
    assert broken in (NO_DEATH_LOSES_THE_CART.name, "a sign-in takes the cart along")


def test_a_sign_in_that_leaves_the_old_session_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit, "_end_old", lambda _context, _sign_in: {})
    assert find(ANONYMOUS, sign_in("ada"), visit()) == "a token that an answer replaced opens nothing"


def test_a_second_sign_in_that_does_not_follow_the_first_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session, "follow", lambda _context, _state, _principal: None)
    broken = find(ANONYMOUS, sign_in("ada"), sign_in("ada"), promise=BROWSER_KEEPS_ITS_CART)
    assert broken == BROWSER_KEEPS_ITS_CART.name


def test_a_repeated_creation_that_is_another_one_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    create = commit._create_anonymous

    def forget(context: Any, state: Any) -> None:
        state.creation = None
        create(context, state)

    monkeypatch.setattr(commit, "_create_anonymous", forget)
    assert find((), add("a", tries=2), visit(), promise=at_most_alive(1), faults=1) == at_most_alive(1).name


def test_an_end_that_is_not_counted_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    end = commit._end_old

    def deaf(context: Any, attempt: Any) -> Any:
        return end(replace(context, events=type("Deaf", (), {"ended": lambda *_: None})()), attempt)

    monkeypatch.setattr(commit, "_end_old", deaf)
    assert find(ANONYMOUS, sign_in("ada"), visit()) == "each reported end is counted"
