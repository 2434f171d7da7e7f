"""What is asked of the ledger's tables: one function a statement, each idempotent. None commits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from ...core.record import EndReason, Timeouts
from .row import SEEN_WITHIN, Row

_COLUMNS = (
    "session_id, partition, principal, principal_key, secret_hash, pepper_id, previous_hash, rotation_count, "
    "generation, created_at, authenticated_at, last_seen_at, idle, absolute_at, ended_at, end_reason, confirmed, keep, "
    "exchanged_at"
)
_SELECT = f"SELECT {_COLUMNS} FROM polysession_ledger "  # noqa: S608 - names of our own


class Connection(Protocol):
    """What is used of a DB-API connection (PEP 249)."""

    def cursor(self) -> Any: ...


def insert(connection: Connection, row: Row) -> None:
    """A sign-in. Repeating it changes nothing."""
    values = (
        *(row.session_id, row.partition, row.principal, row.principal_key, row.secret_hash, row.pepper_id),
        *(row.previous_hash, row.rotation_count, row.generation, row.created_at, row.authenticated_at),
        *(row.last_seen_at, row.idle, row.absolute_at, row.ended_at, row.end_reason, row.confirmed),
        *(row.keep, row.exchanged_at),
        *(row.last_seen_at, row.created_at),
    )
    marks = ", ".join(["%s"] * len(values))
    _change(
        connection,
        f"INSERT INTO polysession_ledger ({_COLUMNS}, checked_at, changed_at) VALUES ({marks}) "  # noqa: S608
        "ON CONFLICT (session_id) DO NOTHING",
        values,
    )


def end(
    connection: Connection,
    session_id: str,
    reason: EndReason,
    *,
    at: int,
    confirmed: bool,
    principal: str | None = None,
) -> bool:
    """``False``: there is no such live row, or it is another principal's."""
    statement = (
        "UPDATE polysession_ledger SET ended_at = %s, end_reason = %s, changed_at = %s, confirmed = %s "
        "WHERE session_id = %s AND ended_at IS NULL"
    )
    values: list[object] = [at, reason, at, confirmed, session_id]
    if principal is not None:
        statement += " AND principal = %s"
        values.append(principal)
    return _change(connection, statement, values) > 0


def end_principal(
    connection: Connection,
    principal: str,
    reason: EndReason,
    *,
    generation: int,
    at: int,
    keep: str | None = None,
) -> int:
    """Every live session of the principal but ``keep`` ends, unconfirmed; ``keep`` gets the new generation. To be
    called in the transaction that raises the generation: whoever signs in waits for its lock.
    """
    ended = _change(
        connection,
        "UPDATE polysession_ledger SET ended_at = %s, end_reason = %s, changed_at = %s, confirmed = %s "
        "WHERE principal = %s AND session_id <> %s AND ended_at IS NULL",
        (at, reason, at, False, principal, keep or ""),
    )
    _change(
        connection,
        "UPDATE polysession_ledger SET generation = %s, changed_at = %s "
        "WHERE principal = %s AND session_id = %s AND ended_at IS NULL AND generation < %s",
        (generation, at, principal, keep or "", generation),
    )
    return ended


def rotate(
    connection: Connection,
    session_id: str,
    *,
    secret_hash: bytes,
    pepper_id: str,
    previous_hash: bytes,
    rotation_count: int,
    generation: int,
    at: int,
) -> bool:
    """``False``: the row knows this rotation or a later one, or has ended. The generation is never lowered."""
    return (
        _change(
            connection,
            "UPDATE polysession_ledger SET secret_hash = %s, pepper_id = %s, previous_hash = %s, "
            "rotation_count = %s, changed_at = %s, "
            "generation = CASE WHEN generation < %s THEN %s ELSE generation END "
            "WHERE session_id = %s AND ended_at IS NULL AND rotation_count < %s",
            (
                *(secret_hash, pepper_id, previous_hash, rotation_count, at, generation, generation),
                *(session_id, rotation_count),
            ),
        )
        > 0
    )


def retime(connection: Connection, session_id: str, timeouts: Timeouts, *, principal: str) -> bool:
    """``False``: there is no such live row, or it is another principal's."""
    return (
        _change(
            connection,
            "UPDATE polysession_ledger SET idle = %s, absolute_at = %s, keep = %s "
            "WHERE session_id = %s AND principal = %s AND ended_at IS NULL",
            (timeouts.idle, timeouts.absolute_at, timeouts.keep, session_id, principal),
        )
        > 0
    )


