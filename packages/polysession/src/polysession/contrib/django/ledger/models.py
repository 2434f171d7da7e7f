"""The tables of ``stores.ledger``, for Django's migrations. Written by that SQL only.

Types of fields are spelled out: only a plugin of mypy's infers them, and an app need not have it.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class LedgerRow(models.Model):
    session_id: models.CharField[str, str] = models.CharField(max_length=16, primary_key=True)
    partition: models.IntegerField[int, int] = models.IntegerField()
    principal: models.CharField[str, str] = models.CharField(max_length=255)
    principal_key: models.CharField[str, str] = models.CharField(max_length=22)
    secret_hash: models.BinaryField[bytes, bytes | memoryview] = models.BinaryField()
    pepper_id: models.CharField[str, str] = models.CharField(max_length=1)
    previous_hash: models.BinaryField[bytes, bytes | memoryview] = models.BinaryField()
    rotation_count: models.IntegerField[int, int] = models.IntegerField()
    generation: models.BigIntegerField[int, int] = models.BigIntegerField()
    created_at: models.BigIntegerField[int, int] = models.BigIntegerField()
    authenticated_at: models.BigIntegerField[int, int] = models.BigIntegerField()
    last_seen_at: models.BigIntegerField[int, int] = models.BigIntegerField()
    checked_at: models.BigIntegerField[int, int] = models.BigIntegerField()
    idle: models.BigIntegerField[int, int] = models.BigIntegerField()
    absolute_at: models.BigIntegerField[int, int] = models.BigIntegerField()
    changed_at: models.BigIntegerField[int, int] = models.BigIntegerField()
    ended_at: models.BigIntegerField[int | None, int | None] = models.BigIntegerField(null=True)
    end_reason: models.CharField[str | None, str | None] = models.CharField(max_length=16, null=True)
    confirmed: models.BooleanField[bool, bool] = models.BooleanField()
    keep: models.BooleanField[bool | None, bool | None] = models.BooleanField(null=True)
    exchanged_at: models.BigIntegerField[int | None, int | None] = models.BigIntegerField(null=True)

    class Meta:
        db_table = "polysession_ledger"
        indexes: list[models.Index] = [
            models.Index(fields=["principal"], name="polysession_ledger_principal"),
            models.Index(fields=["changed_at"], name="polysession_ledger_changed"),
            models.Index(
                fields=["checked_at"], condition=Q(ended_at__isnull=True), name="polysession_ledger_live"
            ),
            models.Index(
                fields=["changed_at"], condition=Q(confirmed=False), name="polysession_ledger_pending"
            ),
        ]

    def __str__(self) -> str:
        return str(self.session_id)


class Lease(models.Model):
    name: models.CharField[str, str] = models.CharField(max_length=64, primary_key=True)
    holder: models.CharField[str, str] = models.CharField(max_length=64)
    until: models.BigIntegerField[int, int] = models.BigIntegerField()

    class Meta:
        db_table = "polysession_lease"

    def __str__(self) -> str:
        return str(self.name)
