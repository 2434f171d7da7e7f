"""Orders in the API."""

from __future__ import annotations

from marshmallow import fields, validate

from orders.cart.schema import MOST, LineSchema
from orders.money import MoneySchema
from orders.ordering.model import PLACED
from orders.schema import Schema


class NewLineSchema(Schema):
    sku = fields.String(required=True)
    quantity = fields.Integer(required=True, strict=True, validate=validate.Range(min=1, max=MOST))


class NewOrderSchema(Schema):
    class Meta(Schema.Meta):
        description = "What the customer confirmed: it must equal the session's cart."

    items = fields.List(fields.Nested(NewLineSchema), required=True, validate=validate.Length(min=1, max=100))


class KeySchema(Schema):
    key = fields.String(
        required=True,
        data_key="Idempotency-Key",
        validate=[validate.Length(min=8, max=64), validate.Regexp(r"^[A-Za-z0-9_-]+$")],
    )


class OrderSchema(Schema):
    id = fields.UUID(required=True)
    created_at = fields.AwareDateTime(required=True)
    status = fields.String(required=True, validate=validate.OneOf([PLACED]))
    email = fields.Email(
        required=True,
        metadata={"description": "Where the confirmation goes; asked of the users service."},
    )
    items = fields.List(fields.Nested(LineSchema), required=True)
    count = fields.Integer(required=True)
    total = fields.Nested(MoneySchema, required=True)


class OrderListSchema(Schema):
    items = fields.List(fields.Nested(OrderSchema), required=True)