def exchange(connection: Connection, session_id: str, *, at: int) -> None:
    """The session took an old one's place. The first time stays."""
    _change(
        connection,
        "UPDATE polysession_ledger SET exchanged_at = %s WHERE session_id = %s AND exchanged_at IS NULL",
        (at, session_id),
    )


def confirm(connection: Connection, session_ids: Iterable[str]) -> None:
    for session_id in session_ids:
        _change(
            connection,
            "UPDATE polysession_ledger SET confirmed = %s WHERE session_id = %s AND ended_at IS NOT NULL",
            (True, session_id),
        )


def find(connection: Connection, session_id: str) -> Row | None:
    rows = _rows(connection, "WHERE session_id = %s", (session_id,))
    return rows[0] if rows else None


def of_principal(connection: Connection, principal: str) -> tuple[Row, ...]:
    """The rows that have not ended; some may have expired."""
    return _rows(
        connection, "WHERE principal = %s AND ended_at IS NULL ORDER BY last_seen_at DESC", (principal,)
    )


def recent(connection: Connection, *, since: int) -> tuple[Row, ...]:
    """What signed in, rotated or ended since then, the newest first: that is what a failover loses."""
    return _rows(connection, "WHERE changed_at >= %s ORDER BY changed_at DESC", (since,))


def unconfirmed(connection: Connection, *, before: int, alive_at: int, limit: int = 256) -> tuple[Row, ...]:
    """Ends that no replica is known to have, of sessions that could still live. ``before``: later ones are still in
    the hands of who ended them.
    """
    where = "WHERE confirmed = %s AND changed_at < %s AND absolute_at > %s ORDER BY changed_at LIMIT %s"
    return _rows(connection, where, (False, before, alive_at, limit))


def unseen(connection: Connection, *, now: int, limit: int = 256) -> tuple[Row, ...]:
    """Live rows whose last seen was not copied for a quarter of their idle timeout, or an hour."""
    where = (
        "WHERE ended_at IS NULL AND checked_at + CASE WHEN idle / 4 < %s THEN idle / 4 ELSE %s END <= %s "
        "ORDER BY checked_at LIMIT %s"
    )
    return _rows(connection, where, (SEEN_WITHIN, SEEN_WITHIN, now, limit))


def see(connection: Connection, session_id: str, *, now: int, last_seen_at: int = 0) -> None:
    """Last seen never goes back."""
    _change(
        connection,
        "UPDATE polysession_ledger SET checked_at = %s, "
        "last_seen_at = CASE WHEN last_seen_at < %s THEN %s ELSE last_seen_at END WHERE session_id = %s",
        (now, last_seen_at, last_seen_at, session_id),
    )


def purge(connection: Connection, *, before: int) -> int:
    """Rows that ended, or could live no longer, before then. A restore needs a live row: this revives nothing."""
    return _change(
        connection, "DELETE FROM polysession_ledger WHERE ended_at < %s OR absolute_at < %s", (before, before)
    )


def take_lease(connection: Connection, name: str, holder: str, *, now: int, until: int) -> bool:
    """``True``: the lease is ours until then. It saves work; nothing relies on there being one holder only."""
    return (
        _change(
            connection,
            "INSERT INTO polysession_lease (name, holder, until) VALUES (%s, %s, %s) "
            "ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until "
            "WHERE polysession_lease.holder = excluded.holder OR polysession_lease.until < %s",
            (name, holder, until, now),
        )
        > 0
    )


def give_lease(connection: Connection, name: str, holder: str) -> None:
    """Gives up the lease, if it is the holder's."""
    _change(connection, "DELETE FROM polysession_lease WHERE name = %s AND holder = %s", (name, holder))


def _change(connection: Connection, statement: str, values: Sequence[object]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)


def _rows(connection: Connection, where: str, values: Sequence[object]) -> tuple[Row, ...]:
    with connection.cursor() as cursor:
        cursor.execute(_SELECT + where, values)
        return tuple(_read(columns) for columns in cursor.fetchall())


def _read(columns: Sequence[Any]) -> Row:
    """Drivers give ``bytea`` as bytes or memoryview, SQLite a boolean as 0 or 1."""
    values = list(columns)
    for index in (4, 6):
        values[index] = bytes(values[index])
    for index in (-3, -2):
        values[index] = None if values[index] is None else bool(values[index])
    return Row(*values)
