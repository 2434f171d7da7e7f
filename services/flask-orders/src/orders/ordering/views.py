"""``/api/orders/orders``: for who is signed in."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from flask import Response
from polysession import PolysessionError, Session, SessionEnded
from polysession.contrib.flask import current_principal, current_session

from orders.api import Blueprint, sign_in_required
from orders.cart.cart import price_cart, quantities, remove_ordered
from orders.ordering import rules
from orders.ordering.checkout import CheckoutUnderWay, begin_checkout, end_checkout
from orders.ordering.model import Order
from orders.ordering.repository import find_order, list_orders
from orders.ordering.schema import KeySchema, NewOrderSchema, OrderListSchema, OrderSchema
from orders.parts import parts
from orders.problems import RETRY_AFTER_SECONDS, Refusal, make_problem
from orders.users_client import UsersUnavailable

blueprint = Blueprint(
    "orders",
    __name__,
    url_prefix="/api/orders/orders",
    description="What was ordered, by whoever is signed in.",
)


@blueprint.route("", methods=["POST"])
@blueprint.operation("placeOrder")
@blueprint.arguments(KeySchema, location="headers")
@blueprint.arguments(NewOrderSchema)
@blueprint.response(201, OrderSchema, description="The order; the same for the same Idempotency-Key.")
@blueprint.refusal(
    409,
    "The cart is not what was confirmed, or the stock does not suffice: `errors` names the SKUs. Or another tab is"
    " ordering this cart.",
)
@blueprint.refusal(422, "The Idempotency-Key was used with another body.")
@sign_in_required
def place_order(headers: dict[str, str], body: dict[str, Any]) -> Order:
    """Order what is in the cart"""
    confirmed: Counter[str] = Counter()
    for item in body["items"]:
        confirmed[item["sku"]] += item["quantity"]
    session = current_session()
    request = rules.Request(
        principal=_principal(),
        key=headers["key"],
        confirmed=dict(confirmed),
        in_cart=_sold(quantities(session)),
    )
    begin_checkout(session, request.key, now=time.time_ns() // 1_000_000)
    try:
        order = rules.place_order(
            request, parts().database, users=parts().users, now=lambda: datetime.now(UTC), new_id=uuid4
        )
    except Exception:
        _give_up(session, request.key)
        raise
    # The order stands. If this fails, the answer is 503, and the same request again finds the order and comes here.
    with suppress(SessionEnded):  # signed out elsewhere while it was placed: there is no cart any more
        remove_ordered(session, {line.sku: line.quantity for line in order.items})
        end_checkout(session, request.key)
        session.commit()
    return order


def _give_up(session: Session, key: str) -> None:
    """Nothing was ordered. That this cannot be said, too, is no other answer: the checkout ends by itself."""
    with suppress(PolysessionError):
        end_checkout(session, key)
        session.commit()


@blueprint.route("")
@blueprint.operation("listOrders")
@blueprint.response(200, OrderListSchema, description="Orders.")
@sign_in_required
def get_orders() -> dict[str, Any]:
    """The principal's orders, newest first"""
    with parts().database.begin() as database:
        return {"items": list_orders(database, _principal())}


@blueprint.route("/<uuid:id>")
@blueprint.operation("getOrder")
@blueprint.response(200, OrderSchema, description="The order.")
@blueprint.refusal(404, "No such order of this principal.")
@sign_in_required
def get_order(id: UUID) -> Order:
    """One of the principal's orders"""
    with parts().database.begin() as database:
        order = find_order(database, _principal(), id)
    if order is None:
        raise Refusal(404, "You have no such order. GET /api/orders/orders lists yours.")
    return order


def _principal() -> str:
    principal = current_principal()
    assert principal is not None, "sign_in_required stands in front of every view"
    return principal


def _sold(wanted: dict[str, int]) -> dict[str, int]:
    """What the cart shows: without what is no longer sold."""
    with parts().database.begin() as database:
        return {line.sku: line.quantity for line in price_cart(database, wanted).items}


@blueprint.answer_to(rules.CartDiffers)
def _answer_cart_differs(error: rules.CartDiffers) -> Response:
    detail = "Your cart changed since you looked at it. Look at it again, then confirm."
    return make_problem(
        409, detail, errors={sku: [f"In your cart: {n}."] for sku, n in error.in_cart.items()}
    )


@blueprint.answer_to(CheckoutUnderWay)
def _answer_checkout_under_way(_error: CheckoutUnderWay) -> Response:
    return make_problem(409, "This cart is being ordered in another tab. Look at it again, then confirm.")


@blueprint.answer_to(rules.OutOfStock)
def _answer_out_of_stock(error: rules.OutOfStock) -> Response:
    detail = "There is not enough of everything. Take less of what `errors` names, then confirm."
    return make_problem(409, detail, errors={sku: [f"In stock: {n}."] for sku, n in error.left.items()})


@blueprint.answer_to(rules.KeyReused)
def _answer_key_reused(_error: rules.KeyReused) -> Response:
    return make_problem(422, "This Idempotency-Key belongs to another order of yours. Draw a new one.")


@blueprint.answer_to(rules.UnknownPrincipal)
def _answer_unknown_principal(_error: rules.UnknownPrincipal) -> Response:
    return make_problem(401, "Your account is closed or disabled. Sign in with another one.")


@blueprint.answer_to(UsersUnavailable)
def _answer_users_unavailable(_error: UsersUnavailable) -> Response:
    detail = (
        "Your account could not be asked about. Nothing was ordered: repeat with the same Idempotency-Key."
    )
    return make_problem(503, detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
