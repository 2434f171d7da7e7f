"""How a password becomes an account: for the API and the admin's form alike, with failures counted."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from users.accounts.models import Account
from users.sessions.throttle import get_throttle


class ThrottledBackend(ModelBackend):
    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **other: Any,
    ) -> Account | None:
        """Hashes once for a name that nobody has, too: the time tells nothing. Without a request (Django's test
        client) nothing is counted. Raises ``TooManyAttempts``, ``ThrottleUnavailable``.
        """
        if request is None or username is None:
            return super().authenticate(request, username, password, **other)
        address = request.META["REMOTE_ADDR"]
        get_throttle().check(username, address)
        account = super().authenticate(request, username, password, **other)
        if account is None:
            get_throttle().count_failure(username, address)
        return account
