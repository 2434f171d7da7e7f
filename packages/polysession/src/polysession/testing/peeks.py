"""What a look from outside a session's requests promises: ``Store.peek`` and ``Store.find``."""

from __future__ import annotations

from ..core.record import EndReason, Record, Tombstone
from ..core.store import Created, Store
from .doubles import HOUR, make_address, make_principal, make_record


class PeekContract:
    def test_a_look_from_outside_gives_the_record_and_leaves_it_as_it_is(self, store: Store) -> None:
        address = make_address()
        record = make_record(store.now() - 60_000, {"a": 1}, returned=False, principal="7")
        store.create(address, record)
        assert store.peek(address) == record
        assert store.read(address) == record

    def test_a_look_from_outside_creates_nothing(self, store: Store) -> None:
        address = make_address()
        assert store.peek(address) is None
        assert isinstance(store.create(address, make_record(store.now())), Created)

    def test_a_look_from_outside_tells_why_a_session_ended(self, store: Store) -> None:
        address = make_address()
        store.create(address, make_record(store.now()))
        store.end(address, "revoked")
        found = store.peek(address)
        assert isinstance(found, Tombstone)
        assert found == store.read(address)

    def test_a_look_from_outside_calls_expired_what_has_expired_and_does_not_end_it(
        self, store: Store
    ) -> None:
        for reason, record in _expired(store.now()):
            address = make_address()
            store.create(address, record)
            found = store.peek(address)
            assert isinstance(found, Tombstone)
            assert found.reason == reason
            assert not found.placed
            assert found.ended_at <= store.now()
            assert store.read(address) == record

    def test_a_session_is_found_by_its_id_alone_live_or_ended(self, store: Store) -> None:
        address = make_address()
        assert store.find(address.session_id) is None
        store.create(address, make_record(store.now()))
        assert store.find(address.session_id) == address
        store.end(address, "logout")
        assert store.find(address.session_id) == address


def _expired(now: int) -> tuple[tuple[EndReason, Record], ...]:
    return (
        ("idle", make_record(now - 2 * HOUR)),
        ("idle", make_record(now - HOUR - 1000, returned=False, idle=24 * HOUR)),
        ("idle", make_record(now - 2 * HOUR, principal_key=make_principal())),
        ("absolute", make_record(now, absolute_at=now - 1000)),
    )
