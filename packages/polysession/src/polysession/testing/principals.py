"""The part of the contract that is about all sessions of one principal."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from ..core.record import Record, Tombstone
from ..core.store import Created, Ended, Full, Limit, Outdated, Store
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

    # --- the limit

    def test_above_the_limit_the_least_recently_seen_session_is_replaced(self, store: Store) -> None:
        partition, principal_key, now = make_address().partition, make_principal(), store.now()
        addresses = [make_address(partition) for _ in range(3)]
        for age, address in zip((10_000, 30_000, 20_000), addresses, strict=True):
            store.create(address, make_record(now - age, principal_key=principal_key), limit=Limit(3))
        other = make_address(partition)
        store.create(other, make_record(now - HOUR // 2, principal_key=make_principal()), limit=Limit(3))
        newest, record = make_address(partition), make_record(now, principal_key=principal_key)
        created = store.create(newest, record, limit=Limit(3))
        assert isinstance(created, Created)
        assert created.due == (Ended(addresses[1].session_id, "replaced"),)
        found = store.read(addresses[1])
        assert isinstance(found, Tombstone)
        assert found.reason == "replaced"
        assert store.create(newest, record, limit=Limit(3)) == Created()
        listed, _ = store.list(partition, principal_key)
        assert [one.session_id for one in listed] == [
            address.session_id for address in (newest, addresses[0], addresses[2])
        ]
        assert isinstance(store.read(other), Record)
        reasons = {event.event_id: event.reason for event in store.outbox(partition)}
        assert reasons[f"{addresses[1].session_id}.e"] == "replaced"

    def test_a_lower_limit_ends_all_that_is_above_it(self, store: Store) -> None:
        partition, principal_key, now = make_address().partition, make_principal(), store.now()
        for age in range(5):
            store.create(make_address(partition), make_record(now - 1000 * age, principal_key=principal_key))
        created = store.create(
            make_address(partition), make_record(now, principal_key=principal_key), limit=Limit(2)
        )
        assert isinstance(created, Created)
        assert len(created.due) == 4
        assert len(store.list(partition, principal_key)[0]) == 2

    def test_a_policy_that_refuses_writes_nothing_until_a_session_ends(self, store: Store) -> None:
        partition, principal_key, now = make_address().partition, make_principal(), store.now()
        limit, held = Limit(2, "refuse"), [make_address(partition) for _ in range(2)]
        for address in held:
            store.create(address, make_record(now, principal_key=principal_key), limit=limit)
        more, record = make_address(partition), make_record(now, principal_key=principal_key)
        assert store.create(more, record, limit=limit) == Full()
        assert store.read(more) is None
        assert all(isinstance(store.read(address), Record) for address in held)
        store.end(held[0], "logout", principal_key=principal_key)
        assert isinstance(store.create(more, record, limit=limit), Created)

    def test_expired_sessions_do_not_count_towards_the_limit(self, store: Store) -> None:
        partition, principal_key, now = make_address().partition, make_principal(), store.now()
        limit, due = Limit(1, "refuse"), make_address(partition)
        store.create(due, make_record(now - 2 * HOUR, principal_key=principal_key))
        created = store.create(
            make_address(partition), make_record(now, principal_key=principal_key), limit=limit
        )
        assert isinstance(created, Created)
        assert created.due == (Ended(due.session_id, "idle"),)

    def test_of_many_sign_ins_at_once_as_many_are_left_as_the_limit_allows(self, store: Store) -> None:
        partition, principal_key, now = make_address().partition, make_principal(), store.now()

        def sign_in(_: int) -> object:
            record = make_record(now, principal_key=principal_key)
            return store.create(make_address(partition), record, limit=Limit(3))

        with ThreadPoolExecutor(32) as pool:
            outcomes = list(pool.map(sign_in, range(500)))
        assert all(isinstance(outcome, Created) for outcome in outcomes)
        assert len(store.list(partition, principal_key)[0]) == 3
        replaced = [one for outcome in outcomes if isinstance(outcome, Created) for one in outcome.due]
        assert len(replaced) == len({one.session_id for one in replaced}) == 497
