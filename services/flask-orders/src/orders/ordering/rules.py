"""How an order is placed: once for an Idempotency-Key, of what the customer confirmed, while stock lasts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from orders.cart.cart import Quantities
from orders.database import Database
from orders.ordering.model import PLACED, Order
from orders.ordering.repository import find_by_key, insert_lines, insert_order, reserve_stock
from orders.users_client import User


class OrderingError(Exception):
    """Base of what keeps an order from being placed. Nothing was changed."""


class CartDiffers(OrderingError):
    """``in_cart``: by SKU in dispute, what the cart has of it."""

    def __init__(self, in_cart: Quantities) -> None:
        super().__init__("the cart is not what was confirmed")
        self.in_cart = in_cart


class OutOfStock(OrderingError):
    """``left``: by SKU that is short, how many there are."""

    def __init__(self, left: Quantities) -> None:
        super().__init__("the stock does not suffice")
        self.left = left


class KeyReused(OrderingError):
    """The Idempotency-Key names an order of other things."""


class UnknownPrincipal(OrderingError):
    """The account is gone or disabled, though its session still lives."""


class Users(Protocol):
    """Of the users service, what ordering needs; see ``users_client``."""

    def find(self, principal: str) -> User | None: ...


@dataclass(frozen=True, slots=True)
class Request:
    """``confirmed`` and ``in_cart``: quantities by SKU, what the customer saw and what the session has."""

    principal: str
    key: str
    confirmed: Quantities
    in_cart: Quantities

    @property
    def hash(self) -> bytes:
        """The same for the same quantities, in whatever order."""
        return hashlib.sha256(json.dumps(self.confirmed, sort_keys=True).encode()).digest()


def place_order(
    request: Request,
    database: Database,
    *,
    users: Users,
    now: Callable[[], datetime],
    new_id: Callable[[], UUID],
) -> Order:
    """The order; for the same key always the same one, also when two requests race with it.

    The session was read before this: an order whose key is unknown here has not emptied that cart. No transaction is
    open while the users service is asked. Raises ``OrderingError``, ``UsersUnavailable``, ``database.Unavailable``.
    """
    with database.begin() as session:
        earlier = find_by_key(session, request.principal, request.key)
    if earlier is not None:
        return _same(earlier, request)
    differing = _differences(request)
    if differing:
        raise CartDiffers(differing)
    user = users.find(request.principal)
    if user is None:
        raise UnknownPrincipal(request.principal)
    order = Order(
        id=new_id(),
        principal=request.principal,
        idempotency_key=request.key,
        request_hash=request.hash,
        created_at=now(),
        status=PLACED,
        email=user.email,
    )
    return _write(order, request, database)


def _write(order: Order, request: Request, database: Database) -> Order:
    with database.begin() as session:
        # First the order, then the stock: a second request with the same key waits here, holding nothing.
        if insert_order(session, order):
            lines, short = reserve_stock(session, request.confirmed)
            if short:
                raise OutOfStock(short)
            insert_lines(session, order.id, lines)
            session.flush()
        placed = find_by_key(session, request.principal, request.key)
    assert placed is not None, "it was inserted, or stood in the way of it"
    return _same(placed, request)


def _same(order: Order, request: Request) -> Order:
    if order.request_hash != request.hash:
        raise KeyReused(request.key)
    return order


def _differences(request: Request) -> dict[str, int]:
    skus = [*request.in_cart, *(sku for sku in request.confirmed if sku not in request.in_cart)]
    return {
        sku: request.in_cart.get(sku, 0)
        for sku in skus
        if request.in_cart.get(sku, 0) != request.confirmed.get(sku, 0)
    }
