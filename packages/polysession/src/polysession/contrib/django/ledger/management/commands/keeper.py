"""``python manage.py keeper``: a command of Django's, for it needs just what the users service needs: the same settings,
the same database, the same Redis nodes. Any number may run. SIGTERM ends it after the pass under way.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any, Literal

from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections, connections, transaction
from django.db.utils import Error as DatabaseFault

from polysession.contrib.django import get_manager
from polysession.keeper import Keeper, Pass
from polysession.stores.ledger import Connection


class Command(BaseCommand):
    """A service may put a command of the same name before it that watches: see ``watched``."""

    help = "Ends sessions that are due, carries events to the ledger and the public stream, repairs after a failover."
    requires_system_checks: list[str] | tuple[str, ...] | tuple[()] | Literal["__all__"] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--every", type=float, default=1.0, help="seconds between passes (default: 1)")
        parser.add_argument("--once", action="store_true", help="one pass, then end")
        parser.add_argument("--database", default="default", help="alias of the ledger's database")

    def handle(self, *_: Any, **options: Any) -> None:
        stop = Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: stop.set())
        manager = get_manager()
        keeper = Keeper(
            manager.context.store,
            lambda: transaction_on(options["database"]),
            holder=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}",
            faults=(DatabaseFault,),
            events=manager.events,
        )
        try:
            with self.watched(stop) as hear:
                if options["once"]:
                    hear(keeper.work())
                else:
                    keeper.run(stop, every=options["every"], hear=hear)
        finally:
            keeper.release()
            manager.close()
            close_database(options["database"])

    @contextmanager
    def watched(self, stop: Event) -> Iterator[Callable[[Pass], None]]:  # noqa: ARG002
        """Around all passes; what it yields hears of each. ``stop``: set when stopping begins."""
        yield lambda _: None


@contextmanager
def transaction_on(alias: str) -> Iterator[Connection]:
    """A connection that died with its server is replaced, as between two requests."""
    if not connections[alias].in_atomic_block:
        close_old_connections()
    with transaction.atomic(using=alias):
        yield connections[alias]


def close_database(alias: str) -> None:
    """A pool that is left to the end of the process waits 5 s for each of its threads (psycopg_pool, Python 3.13)."""
    connection = connections[alias]
    if connection.in_atomic_block:
        return  # a caller's transaction, as in a test: its connection is not ours to close
    connection.close()
    close_pool = getattr(connection, "close_pool", None)
    if close_pool is not None:
        close_pool()
