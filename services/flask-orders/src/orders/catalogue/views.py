"""``/api/orders/products``: asks no session, so it answers while the session store is away."""

from __future__ import annotations

from typing import Any

from orders.api import Blueprint
from orders.catalogue.model import Product, find_product, list_categories, search_products
from orders.catalogue.schema import ProductListSchema, ProductQuerySchema, ProductSchema
from orders.parts import parts
from orders.problems import Refusal

blueprint = Blueprint(
    "catalogue", __name__, url_prefix="/api/orders/products", description="What the shop sells."
)


@blueprint.route("")
@blueprint.operation("listProducts")
@blueprint.arguments(ProductQuerySchema, location="query")
@blueprint.response(200, ProductListSchema, description="Products.")
def list_products(asked: dict[str, str]) -> dict[str, Any]:
    """The catalogue"""
    with parts().database.begin() as session:
        # PostgreSQL's text cannot hold NUL, so nothing matches it.
        storable = "\0" not in asked["query"] + asked["category"]
        found = search_products(session, words=asked["query"], category=asked["category"]) if storable else ()
        return {"items": found, "categories": list_categories(session)}


@blueprint.route("/<sku:sku>")
@blueprint.operation("getProduct")
@blueprint.response(200, ProductSchema, description="The product.")
@blueprint.refusal(404, "No such product.")
def get_product(sku: str) -> Product:
    """One product"""
    with parts().database.begin() as session:
        product = find_product(session, sku)
    if product is None:
        raise Refusal(404, "There is no such product. GET /api/orders/products lists all.")
    return product
