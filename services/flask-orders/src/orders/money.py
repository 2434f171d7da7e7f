"""Prices: whole cents of one currency. No floats, no arithmetic but sums and multiples."""

from __future__ import annotations

from dataclasses import dataclass

from marshmallow import fields, validate

from orders.schema import Schema

CURRENCY = "EUR"


@dataclass(frozen=True, slots=True)
class Money:
    amount: int
    currency: str = CURRENCY


class MoneySchema(Schema):
    amount = fields.Integer(required=True, metadata={"description": "Minor units: cents."})
    currency = fields.String(required=True, validate=validate.OneOf([CURRENCY]))
