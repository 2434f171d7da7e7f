"""The catalogue in the API."""

from __future__ import annotations

from marshmallow import fields, validate

from orders.money import MoneySchema
from orders.schema import Schema


class ProductSchema(Schema):
    sku = fields.String(required=True)
    name = fields.String(required=True)
    category = fields.String(required=True)
    summary = fields.String(required=True)
    description = fields.String(required=True)
    price = fields.Nested(MoneySchema, required=True)
    stock = fields.Integer(required=True, validate=validate.Range(min=0))
    image = fields.String(required=True, metadata={"description": "A path on the shell's origin."})


class ProductListSchema(Schema):
    items = fields.List(fields.Nested(ProductSchema), required=True)
    categories = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Every category, whatever was asked for."},
    )


class ProductQuerySchema(Schema):
    query = fields.String(load_default="", validate=validate.Length(max=100))
    category = fields.String(load_default="", validate=validate.Length(max=40))
