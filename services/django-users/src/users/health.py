"""What the service needs to be well. Each check gives its connection back."""

from __future__ import annotations

from functools import cache

from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder


class SchemaOutdated(Exception):
    """Migrations are to be applied: ``python manage.py migrate``."""


def check_database() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()


def check_schema() -> None:
    """Every migration that this release knows is applied; a newer release's do not matter."""
    try:
        if not _known_migrations() <= MigrationRecorder(connection).applied_migrations().keys():
            raise SchemaOutdated
    finally:
        connection.close()


@cache
def _known_migrations() -> frozenset[tuple[str, str]]:
    """App and name. Reading them imports every migration, which is too dear for each check."""
    return frozenset(MigrationLoader(None).disk_migrations)


def close_pools() -> None:
    for one in connections.all(initialized_only=True):
        one.close()
        one.close_pool()  # type: ignore[attr-defined]  # of PostgreSQL
