"""The part of the contract that is about all sessions of one principal."""

from __future__ import annotations

from ..core.record import Record, Tombstone
from ..core.store import Created, Ended, Outdated, Store
from .doubles import HOUR, make_address, make_principal, make_record


class PrincipalContract:
    def test_a_principals_live_sessions_are_listed_most_recently_seen_first(self, store: Store) -> None:
        partition, principal_key, now = make_address().partition, make_principal(), store.now()
        addresses = [make_address(partition) for _ in range(3)]
        for age, address in zip((30_000, 10_000, 20_000), addresses, strict=True):
            store.create(address, make_record(now - age, {"a": 1}, principal_key=principal_key))
        store.create(make_address(partition), make_record(now, principal_key=make_principal()))
        store.create(make_address(partition), make_record(now))
        listed, due = store.list(partition, principal_key)
        assert [one.session_id for one in listed] == [addresses[n].session_id for n in (1, 2, 0)]
        assert listed[0].header.last_seen_at == now - 10_000
        assert due == ()

    def test_a_list_ends_what_is_due_and_reports_it_once(self, store: Store) -> None:
        partition, principal_key, now = make_address().partition, make_principal(), store.now()
        live, due = make_address(partition), make_address(partition)
        store.create(live, make_record(now, principal_key=principal_key))
        store.create(due, make_record(now - 2 * HOUR, principal_key=principal_key))
        listed, ended = store.list(partition, principal_key)
        assert [one.session_id for one in listed] == [live.session_id]
        assert ended == (Ended(due.session_id, "idle"),)
        assert store.list(partition, principal_key)[1] == ()
        assert isinstance(store.read(due), Tombstone)

    def test_an_ended_session_leaves_its_principals_list(self, store: Store) -> None:
        address, principal_key = make_address(), make_principal()
        store.create(address, make_record(store.now(), principal_key=principal_key))
        store.end(address, "logout", principal_key=principal_key)
        assert store.list(address.partition, principal_key) == ((), ())

    def test_ending_a_principal_ends_all_but_the_kept_session(self, store: Store) -> None:
        partition, principal_key, now = make_address().partition, make_principal(), store.now()
        addresses = [make_address(partition) for _ in range(3)]
        for address in addresses:
            store.create(address, make_record(now, principal_key=principal_key, generation=1))
        other = make_address(partition)
        store.create(other, make_record(now, principal_key=make_principal(), generation=1))
        kept, *gone = addresses
        outcome = store.end_principal(partition, principal_key, "revoked", generation=2, keep=kept.session_id)
        ended = outcome.ended
        assert {one.session_id for one in ended} == {address.session_id for address in gone}
        assert {one.reason for one in ended} == {"revoked"}
        found = store.read(kept)
        assert isinstance(found, Record)
        assert found.header.generation == 2
        assert all(isinstance(store.read(address), Tombstone) for address in gone)
        assert isinstance(store.read(other), Record)
        again = store.end_principal(partition, principal_key, "revoked", generation=2, keep=kept.session_id)
        assert again.ended == ()

    def test_a_sign_in_with_an_older_generation_is_refused(self, store: Store) -> None:
        partition, principal_key, now = make_address().partition, make_principal(), store.now()
        store.end_principal(partition, principal_key, "revoked", generation=3)
        address = make_address(partition)
        older = make_record(now, principal_key=principal_key, generation=2)
        assert store.create(address, older) == Outdated(3)
        assert store.read(address) is None
        store.end_principal(partition, principal_key, "revoked", generation=1)
        assert store.create(address, older) == Outdated(3)
        current = make_record(now, principal_key=principal_key, generation=3)
        assert isinstance(store.create(address, current), Created)

    def test_a_sign_in_with_a_newer_generation_raises_it(self, store: Store) -> None:
        partition, principal_key, now = make_address().partition, make_principal(), store.now()
        newer = make_record(now, principal_key=principal_key, generation=4)
        assert isinstance(store.create(make_address(partition), newer), Created)
        older = make_record(now, principal_key=principal_key, generation=3)
        assert store.create(make_address(partition), older) == Outdated(4)

    def test_a_sign_in_with_a_newer_generation_ends_what_is_left_of_older_ones(self, store: Store) -> None:
        """Its account's generation was raised, and the end of all got no answer from this store."""
        partition, principal_key, now = make_address().partition, make_principal(), store.now()
        older = [make_address(partition) for _ in range(3)]
        for address in older:
            store.create(address, make_record(now, principal_key=principal_key, generation=1))
        other = make_address(partition)
        store.create(other, make_record(now, principal_key=make_principal(), generation=1))
        newer = [make_address(partition) for _ in range(2)]
        first, second = (make_record(now, principal_key=principal_key, generation=2) for _ in newer)
        created = store.create(newer[0], first)
        assert isinstance(created, Created)
        assert {one.session_id for one in created.due} == {address.session_id for address in older}
        assert {one.reason for one in created.due} == {"revoked"}
        assert store.create(newer[1], second) == Created()
        assert all(isinstance(store.read(address), Tombstone) for address in older)
        assert all(isinstance(store.read(address), Record) for address in (*newer, other))
        assert store.create(newer[0], first) == Created()
