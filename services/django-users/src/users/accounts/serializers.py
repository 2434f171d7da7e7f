"""What the API takes and gives of an account."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from users.accounts.models import USERNAME_PATTERN

MIN_PASSWORD, MAX_PASSWORD = 12, 128


def _password(**limits: int) -> serializers.CharField:
    # No trimming: a space is part of a password.
    return serializers.CharField(trim_whitespace=False, max_length=MAX_PASSWORD, **limits)


class AccountSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    username = serializers.CharField()
    email = serializers.EmailField()
    created_at = serializers.DateTimeField()


class NewAccountSerializer(serializers.Serializer[Any]):
    username = serializers.RegexField(USERNAME_PATTERN, min_length=3, max_length=32, trim_whitespace=False)
    email = serializers.EmailField(max_length=254, trim_whitespace=False)
    password = _password(min_length=MIN_PASSWORD)


class AccountChangeSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254, trim_whitespace=False)


class PasswordChangeSerializer(serializers.Serializer[Any]):
    current = _password(min_length=1)
    new = _password(min_length=MIN_PASSWORD)
