"""The ledger's SQL on PostgreSQL."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

import pytest
from polysession.core.record import Timeouts
from polysession.stores import ledger
from polysession.stores.ledger import SCHEMA, Row, row_of
from polysession.testing import make_address, make_record

NOW = 1_800_000_000_000
MINUTE = 60_000


def make_row(principal: str = "ada", **fields: Any) -> Row:
    record = make_record(
        NOW, principal=principal, principal_key="k" * 21 + "Q", generation=1, idle=30 * MINUTE
    )
    return replace(row_of(make_address(7), record.header), **fields)


def test_a_row_comes_back_as_it_was_written_and_repeating_it_changes_nothing(connection: Any) -> None:
    row = make_row()
    ledger.insert(connection, row)
    ledger.insert(connection, replace(row, secret_hash=bytes(16)))
    assert ledger.find(connection, row.session_id) == row
    assert ledger.find(connection, "nobody") is None


@pytest.mark.parametrize("keep", [None, True, False])
def test_a_restored_session_keeps_its_cookie_as_long_as_before(connection: Any, keep: bool | None) -> None:
    row = make_row(keep=keep)
    ledger.insert(connection, row)
    found = ledger.find(connection, row.session_id)
    assert found is not None
    assert found.header(NOW).keep is keep
    ledger.retime(connection, row.session_id, Timeouts(5, 7, not keep), principal=row.principal)
    found = ledger.find(connection, row.session_id)
    assert found is not None
    assert found.header(NOW).keep is (not keep)


def test_when_a_session_took_an_old_ones_place_is_written_once(connection: Any) -> None:
    row, other = make_row(), make_row()
    for one in (row, other):
        ledger.insert(connection, one)
    for at in (NOW + 1, NOW + 2):
        ledger.exchange(connection, row.session_id, at=at)
    assert ledger.find(connection, row.session_id) == replace(row, exchanged_at=NOW + 1)
    assert ledger.find(connection, other.session_id) == other


def test_the_tables_of_an_earlier_release_get_what_they_lack_and_its_writes_go_on(connection: Any) -> None:
    row = make_row(keep=True)
    since = ("keep", "exchanged_at")
    for column in since:
        connection.execute(f"ALTER TABLE polysession_ledger DROP COLUMN {column}")
    for _ in range(2):
        connection.execute(SCHEMA)
    ledger.insert(connection, row)
    names = [name for name in Row.__slots__ if name not in since] + ["checked_at", "changed_at"]
    columns = ", ".join(names)
    earlier = columns.replace("session_id", "'earlier'", 1)
    connection.execute(
        f"INSERT INTO polysession_ledger ({columns}) SELECT {earlier} FROM polysession_ledger "
        f"WHERE session_id = '{row.session_id}'"
    )
    assert ledger.find(connection, row.session_id) == row
    assert ledger.find(connection, "earlier") == replace(row, session_id="earlier", keep=None)


def test_a_session_ends_once_and_for_its_own_principal_only(connection: Any) -> None:
    row = make_row()
    ledger.insert(connection, row)
    end = {"at": NOW + 1, "confirmed": False}
    assert not ledger.end(connection, row.session_id, "logout", principal="bob", **end)
    assert ledger.end(connection, row.session_id, "logout", principal="ada", **end)
    assert not ledger.end(connection, row.session_id, "revoked", **end)
    found = ledger.find(connection, row.session_id)
    assert found is not None
    assert (found.end_reason, found.ended_at, found.is_live(NOW)) == ("logout", NOW + 1, False)


def test_ending_all_but_one_keeps_that_one_with_the_new_generation(connection: Any) -> None:
    kept, other, foreign = make_row(), make_row(), make_row("bob")
    for row in (kept, other, foreign):
        ledger.insert(connection, row)
    assert ledger.end_principal(connection, "ada", "revoked", generation=2, at=NOW, keep=kept.session_id) == 1
    assert [row.generation for row in ledger.of_principal(connection, "ada")] == [2]
    assert ledger.of_principal(connection, "bob") == (foreign,)


def test_an_older_rotation_and_one_of_an_ended_session_change_nothing(connection: Any) -> None:
    row = make_row()
    ledger.insert(connection, row)

    def rotate(count: int, generation: int = 1) -> bool:
        return ledger.rotate(
            connection,
            row.session_id,
            secret_hash=bytes([count]) * 16,
            pepper_id="B",
            previous_hash=row.secret_hash,
            rotation_count=count,
            generation=generation,
            at=NOW,
        )

    assert rotate(2, generation=3)
    assert not rotate(2)
    assert not rotate(1)
    found = ledger.find(connection, row.session_id)
    assert found is not None
    assert (found.secret_hash, found.pepper_id, found.generation) == (bytes([2]) * 16, "B", 3)
    ledger.end(connection, row.session_id, "logout", at=NOW, confirmed=True)
    assert not rotate(3)


def test_timeouts_are_set_of_the_principals_own_live_row_only(connection: Any) -> None:
    row = make_row()
    ledger.insert(connection, row)
    timeouts = Timeouts(5, 7)
    assert not ledger.retime(connection, row.session_id, timeouts, principal="somebody else")
    assert ledger.retime(connection, row.session_id, timeouts, principal=row.principal)
    found = ledger.find(connection, row.session_id)
    assert found is not None
    assert (found.idle, found.absolute_at) == (5, 7)
    ledger.end(connection, row.session_id, "logout", at=NOW, confirmed=True)
    assert not ledger.retime(connection, row.session_id, timeouts, principal=row.principal)


def test_an_unconfirmed_end_is_found_until_it_is_confirmed(connection: Any) -> None:
    row = make_row()
    ledger.insert(connection, row)
    ledger.end(connection, row.session_id, "logout", at=NOW, confirmed=False)
    assert [one.session_id for one in ledger.unconfirmed(connection, before=NOW + 1, alive_at=NOW)] == [
        row.session_id
    ]
    assert ledger.unconfirmed(connection, before=NOW, alive_at=NOW) == ()
    ledger.confirm(connection, [row.session_id])
    assert ledger.unconfirmed(connection, before=NOW + 1, alive_at=NOW) == ()


def test_last_seen_is_asked_for_each_quarter_of_the_idle_timeout_and_never_goes_back(connection: Any) -> None:
    row = make_row()
    ledger.insert(connection, row)
    quarter = row.idle // 4
    assert ledger.unseen(connection, now=NOW + quarter - 1) == ()
    assert len(ledger.unseen(connection, now=NOW + quarter)) == 1
    ledger.see(connection, row.session_id, now=NOW + quarter, last_seen_at=NOW + 5)
    ledger.see(connection, row.session_id, now=NOW + quarter, last_seen_at=NOW + 3)
    assert ledger.unseen(connection, now=NOW + quarter) == ()
    found = ledger.find(connection, row.session_id)
    assert found is not None
    assert found.last_seen_at == NOW + 5


def test_a_row_lives_a_quarter_longer_than_its_idle_timeout_and_never_beyond_the_absolute_one() -> None:
    row = make_row(absolute_at=NOW + 100 * MINUTE)
    assert row.is_live(NOW + 37 * MINUTE)
    assert not row.is_live(NOW + 38 * MINUTE)
    assert not replace(row, last_seen_at=NOW + 99 * MINUTE).is_live(NOW + 100 * MINUTE)
    assert row.header(NOW + 37 * MINUTE).last_seen_at <= NOW + 37 * MINUTE


def test_a_row_that_may_idle_for_days_is_no_more_than_an_hour_behind(connection: Any) -> None:
    day = 24 * 60 * MINUTE
    row = make_row(idle=14 * day, absolute_at=NOW + 30 * day)
    ledger.insert(connection, row)
    assert ledger.unseen(connection, now=NOW + 60 * MINUTE - 1) == ()
    assert ledger.unseen(connection, now=NOW + 60 * MINUTE) == (row,)
    assert row.is_live(NOW + 14 * day + 59 * MINUTE)
    assert not row.is_live(NOW + 14 * day + 60 * MINUTE)
    assert row.header(NOW + day).last_seen_at == NOW + 60 * MINUTE


def test_purging_removes_what_has_ended_and_leaves_what_lives(connection: Any) -> None:
    ended, live = make_row(), make_row(absolute_at=NOW + 1000 * MINUTE)
    for row in (ended, live):
        ledger.insert(connection, row)
    ledger.end(connection, ended.session_id, "logout", at=NOW, confirmed=True)
    assert ledger.purge(connection, before=NOW + 1) == 1
    assert ledger.find(connection, live.session_id) == live


def test_changes_are_recent_from_their_own_time_on(connection: Any) -> None:
    row = make_row()
    ledger.insert(connection, row)
    ledger.end(connection, row.session_id, "logout", at=NOW + 10, confirmed=True)
    assert [one.session_id for one in ledger.recent(connection, since=NOW + 10)] == [row.session_id]
    assert ledger.recent(connection, since=NOW + 11) == ()


@pytest.mark.parametrize(("asked_at", "taken"), [(NOW + 999, False), (NOW + 1001, True)])
def test_a_lease_is_one_holders_until_it_runs_out(connection: Any, asked_at: int, taken: bool) -> None:
    name = secrets.token_hex(4)
    assert ledger.take_lease(connection, name, "a", now=NOW, until=NOW + 1000)
    assert ledger.take_lease(connection, name, "a", now=NOW + 500, until=NOW + 1000)
    assert ledger.take_lease(connection, name, "b", now=asked_at, until=asked_at + 1000) is taken
