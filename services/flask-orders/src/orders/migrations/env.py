"""Alembic's entry. The connection, its transaction and its lock come from ``orders.migrate``."""

from __future__ import annotations

import orders.ordering.model  # noqa: F401  (tables; brings the catalogue's along)
from alembic import context
from orders.database import Base

connection = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit(
        "Run python -m orders.migrate. To write a revision: alembic revision -m '...' --rev-id NNNN"
    )
context.configure(connection=connection, target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
