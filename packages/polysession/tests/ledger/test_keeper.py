"""The keeper between a store and the ledger on PostgreSQL."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from polysession import SessionSettings, StoreUnavailable
from polysession.core.record import Record, Timeouts, Tombstone
from polysession.core.store import OutboxEvent
from polysession.keeper import Keeper
from polysession.stores import ledger
from polysession.stores.ledger import Row, row_of
from polysession.stores.memory import MemoryStore
from polysession.testing import FakeClock, RecordedEvents, make_address, make_record


class Fallible(MemoryStore):
    """Can refuse to publish, and be promoted."""

    mute = False
    epoch = "first"

    def publish(self, event: OutboxEvent) -> None:
        if self.mute:
            raise StoreUnavailable("publish", "away")
        super().publish(event)

    def epochs(self) -> Mapping[str, str]:
        return {"node": self.epoch}

    def partitions_of(self, node: str) -> tuple[int, ...]:
        return tuple(range(4096))


class Scene:
    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.clock = FakeClock()
        self.store = Fallible(clock=self.clock)
        self.events = RecordedEvents()
        self.settings = SessionSettings()
        connection.execute("DELETE FROM polysession_lease")

    def keeper(self, name: str = "one") -> Keeper:
        @contextmanager
        def database() -> Iterator[Any]:
            with self.connection.transaction():
                yield self.connection

        return Keeper(self.store, database, holder=name, events=self.events, clock=self.clock)

    def sign_in(self) -> Row:
        now = self.clock.now()
        record = make_record(
            now,
            principal="ada",
            principal_key=secrets.token_urlsafe(16),
            idle=1_800_000,
            absolute_at=now + 43_200_000,
        )
        address = make_address()
        row = row_of(address, record.header)
        ledger.insert(self.connection, row)
        self.store.create(address, record)
        return row

    def found(self, row: Row) -> Row:
        found = ledger.find(self.connection, row.session_id)
        assert found is not None
        return found


@pytest.fixture
def scene(connection: Any) -> Scene:
    return Scene(connection)


def test_what_is_due_ends_once_and_the_ledger_and_the_stream_learn_it(scene: Scene) -> None:
    row = scene.sign_in()
    scene.clock.advance(seconds=1801)
    one, two = scene.keeper("one"), scene.keeper("two")
    assert one.work().ended == 1
    assert two.work().leading is False
    assert scene.events.ended_reasons == ["idle"]
    assert [event.event_id for event in scene.store.published] == [f"{row.session_id}.e"]
    assert (scene.found(row).end_reason, scene.found(row).confirmed) == ("idle", True)
    assert scene.store.pending() == ()


def test_another_keeper_takes_over_when_the_lease_has_run_out(scene: Scene) -> None:
    assert scene.keeper("one").work().leading
    scene.clock.advance(seconds=4)
    assert not scene.keeper("two").work().leading
    scene.clock.advance(seconds=2)
    assert scene.keeper("two").work().leading


def test_a_clean_stop_hands_the_lease_over_at_once(scene: Scene) -> None:
    one, two = scene.keeper("one"), scene.keeper("two")
    assert one.work().leading
    two.release()  # not its own
    assert not two.work().leading
    one.release()
    assert two.work().leading


def test_an_event_that_could_not_be_published_stays_and_is_carried_by_the_next_pass(scene: Scene) -> None:
    row = scene.sign_in()
    scene.store.end(row.address, "logout", principal_key=row.principal_key)
    scene.store.mute = True
    assert scene.keeper().work().failed == ("outbox",)
    assert len(scene.store.outbox(row.partition)) == 1
    scene.store.mute = False
    assert scene.keeper().work().carried == 1
    assert scene.store.outbox(row.partition) == ()
    assert scene.found(row).end_reason == "logout"


def test_an_end_that_only_the_ledger_has_is_repeated_until_the_store_has_it(scene: Scene) -> None:
    row = scene.sign_in()
    now = scene.clock.now()
    ledger.end(scene.connection, row.session_id, "logout", at=now, confirmed=False)
    scene.clock.advance(seconds=2)
    assert scene.keeper().work().confirmed == 1
    outcome = scene.store.read(row.address)
    assert isinstance(outcome, Tombstone)
    assert outcome.reason == "logout"
    assert scene.found(row).confirmed


def test_a_session_that_ended_before_it_was_created_can_not_be_created_any_more(scene: Scene) -> None:
    """The sign-in's row is written, everything is ended, then its record arrives."""
    row = scene.sign_in()
    scene.store = Fallible(clock=scene.clock)
    ledger.end(scene.connection, row.session_id, "revoked", at=scene.clock.now(), confirmed=False)
    scene.clock.advance(seconds=2)
    assert scene.keeper().work().confirmed == 1
    scene.store.create(row.address, Record(row.header(scene.clock.now()), {}))
    assert isinstance(scene.store.read(row.address), Tombstone)


def test_after_a_failover_the_ends_of_the_last_ten_minutes_are_dead_again(scene: Scene) -> None:
    row, kept = scene.sign_in(), scene.sign_in()
    keeper = scene.keeper()
    scene.store.end(row.address, "logout", principal_key=row.principal_key)
    keeper.work()
    # The promoted replica has neither the end nor its event.
    before = Record(row.header(scene.clock.now()), {})
    scene.store = keeper._store = Fallible(clock=scene.clock)
    scene.store.create(row.address, before)
    scene.store.create(kept.address, Record(kept.header(scene.clock.now()), {}))
    scene.store.epoch = "second"
    assert keeper.work().reapplied > 0
    assert isinstance(scene.store.read(row.address), Tombstone)
    assert isinstance(scene.store.read(kept.address), Record)
    assert keeper.work().reapplied == 0


def test_last_seen_is_copied_each_quarter_of_the_idle_timeout(scene: Scene) -> None:
    row = scene.sign_in()
    scene.clock.advance(seconds=300)
    scene.store.write(row.address, {}, touch=True)
    assert scene.keeper().work().seen == 0
    scene.clock.advance(seconds=151)
    assert scene.keeper().work().seen == 1
    assert scene.found(row).last_seen_at == row.last_seen_at + 300_000
    assert scene.keeper().work().seen == 0


def test_timeouts_that_were_set_without_a_ledger_at_hand_are_copied_with_last_seen(scene: Scene) -> None:
    row = scene.sign_in()
    timeouts = Timeouts(60_000, scene.clock.now() + 3_600_000)
    scene.store.retime(row.address, timeouts, principal_key=row.principal_key)
    scene.clock.advance(milliseconds=row.idle // 4)
    scene.keeper().work()
    assert scene.found(row).ended_at is not None  # it idled out by its own, shorter timeout
    row = scene.sign_in()
    longer = Timeouts(7 * 86_400_000, scene.clock.now() + 30 * 86_400_000, True)
    scene.store.retime(row.address, longer, principal_key=row.principal_key)
    scene.clock.advance(milliseconds=row.idle // 4)
    scene.keeper().work()
    assert (scene.found(row).idle, scene.found(row).absolute_at) == (longer.idle, longer.absolute_at)
    assert scene.found(row).keep is True
    shorter = Timeouts(7_200_000, longer.absolute_at, False)
    scene.store.retime(row.address, shorter, principal_key=row.principal_key)
    scene.clock.advance(milliseconds=3_599_999)
    scene.keeper().work()
    assert scene.found(row).idle == longer.idle
    scene.clock.advance(milliseconds=1)
    scene.keeper().work()
    assert (scene.found(row).idle, scene.found(row).keep) == (shorter.idle, False)
