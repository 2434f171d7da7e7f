"""The catalogue, brought up to date from ``seed.json`` at each migration. Stock of a known product is left alone."""

from __future__ import annotations

import json
from importlib import resources

from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from orders.catalogue.model import Product


def seed_catalogue(connection: Connection) -> int:
    """How many products there are. Idempotent. One that left the file stays: orders and carts may name it."""
    text = resources.files("orders.catalogue").joinpath("seed.json").read_text(encoding="utf-8")
    rows = [{"position": position, **product} for position, product in enumerate(json.loads(text))]
    statement = insert(Product).values(rows)
    kept = {"sku", "stock"}
    updates = {c.name: statement.excluded[c.name] for c in Product.__table__.columns if c.name not in kept}
    connection.execute(statement.on_conflict_do_update(index_elements=["sku"], set_=updates))
    return len(rows)
