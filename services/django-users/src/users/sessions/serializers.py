"""What the API takes and gives of a session. Times leave as RFC 3339 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from polysession.core.record import END_REASONS
from rest_framework import serializers

from users.accounts.serializers import MAX_PASSWORD, AccountSerializer, InputSerializer

END_REASON_CHOICES = [(reason, reason) for reason in END_REASONS]
SESSION_ID = r"^[A-Za-z0-9_-]{16}$"


def to_datetime(milliseconds: int) -> datetime | None:
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None


class CredentialsSerializer(InputSerializer):
    username = serializers.CharField(min_length=1, max_length=150, trim_whitespace=False)
    password = serializers.CharField(min_length=1, max_length=MAX_PASSWORD, trim_whitespace=False)


class CurrentSessionSerializer(serializers.Serializer[Any]):
    id = serializers.RegexField(
        SESSION_ID, allow_null=True, help_text="The session ID: a name, not a secret."
    )
    csrf_token = serializers.CharField(allow_null=True)
    account = AccountSerializer(allow_null=True)
    idle_expires_at = serializers.DateTimeField(allow_null=True)
    absolute_expires_at = serializers.DateTimeField(allow_null=True)
    end_reason = serializers.ChoiceField(choices=END_REASON_CHOICES, allow_null=True)


class SessionSerializer(serializers.Serializer[Any]):
    id = serializers.RegexField(SESSION_ID, help_text="The session ID: a name, not a secret.")
    current = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    user_agent = serializers.CharField(allow_blank=True)
    address = serializers.CharField(allow_blank=True)


class SessionListSerializer(serializers.Serializer[Any]):
    items = SessionSerializer(many=True)


class CsrfSerializer(serializers.Serializer[Any]):
    csrf_token = serializers.CharField()


class ScopeSerializer(serializers.Serializer[Any]):
    scope = serializers.ChoiceField(choices=["others", "all"])
