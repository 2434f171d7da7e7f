# mypy: disable-error-code="var-annotated"
# The library is checked without django-stubs' plugin, which infers the types of fields.
"""The tables of ``stores.ledger``, for Django's migrations. Written by that SQL only."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class LedgerRow(models.Model):
    session_id = models.CharField(max_length=16, primary_key=True)
    partition = models.IntegerField()
    principal = models.CharField(max_length=255)
    principal_key = models.CharField(max_length=22)
    secret_hash = models.BinaryField()
    pepper_id = models.CharField(max_length=1)
    previous_hash = models.BinaryField()
    rotation_count = models.IntegerField()
    generation = models.BigIntegerField()
    created_at = models.BigIntegerField()
    authenticated_at = models.BigIntegerField()
    last_seen_at = models.BigIntegerField()
    checked_at = models.BigIntegerField()
    idle = models.BigIntegerField()
    absolute_at = models.BigIntegerField()
    changed_at = models.BigIntegerField()
    ended_at = models.BigIntegerField(null=True)
    end_reason = models.CharField(max_length=16, null=True)
    confirmed = models.BooleanField()
    keep = models.BooleanField(null=True)
    exchanged_at = models.BigIntegerField(null=True)

    class Meta:
        db_table = "polysession_ledger"
        indexes = [
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
    name = models.CharField(max_length=64, primary_key=True)
    holder = models.CharField(max_length=64)
    until = models.BigIntegerField()

    class Meta:
        db_table = "polysession_lease"

    def __str__(self) -> str:
        return str(self.name)
