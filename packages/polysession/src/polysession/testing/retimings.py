"""The part of the contract that is about other timeouts for a session that exists, and what a rotation says anew."""

from __future__ import annotations

import secrets

from ..core.codec import encode_tail
from ..core.record import Record, Timeouts, Tombstone, alter, alter_tail
from ..core.store import Absent, Rotation, Store, Written
from .doubles import HOUR, make_address, make_principal, make_record


class RetimingContract:
    def test_other_timeouts_replace_the_sessions_and_nothing_else(self, store: Store) -> None:
        now, address, key = store.now(), make_address(), make_principal()
        record = make_record(
            now - 1000, {"a": 1}, principal="42", principal_key=key, extra={"zz": 1}, nonce=b"n" * 8
        )
        store.create(address, record)
        for keep in (True, False, None):
            timeouts = Timeouts(48 * HOUR, now + 96 * HOUR, keep)
            assert store.retime(address, timeouts, principal_key=key) == Written()
            found = store.read(address)
            assert isinstance(found, Record)
            seen = found.header.last_seen_at
            assert seen >= now
            asked = {"idle": 48 * HOUR, "absolute_at": now + 96 * HOUR, "keep": keep, "last_seen_at": seen}
            assert found == Record(alter(record.header, **asked), record.attributes)
        assert [one.session_id for one in store.list(address.partition, key)[0]] == [address.session_id]

    def test_a_shorter_idle_timeout_counts_from_now(self, store: Store) -> None:
        now, address = store.now(), make_address()
        store.create(address, make_record(now - 50 * 60_000))  # 10 minutes are left
        assert store.retime(address, Timeouts(60_000, now + HOUR)) == Written()
        found = store.read(address)
        assert isinstance(found, Record)
        assert found.header.last_seen_at >= now
        assert store.end_due(address.partition) == () or isinstance(store.read(address), Record)

    def test_an_expired_an_ended_or_a_missing_session_stays_so(self, store: Store) -> None:
        now, later = store.now(), Timeouts(HOUR, store.now() + HOUR)
        expired, ended = make_address(), make_address()
        store.create(expired, make_record(now - 2 * HOUR))
        outcome = store.retime(expired, later)
        assert outcome == Tombstone("idle", outcome.ended_at)  # type: ignore[union-attr]
        store.create(ended, make_record(now))
        store.end(ended, "logout")
        assert isinstance(store.retime(ended, later), Tombstone)
        assert store.retime(make_address(), later) == Absent()

    def test_nobody_sets_the_timeouts_of_anothers_session(self, store: Store) -> None:
        address, key = make_address(), make_principal()
        record = make_record(store.now(), principal="42", principal_key=key)
        store.create(address, record)
        for other in ("", make_principal()):
            timeouts = Timeouts(48 * HOUR, store.now() + 96 * HOUR)
            assert store.retime(address, timeouts, principal_key=other) == Absent()
        assert store.read(address) == record

    def test_a_rotation_may_bring_the_headers_tail(self, store: Store) -> None:
        now, address, key = store.now(), make_address(), make_principal()
        record = make_record(now, {"a": 1}, principal="42", principal_key=key, extra={"zz": 1})
        store.create(address, record)
        proven = alter_tail(record.header, authenticated_at=now)
        rotation = Rotation(
            expected_hash=record.header.secret_hash,
            secret_hash=secrets.token_bytes(16),
            pepper_id="A",
            rotation_count=2,
            previous_until=now + 30_000,
            generation=0,
            tail=encode_tail(proven),
        )
        for _ in range(2):
            assert store.rotate(address, rotation) == Written()
            found = store.read(address)
            assert isinstance(found, Record)
            assert found.header.authenticated_at == now
            assert (found.header.principal, found.header.extra) == ("42", {"zz": 1})
            assert found.header.secret_hash == rotation.secret_hash
            assert found.header.previous_until == rotation.previous_until
