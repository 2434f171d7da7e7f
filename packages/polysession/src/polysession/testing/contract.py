"""The promises of ``core.store``, as tests that any store can be held to."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from ..core import values
from ..core.record import Header, Record, Tombstone, alter
from ..core.store import (
    Absent,
    Change,
    Conflicted,
    Created,
    Ended,
    Exists,
    Rotation,
    Store,
    Written,
)
from .doubles import HOUR, make_address, make_attribute, make_principal, make_record
from .outbox import OutboxContract
from .peeks import PeekContract
from .principals import PrincipalContract
from .retimings import RetimingContract
from .rotations import RotationContract


class StoreContract(OutboxContract, PeekContract, PrincipalContract, RotationContract, RetimingContract):
    """One behaviour suite for every store. Times are written into headers, so no test waits and none needs
    a clock.

    Each test draws its own addresses and principals: a store may be shared and need not be empty.
    """

    # --- creation

    def test_a_record_comes_back_as_it_was_created(self, store: Store) -> None:
        address = make_address()
        record = make_record(
            store.now(),
            {"cart": {"sku-1": 2}, "theme": "dark", "näme": b"\x00\xff"},
            rotation_count=7,
            generation=3,
            principal="42",
            principal_key=make_principal(),
            authenticated_at=store.now(),
            previous_hash=b"p" * 16,
            previous_until=store.now() + 1000,
            nonce=b"n" * 8,
            extra={"zz": ["of a later release", 1]},
        )
        assert isinstance(store.create(address, record), Created)
        assert store.read(address) == record

    def test_nothing_but_a_creation_creates(self, store: Store) -> None:
        address = make_address()
        change = Change(None, make_attribute(1))
        assert store.read(address) is None
        assert store.write(address, {"a": change}, touch=True) == Absent()
        assert store.rotate(address, _rotation(make_record(store.now()).header)) == Absent()
        assert store.end(address, "logout") == Absent()
        assert store.read(address) is None

    def test_a_repeated_creation_is_the_same_creation(self, store: Store) -> None:
        address, record = make_address(), make_record(store.now(), {"a": 1})
        store.create(address, record)
        change = Change(record.attributes["a"].tag, make_attribute(2))
        store.write(address, {"a": change})
        assert isinstance(store.create(address, record), Created)
        found = store.read(address)
        assert isinstance(found, Record)
        assert found.attributes["a"] == change.attribute

    def test_an_address_is_given_away_once(self, store: Store) -> None:
        address, record = make_address(), make_record(store.now())
        store.create(address, record)
        assert store.create(address, make_record(store.now())) == Exists()
        store.end(address, "logout")
        assert store.create(address, make_record(store.now())) == Exists()
        assert isinstance(store.read(address), Tombstone)

    def test_a_claim_is_no_session_it_is_neither_counted_nor_due_nor_ended(self, store: Store) -> None:
        address, stale = make_address(), make_address()
        before = store.count()
        record = make_record(store.now(), {"principal": "42"}, claim=True)
        assert isinstance(store.create(address, record), Created)
        assert store.create(address, make_record(store.now())) == Exists()
        assert store.read(address) == record
        assert store.count() <= before  # another test's may have expired meanwhile
        expired = make_record(store.now() - 2 * HOUR, claim=True, idle=HOUR, absolute_at=store.now() - HOUR)
        store.create(stale, expired)
        assert stale.session_id not in {one.session_id for one in store.end_due(stale.partition)}
        assert store.read(stale) is None
        assert stale.session_id not in {event.session_id for event in store.outbox(stale.partition)}

    # --- writing

    def test_a_write_changes_what_it_names_and_nothing_else(self, store: Store) -> None:
        address, record = make_address(), make_record(store.now(), {"a": 1, "b": 2, "c": 3})
        store.create(address, record)
        new, added = make_attribute(10), make_attribute(4)
        changes = {
            "a": Change(record.attributes["a"].tag, new),
            "b": Change(record.attributes["b"].tag, None),
            "d": Change(None, added),
        }
        assert store.write(address, changes) == Written()
        expected = Record(record.header, {"a": new, "c": record.attributes["c"], "d": added})
        assert store.read(address) == expected

    def test_a_write_with_another_tag_writes_nothing_and_names_the_winners(self, store: Store) -> None:
        address, record = make_address(), make_record(store.now(), {"a": 1, "b": 2, "gone": 3})
        store.create(address, record)
        winner = make_attribute("theirs")
        tags = {name: attribute.tag for name, attribute in record.attributes.items()}
        store.write(address, {"a": Change(tags["a"], winner), "gone": Change(tags["gone"], None)})
        changes = {
            "a": Change(tags["a"], make_attribute("mine")),
            "b": Change(tags["b"], make_attribute("mine")),
            "gone": Change(tags["gone"], make_attribute("mine")),
        }
        assert store.write(address, changes) == Conflicted({"a": winner, "gone": None})
        found = store.read(address)
        assert isinstance(found, Record)
        assert dict(found.attributes) == {"a": winner, "b": record.attributes["b"]}

    def test_an_attribute_that_appeared_meanwhile_is_a_conflict(self, store: Store) -> None:
        address = make_address()
        store.create(address, make_record(store.now()))
        winner = make_attribute("theirs")
        store.write(address, {"a": Change(None, winner)})
        assert store.write(address, {"a": Change(None, make_attribute("mine"))}) == Conflicted({"a": winner})

    def test_a_repeated_write_finds_its_own_tags_and_is_done(self, store: Store) -> None:
        address, record = make_address(), make_record(store.now(), {"a": 1, "b": 2})
        store.create(address, record)
        changes = {
            "a": Change(record.attributes["a"].tag, make_attribute(10)),
            "b": Change(record.attributes["b"].tag, None),
            "c": Change(None, make_attribute(3)),
        }
        assert store.write(address, changes) == Written()
        once = store.read(address)
        assert store.write(address, changes) == Written()
        assert store.read(address) == once

    def test_of_many_writers_of_one_tag_one_wins(self, store: Store) -> None:
        address, record = make_address(), make_record(store.now(), {"a": 0})
        store.create(address, record)
        expected = record.attributes["a"].tag
        attempts = [{"a": Change(expected, make_attribute(n))} for n in range(8)]
        with ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(lambda changes: store.write(address, changes), attempts))
        assert sum(outcome == Written() for outcome in outcomes) == 1
        found = store.read(address)
        assert isinstance(found, Record)
        winners = [n for n, outcome in enumerate(outcomes) if outcome == Written()]
        assert values.decode(found.attributes["a"].value) == winners[0]

    # --- touch

    def test_a_touch_moves_last_seen_and_marks_the_return(self, store: Store) -> None:
        address, seen = make_address(), store.now() - 60_000
        record = make_record(seen, {"a": 1}, returned=False)
        store.create(address, record)
        assert store.write(address, {}, touch=True) == Written()
        found = store.read(address)
        assert isinstance(found, Record)
        assert found.header.last_seen_at > seen
        assert found == Record(
            alter(record.header, last_seen_at=found.header.last_seen_at, returned=True), record.attributes
        )

    def test_last_seen_never_goes_back(self, store: Store) -> None:
        address, ahead = make_address(), store.now() + 60_000
        store.create(address, make_record(ahead))
        store.write(address, {}, touch=True)
        found = store.read(address)
        assert isinstance(found, Record)
        assert found.header.last_seen_at == ahead

    # --- expiry

    def test_a_write_to_an_expired_session_ends_it_and_writes_nothing(self, store: Store) -> None:
        for reason, record in _expired(store.now()).items():
            address = make_address()
            # Written while it was live, as far as the store can tell: a creation does not judge.
            store.create(address, record)
            outcome = store.write(address, {"a": Change(None, make_attribute(1))}, touch=True)
            assert isinstance(outcome, Tombstone), reason
            assert (outcome.reason, outcome.placed) == (reason.split()[0].rstrip(":"), True)
            assert isinstance(store.read(address), Tombstone)
            again = store.write(address, {}, touch=True)
            assert isinstance(again, Tombstone)
            assert not again.placed

    def test_an_expired_session_is_ended_for_its_true_reason_once(self, store: Store) -> None:
        for reason, record in _expired(store.now()).items():
            address = make_address()
            store.create(address, record)
            true = reason.split()[0].rstrip(":")
            outcome = store.end(address, "idle", principal_key=record.header.principal_key)
            assert outcome == Ended(address.session_id, true)  # type: ignore[arg-type]
            assert isinstance(store.end(address, "absolute"), Tombstone)

    def test_a_live_session_is_not_ended_as_expired(self, store: Store) -> None:
        address, record = make_address(), make_record(store.now())
        store.create(address, record)
        assert store.end(address, "idle") == Conflicted({})
        assert store.end(address, "absolute") == Conflicted({})
        assert store.read(address) == record

    def test_a_creation_ends_what_is_due_in_its_partition_and_reports_it_once(self, store: Store) -> None:
        first, now = make_address(), store.now()
        due = make_record(now - 2 * HOUR)
        store.create(first, due)
        outcome = store.create(make_address(first.partition), make_record(now))
        assert isinstance(outcome, Created)
        assert Ended(first.session_id, "idle") in outcome.due
        assert isinstance(store.read(first), Tombstone)
        again = store.create(make_address(first.partition), make_record(now))
        assert isinstance(again, Created)
        assert Ended(first.session_id, "idle") not in again.due

    # --- rotation

    def test_a_rotation_changes_the_secret_and_keeps_the_rest(self, store: Store) -> None:
        address = make_address()
        record = make_record(store.now(), {"a": 1}, principal="7", extra={"zz": 1}, authenticated_at=5)
        store.create(address, record)
        rotation = _rotation(record.header)
        assert store.rotate(address, rotation) == Written()
        assert store.rotate(address, rotation) == Written()
        header = alter(
            record.header,
            secret_hash=rotation.secret_hash,
            pepper_id=rotation.pepper_id,
            rotation_count=rotation.rotation_count,
            previous_hash=record.header.secret_hash,
            previous_until=rotation.previous_until,
            generation=rotation.generation,
        )
        assert store.read(address) == Record(header, record.attributes)

    def test_of_two_rotations_of_one_secret_the_second_is_refused(self, store: Store) -> None:
        address, record = make_address(), make_record(store.now())
        store.create(address, record)
        store.rotate(address, _rotation(record.header))
        assert store.rotate(address, _rotation(record.header)) == Conflicted({})

    def test_a_rotation_never_lowers_the_generation(self, store: Store) -> None:
        address, principal_key = make_address(), make_principal()
        record = make_record(store.now(), principal_key=principal_key, generation=1)
        store.create(address, record)
        store.end_principal(
            address.partition, principal_key, "revoked", generation=5, keep=address.session_id
        )
        assert store.rotate(address, replace(_rotation(record.header), generation=1)) == Written()
        found = store.read(address)
        assert isinstance(found, Record)
        assert found.header.generation == 5

    def test_an_ended_or_expired_session_is_not_rotated(self, store: Store) -> None:
        ended, expired = make_address(), make_address()
        live, due = make_record(store.now()), make_record(store.now() - 2 * HOUR)
        store.create(ended, live)
        store.create(expired, due)
        store.end(ended, "logout")
        assert isinstance(store.rotate(ended, _rotation(live.header)), Tombstone)
        assert isinstance(store.rotate(expired, _rotation(due.header)), Tombstone)

    # --- ending

    def test_a_session_ends_once_for_its_first_reason(self, store: Store) -> None:
        address = make_address()
        store.create(address, make_record(store.now(), {"a": 1}))
        assert store.end(address, "logout") == Ended(address.session_id, "logout")
        again = store.end(address, "revoked")
        assert isinstance(again, Tombstone)
        assert again.reason == "logout"
        found = store.read(address)
        assert isinstance(found, Tombstone)
        assert found.reason == "logout"
        assert abs(found.ended_at - store.now()) < 60_000

    def test_a_late_write_does_not_bring_an_ended_session_back(self, store: Store) -> None:
        address, record = make_address(), make_record(store.now(), {"a": 1})
        store.create(address, record)
        store.end(address, "logout")
        change = Change(record.attributes["a"].tag, make_attribute(2))
        outcome = store.write(address, {"a": change}, touch=True)
        assert isinstance(outcome, Tombstone)
        assert (outcome.reason, outcome.placed) == ("logout", False)
        assert isinstance(store.read(address), Tombstone)

    def test_of_many_ends_at_once_one_is_counted(self, store: Store) -> None:
        address = make_address()
        store.create(address, make_record(store.now()))
        with ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(lambda _: store.end(address, "logout"), range(8)))
        assert sum(isinstance(outcome, Ended) for outcome in outcomes) == 1
        assert sum(isinstance(outcome, Tombstone) for outcome in outcomes) == 7

    def test_a_session_of_another_principal_is_not_ended(self, store: Store) -> None:
        address = make_address()
        record = make_record(store.now(), principal_key=make_principal())
        store.create(address, record)
        assert store.end(address, "revoked", principal_key=make_principal()) == Absent()
        assert store.read(address) == record

    def test_an_end_on_condition_of_tags_gives_back_all_that_differs(self, store: Store) -> None:
        address, record = make_address(), make_record(store.now(), {"same": 1, "changed": 2, "gone": 3})
        store.create(address, record)
        tags = {name: attribute.tag for name, attribute in record.attributes.items()}
        changed, new = make_attribute(20), make_attribute(4)
        changes = {
            "changed": Change(tags["changed"], changed),
            "gone": Change(tags["gone"], None),
            "new": Change(None, new),
        }
        store.write(address, changes)
        outcome = store.end(address, "rotated-away", if_tags=tags)
        assert outcome == Conflicted({"changed": changed, "gone": None, "new": new})
        assert isinstance(store.read(address), Record)
        tags = {"same": tags["same"], "changed": changed.tag, "new": new.tag}
        assert store.end(address, "rotated-away", if_tags=tags) == Ended(address.session_id, "rotated-away")

    def test_a_tombstone_keeps_the_successor_that_the_one_end_named(self, store: Store) -> None:
        address, record = make_address(), make_record(store.now(), {"a": 1})
        store.create(address, record)
        tags = {name: attribute.tag for name, attribute in record.attributes.items()}
        successors = [make_address().session_id, make_address().session_id]
        for successor in successors:
            store.end(address, "rotated-away", if_tags=tags, successor=successor)
        found = store.read(address)
        assert isinstance(found, Tombstone)
        assert found.successor == successors[0]

    # --- the whole store

    def test_live_sessions_are_counted_and_no_others(self, store: Store) -> None:
        before, now = store.count(), store.now()
        live, ended = make_address(), make_address()
        store.create(live, make_record(now))
        store.create(ended, make_record(now))
        store.create(make_address(), make_record(now - 2 * HOUR))
        assert store.count() == before + 2
        store.end(ended, "logout")
        assert store.count() == before + 1

    def test_a_store_that_works_answers_a_ping(self, store: Store) -> None:
        store.ping()  # raises StoreUnavailable otherwise


def _rotation(header: Header) -> Rotation:
    return Rotation(
        expected_hash=header.secret_hash,
        secret_hash=secrets.token_bytes(16),
        pepper_id="B",
        rotation_count=header.rotation_count + 1,
        previous_until=header.created_at + 30_000,
        generation=header.generation,
    )


def _expired(now: int) -> dict[str, Record]:
    """One record for each way to expire, by its reason (the first word)."""
    return {
        "idle": make_record(now - 2 * HOUR),
        "absolute": make_record(now, absolute_at=now - 1000),
        "absolute and idle": make_record(now - 24 * HOUR),
        "idle: its cookie never came back": make_record(now - HOUR - 1000, returned=False, idle=24 * HOUR),
        "idle: signed in": make_record(now - 2 * HOUR, principal_key=make_principal()),
    }
