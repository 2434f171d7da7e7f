"""Django's ``changepassword``, by our rules: a new password ends every session of the account."""

from __future__ import annotations

import getpass
from typing import Any

from django.contrib.auth.management.commands import changepassword
from django.db import transaction

from users.accounts import rules
from users.accounts.models import Account


class Command(changepassword.Command):
    def handle(self, *args: Any, **options: Any) -> str:
        """Raises ``StoreUnavailable`` after the password was changed: the keeper ends the sessions then."""
        name = options["username"] or getpass.getuser()  # as Django's has it
        with transaction.atomic():
            message: str = super().handle(*args, **options)
            rules.end_sessions(Account.objects.get_by_natural_key(name), keep=None)
        return message
