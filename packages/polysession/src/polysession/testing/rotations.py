"""The part of the contract that is about rotation by age."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from ..core import rotation
from ..core.record import Address, Header, Record, Tombstone, alter
from ..core.store import Absent, Conflicted, Offer, Offered, Store, Written
from .doubles import HOUR, make_address, make_principal, make_record


class RotationContract:
    def test_an_offer_leaves_the_secret_and_all_else_as_they_are(self, store: Store) -> None:
        address, record = _begin(store)
        offer = _offer(record.header)
        offered = store.offer(address, offer)
        assert offered == Offered(offer.nonce, offer.successor_hash, True)
        header = alter(record.header, nonce=offer.nonce, previous_hash=offer.successor_hash, previous_until=0)
        assert store.read(address) == Record(header, record.attributes)
        assert rotation.is_offered(header)

    def test_of_many_offers_at_once_one_is_drawn_and_all_learn_of_it(self, store: Store) -> None:
        address, record = _begin(store)
        with ThreadPoolExecutor(8) as pool:
            outcomes = list(pool.map(lambda _: store.offer(address, _offer(record.header)), range(8)))
        offered = [outcome for outcome in outcomes if isinstance(outcome, Offered)]
        assert len(offered) == 8
        assert len({(one.nonce, one.successor_hash) for one in offered}) == 1
        assert sum(one.drawn for one in offered) == 1

    def test_what_was_offered_takes_its_place_and_the_nonce_stays(self, store: Store) -> None:
        address, record = _begin(store)
        offer = _offer(record.header)
        store.offer(address, offer)
        found = store.read(address)
        assert isinstance(found, Record)
        acceptance = rotation.accept(found.header, until=store.now() + 30_000)
        assert store.rotate(address, acceptance) == Written()
        assert store.rotate(address, acceptance) == Written()
        after = alter(
            record.header,
            secret_hash=offer.successor_hash,
            previous_hash=record.header.secret_hash,
            previous_until=acceptance.previous_until,
            rotation_count=record.header.rotation_count + 1,
            nonce=offer.nonce,
        )
        assert store.read(address) == Record(after, record.attributes)
        assert store.offer(address, offer) == Conflicted({})
        again = _offer(after)
        assert store.offer(address, again) == Offered(again.nonce, again.successor_hash, True)

    def test_a_privilege_change_passes_over_what_was_offered(self, store: Store) -> None:
        address, record = _begin(store)
        store.offer(address, _offer(record.header))
        change = replace(
            rotation.accept(record.header, until=store.now() + 30_000),
            secret_hash=secrets.token_bytes(16),
            rotation_count=record.header.rotation_count + 2,
        )
        assert store.rotate(address, change) == Written()
        found = store.read(address)
        assert isinstance(found, Record)
        assert not rotation.is_offered(found.header)
        assert found.header.secret_hash == change.secret_hash

    def test_the_ledger_hears_of_a_successor_before_its_first_use(self, store: Store) -> None:
        address, record = _begin(store)
        offer = _offer(record.header)
        store.offer(address, offer)
        store.offer(address, _offer(record.header))
        told = [one for one in store.outbox(address.partition) if one.session_id == address.session_id]
        assert [(one.kind, one.event_id) for one in told] == [("rotated", f"{address.session_id}.r1")]
        assert (told[0].secret_hash, told[0].previous_hash) == (
            offer.successor_hash,
            record.header.secret_hash,
        )
        assert told[0].rotation_count == 1

    def test_a_rotation_by_age_that_the_ledger_repeats_leaves_both_secrets_good(self, store: Store) -> None:
        address, record = _begin(store)
        offer = _offer(record.header)
        lost = replace(rotation.accept(record.header, until=0), secret_hash=offer.successor_hash)
        for _ in range(2):
            assert store.rotate(address, lost) == Written()
            found = store.read(address)
            assert isinstance(found, Record)
            assert found.header.secret_hash == record.header.secret_hash
            assert found.header.previous_hash == offer.successor_hash
            assert rotation.is_offered(found.header)
        before = store.read(address)
        assert isinstance(store.offer(address, _offer(record.header)), Offered)
        assert store.read(address) == before

    def test_a_privilege_change_that_the_ledger_repeats_is_no_offer(self, store: Store) -> None:
        address, record = _begin(store)
        store.offer(address, _offer(record.header))
        change = replace(rotation.accept(record.header, until=0), secret_hash=b"n" * 16, rotation_count=2)
        assert store.rotate(address, change) == Written()
        found = store.read(address)
        assert isinstance(found, Record)
        assert found.header.secret_hash == change.secret_hash
        assert not rotation.is_offered(found.header)

    def test_nothing_is_offered_for_what_is_not_live(self, store: Store) -> None:
        ended, expired = make_address(), make_address()
        live, due = make_record(store.now()), make_record(store.now() - 2 * HOUR)
        assert store.offer(ended, _offer(live.header)) == Absent()
        store.create(ended, live)
        store.create(expired, due)
        store.end(ended, "logout")
        assert isinstance(store.offer(ended, _offer(live.header)), Tombstone)
        assert isinstance(store.offer(expired, _offer(due.header)), Tombstone)


def _begin(store: Store) -> tuple[Address, Record]:
    address = make_address()
    record = make_record(store.now(), {"a": 1}, principal_key=make_principal(), principal="42")
    store.create(address, record)
    return address, record


def _offer(header: Header) -> Offer:
    return Offer(
        header.secret_hash, secrets.token_bytes(16), secrets.token_bytes(8), header.rotation_count + 1
    )
