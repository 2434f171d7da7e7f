"""What ordering asks of the database, each within the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import desc, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from orders.cart.cart import Line, Quantities
from orders.catalogue.model import Product, find_products
from orders.money import Money
from orders.ordering.model import Order, OrderLine

MOST_LISTED = 100


def insert_order(session: Session, order: Order) -> bool:
    """``False``: the principal has an order under this key. Waits while another transaction is making one."""
    columns = {column.name: getattr(order, column.name) for column in Order.__table__.columns}
    statement = (
        insert(Order).values(columns).on_conflict_do_nothing(constraint="orders_principal_idempotency_key")
    )
    return session.scalar(statement.returning(Order.id)) is not None


def insert_lines(session: Session, order_id: UUID, lines: Iterable[Line]) -> None:
    session.add_all(
        OrderLine(
            order_id=order_id,
            position=position,
            sku=line.sku,
            name=line.name,
            price_cents=line.price.amount,
            quantity=line.quantity,
        )
        for position, line in enumerate(lines)
    )


def reserve_stock(session: Session, wanted: Quantities) -> tuple[tuple[Line, ...], dict[str, int]]:
    """The lines at the prices of this moment, and what is short with what is left of it.

    Each product's row is locked in the order of SKUs, whatever the order of the cart: two orders cannot wait for each
    other. Where something is short, the caller rolls back.
    """
    reserved: dict[str, Line] = {}
    for sku in sorted(wanted):
        quantity = wanted[sku]
        statement = (
            update(Product)
            .where(Product.sku == sku, Product.stock >= quantity)
            .values(stock=Product.stock - quantity)
            .returning(Product.name, Product.price_cents)
        )
        row = session.execute(statement).one_or_none()
        if row is not None:
            reserved[sku] = Line(sku=sku, name=row.name, price=Money(row.price_cents), quantity=quantity)
    missing = [sku for sku in wanted if sku not in reserved]
    left = find_products(session, missing)
    short = {sku: left[sku].stock if sku in left else 0 for sku in missing}
    return tuple(reserved[sku] for sku in wanted if sku in reserved), short


def find_by_key(session: Session, principal: str, key: str) -> Order | None:
    statement = select(Order).where(Order.principal == principal, Order.idempotency_key == key)
    return session.scalar(statement)


def find_order(session: Session, principal: str, order_id: UUID) -> Order | None:
    return session.scalar(select(Order).where(Order.principal == principal, Order.id == order_id))


def list_orders(session: Session, principal: str) -> Sequence[Order]:
    """Newest first, at most ``MOST_LISTED``."""
    newest = (
        select(Order).where(Order.principal == principal).order_by(desc(Order.created_at), desc(Order.id))
    )
    return session.scalars(newest.limit(MOST_LISTED)).all()
