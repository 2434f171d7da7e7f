"""The ledger's PostgreSQL database, by psycopg, for commands that are given a DSN: plain SQL, one transaction a step."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..core.errors import InvalidSettings, LedgerUnavailable
from ..stores.ledger import Connection

DSN, PASSWORD_FILE = "DATABASE_URL", "DATABASE_PASSWORD_FILE"


def add_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the ledger (or the variable)")
    group.add_argument(
        "--dsn", metavar="URL", help=f"postgresql://user@host:port/name, without a password [{DSN}]"
    )
    group.add_argument(
        "--dsn-password-file", metavar="FILE", help=f"file with its password [{PASSWORD_FILE}]"
    )


class Database:
    """One connection, opened when it is needed and again when it was lost. One thread."""

    def __init__(self, psycopg: Any, dsn: str, password: str | None) -> None:
        self._psycopg = psycopg
        self._dsn = dsn
        self._password = password
        self._connection: Any = None
        self.faults: tuple[type[Exception], ...] = (psycopg.Error,)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Commits at its end. Raises what psycopg raises: see ``faults``."""
        if self._connection is None or self._connection.closed:
            password = {} if self._password is None else {"password": self._password}
            self._connection = self._psycopg.connect(
                self._dsn, autocommit=True, connect_timeout=5, application_name="polysession", **password
            )
        with self._connection.transaction():
            yield self._connection

    @contextmanager
    def step(self, name: str) -> Iterator[Connection]:
        """The same for a command: raises ``LedgerUnavailable``."""
        try:
            with self.transaction() as connection:
                yield connection
        except self.faults as cause:
            raise LedgerUnavailable(f"ledger_{name}", type(cause).__name__) from cause

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


def open_database(options: argparse.Namespace, environment: Mapping[str, str]) -> Database | None:
    """``None`` where no DSN is given. Raises ``InvalidSettings``."""
    dsn = options.dsn or environment.get(DSN, "")
    if not dsn:
        return None
    try:
        import psycopg
    except ImportError as cause:
        raise InvalidSettings(("--dsn needs psycopg: pip install 'psycopg[binary]>=3.1'",)) from cause
    file = options.dsn_password_file or environment.get(PASSWORD_FILE, "")
    try:
        password = Path(file).read_text().rstrip("\r\n") if file else None
    except OSError as cause:
        raise InvalidSettings((f"--dsn-password-file or {PASSWORD_FILE}: {cause.strerror}",)) from cause
    if not dsn.startswith(("postgresql://", "postgres://")):
        raise InvalidSettings((f"--dsn or {DSN} is not postgresql://user@host:port/name",))
    return Database(psycopg, dsn, password)
