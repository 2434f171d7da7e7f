"""Django's ``migrate``, one at a time: any number of releases, or pods, may start it at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from chassis.postgres import ANSWER_SECONDS
from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate
from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

LOCK = 0x7573657273  # "users"
LOCK_WAIT_SECONDS = 60
TRY_SECONDS = 0.2


class Command(migrate.Command):
    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--wait", type=float, default=0, help="seconds to wait for the database to answer (default: 0)"
        )

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Before the system checks: they ask the database, too."""
        connect(connections[options["database"]], wait=options["wait"])
        return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        with locked(connections[options["database"]]):
            super().handle(*args, **options)


def connect(connection: BaseDatabaseWrapper, *, wait: float) -> None:
    """A database that is only starting refuses connections, or names that its start has yet to make."""
    until = time.monotonic() + wait
    while True:
        try:
            return connection.ensure_connection()
        except OperationalError:
            if time.monotonic() > until:
                raise
        time.sleep(TRY_SECONDS)


@contextmanager
def locked(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """The lock is the connection's: it goes with the process, however that ends. Tried again and again, for a statement
    that waits would be ended by ``statement_timeout``; that holds for requests, not for a migration.
    """
    until = time.monotonic() + LOCK_WAIT_SECONDS
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
            if cursor.fetchone() == (True,):
                break
            if time.monotonic() > until:
                raise CommandError(
                    f"Another migration has been under way for {LOCK_WAIT_SECONDS} s: run it again."
                )
            time.sleep(TRY_SECONDS)
        cursor.execute("SET statement_timeout = 0")
    connection.connection.answer_seconds = None
    try:
        yield
    finally:
        connection.connection.answer_seconds = ANSWER_SECONDS
        with connection.cursor() as cursor:
            cursor.execute("RESET statement_timeout")
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
