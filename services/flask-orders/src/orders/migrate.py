"""``python -m orders.migrate [--wait SECONDS]``: the schema to the newest revision, the catalogue to ``seed.json``.

All in one transaction, under a lock: any number of releases may start at once, and a failure leaves what was there.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

import structlog
from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from chassis import logs
from chassis.errors import InvalidSettings
from chassis.settings import load
from sqlalchemy import URL, Connection, create_engine, pool, text
from sqlalchemy.exc import OperationalError

from orders.catalogue.seed import seed_catalogue
from orders.config import MigrationConfig
from orders.database import CONNECT_SECONDS, MIGRATIONS

LOCK = 0x6F7264657273  # "orders"
LOCK_WAIT = "60s"
TRY_SECONDS = 0.2

_log = structlog.get_logger(__name__)


def migrate(url: URL) -> int:
    """How many products were brought up to date. Repeats harmlessly; stock of known products is left alone.

    After a rollback the schema is a newer release's: it suits both, and stays as it is, like that release's catalogue.
    """
    alembic = AlembicConfig()
    alembic.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    engine = create_engine(url, poolclass=pool.NullPool, connect_args={"connect_timeout": CONNECT_SECONDS})
    with engine.begin() as connection:
        connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        alembic.attributes["connection"] = connection
        if _is_newer(connection, alembic):
            _log.info("schema_is_newer")
            return 0
        command.upgrade(alembic, "head")
        return seed_catalogue(connection)


def _is_newer(connection: Connection, alembic: AlembicConfig) -> bool:
    current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(alembic).walk_revisions()}
    return current is not None and current not in known


def migrate_when_up(url: URL, *, wait: float) -> int:
    """As ``migrate``; a database that does not answer yet is asked again for ``wait`` seconds. Nothing is half done."""
    until = time.monotonic() + wait
    while True:
        try:
            return migrate(url)
        except OperationalError as error:
            if error.statement is not None or time.monotonic() > until:  # a statement: it was connected
                raise
        time.sleep(TRY_SECONDS)


def main(arguments: Sequence[str] = ()) -> int:
    parser = argparse.ArgumentParser(prog="python -m orders.migrate")
    parser.add_argument("--wait", type=float, default=0, help="seconds to wait for the database to answer")
    wait = parser.parse_args(arguments).wait
    try:
        config = load(MigrationConfig)
    except InvalidSettings as error:
        print(error, file=sys.stderr)
        return 2
    logs.configure("flask-orders", config.log_level)
    try:
        products = migrate_when_up(config.sqlalchemy_url, wait=wait)
    except OperationalError as error:
        _log.error("migration_failed", error=str(error.orig))
        return 1
    _log.info("migrated", products=products)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
