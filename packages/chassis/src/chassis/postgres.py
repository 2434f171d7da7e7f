"""A PostgreSQL connection whose answers are awaited for a bounded time."""

from __future__ import annotations

from typing import Any, TypeVar

from psycopg import Connection, OperationalError
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

T = TypeVar("T")

# The server ends a statement after this, so that nobody waits for an answer that nobody reads.
STATEMENT_SECONDS = 5
ANSWER_SECONDS = STATEMENT_SECONDS + 1


class BoundedConnection(Connection[Any]):
    """Raises ``OperationalError`` and closes itself when the server has not answered for ``answer_seconds``.

    ``statement_timeout`` is the server's own and ``tcp_user_timeout`` its kernel's: a server that is frozen, or whose
    disk hangs, keeps neither, and its kernel goes on acknowledging. ``None``: waits for ever, for a migration.
    """

    answer_seconds: float | None = ANSWER_SECONDS

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        try:
            return super().wait(gen, interval, self.answer_seconds if timeout is None else timeout)
        except OperationalError:
            # Still active: there was no answer. A statement that the server has refused or ended is not.
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise
