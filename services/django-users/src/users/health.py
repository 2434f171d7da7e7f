"""What the service needs to be well. Each check gives its connection back."""

from __future__ import annotations

from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor


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
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            raise SchemaOutdated
    finally:
        connection.close()


def close_pools() -> None:
    for one in connections.all(initialized_only=True):
        one.close()
        one.close_pool()  # type: ignore[attr-defined]  # of PostgreSQL
