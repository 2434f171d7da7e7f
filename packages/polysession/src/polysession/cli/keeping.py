"""The keeper, over the ledger's plain SQL: ends what is due, carries events to
the ledger and the public stream, repairs after a failover. Beside Django,
`python manage.py keeper` is the same. Any number may run; SIGTERM ends it after
the pass under way.
"""

from __future__ import annotations

import argparse
import logging
import os
import secrets
import signal
import socket
from threading import Event

from ..core.errors import InvalidSettings
from ..core.events import Events
from ..keeper import Keeper, Pass
from . import DONE, UNAVAILABLE, Terminal
from .database import add_options as add_database
from .database import open_database
from .source import add_options as add_source
from .source import open_manager, store_of

NAME = "keeper"
SUMMARY = "run the keeper over the plain-SQL ledger"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--every", type=float, default=1.0, metavar="S", help="seconds between passes (default: 1)"
    )
    parser.add_argument(
        "--once", action="store_true", help="one pass, then end; 3 where a step got no answer"
    )
    parser.add_argument(
        "--metrics-bind", metavar="HOST:PORT", help="serve Prometheus metrics there [KEEPER_BIND]"
    )
    add_source(parser)
    add_database(parser)


def run(options: argparse.Namespace, terminal: Terminal) -> int:
    database = open_database(options, terminal.environment)
    if database is None:
        raise InvalidSettings(("the keeper needs the ledger: give --dsn or DATABASE_URL",))
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=terminal.err
    )
    events = _listen(options.metrics_bind or terminal.environment.get("KEEPER_BIND", ""))
    stop = Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    with open_manager(options, terminal.environment, events=events) as manager:
        keeper = Keeper(
            store_of(manager),
            database.transaction,
            holder=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}",
            faults=database.faults,
            events=events,
        )
        try:
            if options.once:
                return _report(keeper.work(), terminal)
            keeper.run(stop, every=options.every)
        finally:
            keeper.release()
            database.close()
    return DONE


def _report(done: Pass, terminal: Terminal) -> int:
    if done.failed:
        terminal.complain(f"no answer in: {', '.join(done.failed)}; the next pass tries again")
        return UNAVAILABLE
    if not done.leading:
        terminal.say("  another keeper has the lease; nothing was done")
    else:
        terminal.say(
            f"  {done.ended} ended, {done.carried} carried, {done.confirmed} confirmed, "
            f"{done.reapplied} applied again, {done.purged} purged"
        )
    return DONE


def _listen(bind: str) -> Events:
    """Prometheus metrics, where they are wanted. Raises ``InvalidSettings``."""
    if not bind:
        return Events()
    host, _, port = bind.rpartition(":")
    if not host or not port.isdecimal():
        raise InvalidSettings(("--metrics-bind or KEEPER_BIND is not host:port",))
    try:
        from prometheus_client import start_http_server
    except ImportError as cause:
        raise InvalidSettings(
            ("--metrics-bind needs the extra: pip install 'polysession[prometheus]'",)
        ) from cause
    from ..telemetry.prometheus import PrometheusEvents

    start_http_server(int(port), addr=host.strip("[]"))
    return PrometheusEvents()
