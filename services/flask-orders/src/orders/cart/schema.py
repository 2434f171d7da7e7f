"""The cart in the API."""

from __future__ import annotations

from marshmallow import fields, validate

from orders.money import MoneySchema
from orders.schema import Schema

MOST = 99


class LineSchema(Schema):
    sku = fields.String(required=True)
    name = fields.String(required=True)
    image = fields.String(required=True)
    price = fields.Nested(MoneySchema, required=True)
    quantity = fields.Integer(required=True)
    subtotal = fields.Nested(MoneySchema, required=True)


class CartSchema(Schema):
    items = fields.List(fields.Nested(LineSchema), required=True)
    count = fields.Integer(required=True)
    total = fields.Nested(MoneySchema, required=True)


class QuantitySchema(Schema):
    quantity = fields.Integer(required=True, strict=True, validate=validate.Range(min=1, max=MOST))
