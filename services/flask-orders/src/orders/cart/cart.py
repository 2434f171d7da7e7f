"""The cart: a session attribute ``{sku: quantity}``.

Because it is a mapping, two tabs that change different lines at once both win; it comes along at sign-in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from polysession import Session
from sqlalchemy.orm import Session as DatabaseSession

from orders.catalogue.model import find_products, image_of
from orders.money import Money

ATTRIBUTE = "cart"

Quantities = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Line:
    """So many of one product, at its price."""

    sku: str
    name: str
    price: Money
    quantity: int

    @property
    def image(self) -> str:
        return image_of(self.sku)

    @property
    def subtotal(self) -> Money:
        return Money(self.price.amount * self.quantity)


@dataclass(frozen=True, slots=True)
class Cart:
    items: Sequence[Line]

    @property
    def count(self) -> int:
        return count(self.items)

    @property
    def total(self) -> Money:
        return total(self.items)


def count(lines: Iterable[Line]) -> int:
    return sum(line.quantity for line in lines)


def total(lines: Iterable[Line]) -> Money:
    return Money(sum(line.subtotal.amount for line in lines))


def quantities(session: Session) -> dict[str, int]:
    """As the session has it; empty when there is no session."""
    return dict(session.get(ATTRIBUTE) or {})


def price_cart(database: DatabaseSession, wanted: Quantities) -> Cart:
    """At today's prices, in the order in which things were put in. What is no longer sold is left out."""
    products = find_products(database, wanted)
    lines = [
        Line(sku=sku, name=products[sku].name, price=products[sku].price, quantity=quantity)
        for sku, quantity in wanted.items()
        if sku in products
    ]
    return Cart(lines)


def put_item(session: Session, sku: str, quantity: int) -> None:
    """Sets the quantity. The first one starts a session."""
    session[ATTRIBUTE] = {**quantities(session), sku: quantity}


def remove_item(session: Session, sku: str) -> None:
    """Harmless when it is not in the cart; never starts a session."""
    wanted = quantities(session)
    if wanted.pop(sku, None) is not None:
        session[ATTRIBUTE] = wanted


def remove_ordered(session: Session, ordered: Quantities) -> None:
    """Takes out the lines that were ordered; one whose quantity was changed since stays. Safe to repeat."""
    if not any(quantities(session).get(sku) == quantity for sku, quantity in ordered.items()):
        return

    def without_ordered(newest: Quantities | None) -> dict[str, int]:
        return {sku: quantity for sku, quantity in (newest or {}).items() if ordered.get(sku) != quantity}

    session.update(ATTRIBUTE, without_ordered, {})
