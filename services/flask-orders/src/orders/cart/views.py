"""``/api/orders/cart``: for everybody, signed in or not."""

from __future__ import annotations

from polysession.contrib.flask import current_session

from orders.api import Blueprint
from orders.cart.cart import Cart, price_cart, put_item, quantities, remove_item
from orders.cart.schema import CartSchema, QuantitySchema
from orders.catalogue.model import find_product
from orders.parts import parts
from orders.problems import Refusal

blueprint = Blueprint(
    "cart",
    __name__,
    url_prefix="/api/orders/cart",
    description="What is about to be ordered: part of the session.",
)

SET_COOKIE = {"Set-Cookie": {"description": "The session cookie.", "schema": {"type": "string"}}}


@blueprint.route("")
@blueprint.operation("getCart")
@blueprint.response(200, CartSchema, description="The cart.")
def get_cart() -> Cart:
    """The session's cart; empty when there is no session"""
    return _cart()


@blueprint.route("/items/<sku:sku>", methods=["PUT"])
@blueprint.operation("putCartItem")
@blueprint.arguments(QuantitySchema)
@blueprint.response(200, CartSchema, description="The cart.", headers=SET_COOKIE)
@blueprint.refusal(404, "No such product.")
def put_cart_item(asked: dict[str, int], sku: str) -> Cart:
    """Set a quantity; the first one starts an anonymous session"""
    with parts().database.begin() as database:
        if find_product(database, sku) is None:
            raise Refusal(404, "There is no such product. GET /api/orders/products lists all.")
    session = current_session()
    put_item(session, sku, asked["quantity"])
    session.commit()  # now, so that the answer shows what another tab put in meanwhile
    return _cart()


@blueprint.route("/items/<sku:sku>", methods=["DELETE"])
@blueprint.operation("deleteCartItem")
@blueprint.response(200, CartSchema, description="The cart.")
@blueprint.refusal(404, "Not the SKU of any product: it has characters that none has.")
def delete_cart_item(sku: str) -> Cart:
    """Take a product out; harmless when repeated"""
    session = current_session()
    remove_item(session, sku)
    session.commit()
    return _cart()


def _cart() -> Cart:
    wanted = quantities(current_session())
    if not wanted:
        return Cart(())
    with parts().database.begin() as database:
        return price_cart(database, wanted)
