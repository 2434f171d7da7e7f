"""What the API takes and gives of an account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from users.accounts.models import USERNAME_PATTERN

MIN_PASSWORD, MAX_PASSWORD = 12, 128


def _password(**limits: int) -> serializers.CharField:
    # No trimming: a space is part of a password.
    return serializers.CharField(trim_whitespace=False, max_length=MAX_PASSWORD, **limits)


# A comment, for a docstring would be each body's description in the OpenAPI document: Django REST framework takes a
# number for a text, so that 12 would sign up as "12". Here it is refused.
class InputSerializer(serializers.Serializer[Any]):
    def to_internal_value(self, data: Any) -> Any:
        texts = (name for name, field in self.fields.items() if isinstance(field, serializers.CharField))
        given = data if isinstance(data, Mapping) else {}
        faults = {
            name: ["This must be a string."] for name in texts if not isinstance(given.get(name, ""), str)
        }
        if faults:
            raise serializers.ValidationError(faults)
        return super().to_internal_value(data)


class AccountSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    username = serializers.CharField()
    email = serializers.EmailField()
    created_at = serializers.DateTimeField()


class NewAccountSerializer(InputSerializer):
    username = serializers.RegexField(USERNAME_PATTERN, min_length=3, max_length=32, trim_whitespace=False)
    email = serializers.EmailField(max_length=254, trim_whitespace=False)
    password = _password(min_length=MIN_PASSWORD)


class AccountChangeSerializer(InputSerializer):
    current = _password(min_length=1)
    email = serializers.EmailField(max_length=254, trim_whitespace=False)


class PasswordChangeSerializer(InputSerializer):
    current = _password(min_length=1)
    new = _password(min_length=MIN_PASSWORD)
