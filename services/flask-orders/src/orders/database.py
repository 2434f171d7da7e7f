"""PostgreSQL through SQLAlchemy: one engine a worker process, short transactions, a pool that notices dead connections."""

from __future__ import annotations

import select
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic.script import ScriptDirectory
from chassis.postgres import STATEMENT_SECONDS, BoundedConnection
from sqlalchemy import URL, Engine, create_engine, event, exc, text
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import ConnectionPoolEntry

MIGRATIONS = Path(__file__).parent / "migrations"

CONNECT_SECONDS = 2
POOL_WAIT_SECONDS = 2
# The server gives up before the edge does: nobody waits for an answer that nobody reads.
SERVER_LIMITS = (
    f"-c timezone=UTC -c statement_timeout={STATEMENT_SECONDS * 1000} -c lock_timeout=3000"
    " -c idle_in_transaction_session_timeout=10000"
)

# What the database said or did not say: the same request may work in a moment.
Unavailable = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError)


class Base(DeclarativeBase):
    """Of every table of the service."""


class SchemaBehind(Exception):
    """The database lacks migrations that this release needs: run ``python -m orders.migrate``."""


class Database:
    """Thread-safe; made after the fork. Nothing is connected before first use."""

    def __init__(self, url: URL, *, pool_size: int = 4) -> None:
        self.engine = _make_engine(url, pool_size=pool_size)
        script = ScriptDirectory(str(MIGRATIONS))
        self._head = script.get_current_head()
        self._revisions = frozenset(revision.revision for revision in script.walk_revisions())

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """One transaction: committed at the end, rolled back by an error. Raises one of ``Unavailable``."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    def check(self) -> None:
        with self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def check_schema(self) -> None:
        """Raises ``SchemaBehind``. A revision that this release does not know is a newer one's, which must suit both."""
        with self.engine.connect() as connection:
            if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
                raise SchemaBehind("no schema")
            current = connection.scalar(text("SELECT version_num FROM alembic_version"))
        if current is None or (current != self._head and current in self._revisions):
            raise SchemaBehind(f"at {current}, needs {self._head}")

    def close(self) -> None:
        self.engine.dispose()


def _make_engine(url: URL, *, pool_size: int) -> Engine:
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_WAIT_SECONDS,
        pool_use_lifo=True,
        connect_args={
            "connect_timeout": CONNECT_SECONDS,
            "options": SERVER_LIMITS,
            "application_name": "flask-orders",
        },
    )
    event.listen(engine, "do_connect", _connect)
    event.listen(engine, "checkout", _refuse_dead)
    return engine


def _connect(_dialect: object, _record: object, arguments: Any, named: Any) -> Any:
    return BoundedConnection.connect(*arguments, **named)


def _refuse_dead(connection: Any, _entry: ConnectionPoolEntry, _proxy: Any) -> None:
    """A server that went away has closed its end: seen here without the round trip, and the span, of a pre-ping.

    An idle connection has nothing to read unless it was closed, or the server says why it is about to be.
    """
    poll = select.poll()
    poll.register(connection.pgconn.socket, select.POLLIN)
    if poll.poll(0):
        raise exc.InvalidatePoolError()
