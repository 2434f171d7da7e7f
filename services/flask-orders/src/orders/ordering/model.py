"""The orders' tables. A line keeps name and price as they were."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from orders.cart.cart import Line, count, total
from orders.database import Base
from orders.money import Money

PLACED = "placed"


class OrderLine(Base):
    __tablename__ = "order_lines"
    __table_args__ = (CheckConstraint("quantity > 0", name="order_lines_quantity_positive"),)

    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    sku: Mapped[str] = mapped_column(ForeignKey("products.sku"))
    name: Mapped[str] = mapped_column(Text)
    price_cents: Mapped[int] = mapped_column(Integer)
    quantity: Mapped[int] = mapped_column(Integer)


class Order(Base):
    """``idempotency_key`` names it for its principal; ``request_hash`` tells what was asked under that key."""

    __tablename__ = "orders"
    __table_args__ = (
        UniqueConstraint("principal", "idempotency_key", name="orders_principal_idempotency_key"),
        CheckConstraint(f"status IN ('{PLACED}')", name="orders_status"),
        Index("orders_principal_created_at", "principal", "created_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    principal: Mapped[str] = mapped_column(Text)
    idempotency_key: Mapped[str] = mapped_column(Text)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    status: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(Text)
    lines: Mapped[list[OrderLine]] = relationship(order_by=OrderLine.position, lazy="selectin")

    @property
    def items(self) -> tuple[Line, ...]:
        return tuple(
            Line(sku=line.sku, name=line.name, price=Money(line.price_cents), quantity=line.quantity)
            for line in self.lines
        )

    @property
    def count(self) -> int:
        return count(self.items)

    @property
    def total(self) -> Money:
        return total(self.items)
