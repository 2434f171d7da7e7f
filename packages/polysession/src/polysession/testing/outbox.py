"""The part of the contract that is about the keeper: the outbox, what is due, and what the ledger gives back."""

from __future__ import annotations

import secrets
from dataclasses import replace

from ..core.record import Record, Tombstone
from ..core.store import Created, Ended, Exists, OutboxEvent, Outdated, Rotation, Store, Written
from .doubles import HOUR, make_address, make_principal, make_record


class OutboxContract:
    # --- the outbox

    def test_an_end_is_in_the_outbox_once_until_it_is_acknowledged(self, store: Store) -> None:
        address, principal_key = make_address(), make_principal()
        record = make_record(
            store.now(), principal_key=principal_key, generation=4, rotation_count=3, previous_hash=b"p" * 16
        )
        store.create(address, record)
        assert _events(store, address.partition, address.session_id) == ()
        store.end(address, "logout", principal_key=principal_key)
        store.end(address, "revoked", principal_key=principal_key)
        (event,) = _events(store, address.partition, address.session_id)
        assert abs(event.at - store.now()) < 60_000
        assert event == OutboxEvent(
            event_id=f"{address.session_id}.e",
            kind="ended",
            partition=address.partition,
            session_id=address.session_id,
            principal_key=principal_key,
            at=event.at,
            reason="logout",
            secret_hash=record.header.secret_hash,
            pepper_id="A",
            rotation_count=3,
            previous_hash=b"p" * 16,
            generation=4,
        )
        assert address.partition in store.pending()
        store.acknowledge(address.partition, ["unknown", event.event_id])
        store.acknowledge(address.partition, [event.event_id])
        store.acknowledge(address.partition, [])
        assert _events(store, address.partition, address.session_id) == ()

    def test_a_rotation_is_in_the_outbox_with_both_hashes(self, store: Store) -> None:
        address, record = make_address(), make_record(store.now(), principal_key=make_principal())
        store.create(address, record)
        new = secrets.token_bytes(16)
        rotation = Rotation(record.header.secret_hash, new, "B", 1, store.now(), 2)
        for _ in range(2):
            outcome = store.rotate(address, rotation)
            assert isinstance(outcome, Written)
        (event,) = _events(store, address.partition, address.session_id)
        assert (event.event_id, event.kind) == (f"{address.session_id}.r1", "rotated")
        assert (event.secret_hash, event.previous_hash) == (new, record.header.secret_hash)
        assert (event.reason, event.pepper_id, event.rotation_count) == (None, "B", 1)
        assert event.principal_key == record.header.principal_key
        assert event.generation == 2
        assert store.rotate(address, replace(rotation, secret_hash=b"x" * 16)) != Written()
        assert len(_events(store, address.partition, address.session_id)) == 1

    def test_every_way_to_end_a_session_enters_the_outbox(self, store: Store) -> None:
        partition, principal_key, now = make_address().partition, make_principal(), store.now()
        signed_in, anonymous, due = (make_address(partition) for _ in range(3))
        store.create(signed_in, make_record(now, principal_key=principal_key))
        store.create(anonymous, make_record(now))
        store.create(due, make_record(now - 2 * HOUR, principal_key=make_principal()))
        store.end_principal(partition, principal_key, "revoked", generation=1)
        store.end(anonymous, "rotated-away")
        store.end_due(partition)
        found = {
            address.session_id: [event.reason for event in _events(store, partition, address.session_id)]
            for address in (signed_in, anonymous, due)
        }
        assert found == {
            signed_in.session_id: ["revoked"],
            anonymous.session_id: ["rotated-away"],
            due.session_id: ["idle"],
        }

    def test_what_ended_nothing_tells_nothing(self, store: Store) -> None:
        address, missing = make_address(), make_address()
        store.create(address, make_record(store.now(), principal_key=make_principal()))
        store.end(address, "idle")
        store.end(address, "revoked", principal_key=make_principal())
        store.end(missing, "logout")
        assert _events(store, address.partition, address.session_id) == ()
        assert _events(store, missing.partition, missing.session_id) == ()

    def test_the_outbox_gives_at_most_256_events_at_once(self, store: Store) -> None:
        partition, now = make_address().partition, store.now()
        ids = set()
        for _ in range(260):
            address, principal_key = make_address(partition), make_principal()
            store.create(address, make_record(now, principal_key=principal_key))
            store.end(address, "logout", principal_key=principal_key)
            ids.add(f"{address.session_id}.e")
        first = store.outbox(partition)
        assert len(first) == 256
        assert [event.at for event in first] == sorted(event.at for event in first)
        while events := store.outbox(partition):
            store.acknowledge(partition, [event.event_id for event in events])
            ids -= {event.event_id for event in events}
        assert ids == set()

    def test_an_event_can_be_published_again(self, store: Store) -> None:
        address = make_address()
        store.create(address, make_record(store.now()))
        store.end(address, "logout")
        (event,) = _events(store, address.partition, address.session_id)
        store.publish(event)
        store.publish(event)

    # --- what is due

    def test_what_is_due_ends_once_and_its_partition_is_pending(self, store: Store) -> None:
        partition, now = make_address().partition, store.now()
        due, live = make_address(partition), make_address(partition)
        store.create(live, make_record(now))
        store.create(due, make_record(now - 2 * HOUR, principal_key=make_principal()))
        assert partition in store.pending()
        assert Ended(due.session_id, "idle") in store.end_due(partition)
        assert store.end_due(partition) == ()
        assert isinstance(store.read(due), Tombstone)
        assert isinstance(store.read(live), Record)

    # --- confirmation

    def test_an_end_is_confirmed_also_when_it_is_repeated(self, store: Store) -> None:
        address, principal_key = make_address(), make_principal()
        store.create(address, make_record(store.now(), principal_key=principal_key))
        first = store.end(address, "logout", principal_key=principal_key)
        assert isinstance(first, Ended)
        assert first.confirmed
        again = store.end(address, "logout", principal_key=principal_key)
        assert isinstance(again, Tombstone)
        assert again.confirmed
        for _ in range(2):
            assert store.end_principal(address.partition, principal_key, "revoked", generation=1).confirmed

    def test_a_sign_in_and_a_rotation_are_confirmed(self, store: Store) -> None:
        address, record = make_address(), make_record(store.now(), principal_key=make_principal())
        created = store.create(address, record)
        assert isinstance(created, Created)
        assert created.confirmed
        for _ in range(2):
            rotated = store.rotate(address, Rotation(record.header.secret_hash, b"n" * 16, "A", 1, 1, 0))
            assert isinstance(rotated, Written)
            assert rotated.confirmed

    # --- the ledger

    def test_a_lost_session_is_restored_into_its_principals_list(self, store: Store) -> None:
        address, principal_key = make_address(), make_principal()
        record = make_record(store.now(), principal="42", principal_key=principal_key, generation=2)
        assert isinstance(store.restore(address, record), Created)
        assert store.read(address) == record
        assert [one.session_id for one in store.list(address.partition, principal_key)[0]] == [
            address.session_id
        ]
        assert isinstance(store.restore(address, record), Created)

    def test_nothing_is_restored_over_a_record_or_a_tombstone(self, store: Store) -> None:
        address, record = make_address(), make_record(store.now(), principal_key=make_principal())
        store.create(address, record)
        older = make_record(store.now(), principal_key=record.header.principal_key)
        assert store.restore(address, older) == Exists()
        assert store.read(address) == record
        store.end(address, "logout", principal_key=record.header.principal_key)
        assert store.restore(address, record) == Exists()
        assert isinstance(store.read(address), Tombstone)

    def test_a_session_of_an_older_generation_is_not_restored(self, store: Store) -> None:
        address, principal_key = make_address(), make_principal()
        store.end_principal(address.partition, principal_key, "revoked", generation=3)
        record = make_record(store.now(), principal_key=principal_key, generation=2)
        assert store.restore(address, record) == Outdated(3)
        assert store.read(address) is None

    def test_a_refusal_is_kept_and_ends_nothing(self, store: Store) -> None:
        refused, live = make_address(), make_address()
        record = make_record(store.now(), principal_key=make_principal())
        store.create(live, record)
        store.refuse(refused)
        store.refuse(live)
        found = store.read(refused)
        assert isinstance(found, Tombstone)
        assert found.reason == "revoked"
        assert store.read(live) == record
        store.refuse(refused, "theft")
        assert store.read(refused) == found
        assert store.restore(refused, record) == Exists()
        assert _events(store, refused.partition, refused.session_id) == ()

    # --- the whole store

    def test_every_primary_owns_partitions_of_its_own(self, store: Store) -> None:
        owned = [partition for node in store.epochs() for partition in store.partitions_of(node)]
        assert len(owned) == len(set(owned))
        assert len(owned) in (0, 4096)
        assert store.partitions_of("nobody:1") == ()


def _events(store: Store, partition: int, session_id: str) -> tuple[OutboxEvent, ...]:
    return tuple(event for event in store.outbox(partition) if event.session_id == session_id)
