"""An account: the principal of sessions."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Upper

USERNAME_PATTERN = r"^[A-Za-z0-9_.-]+$"


class AccountManager(BaseUserManager["Account"]):
    def create_user(self, username: str, email: str, password: str | None = None, **fields: Any) -> Account:
        account = self.model(username=username, email=email, **fields)
        account.set_password(password)
        account.save(using=self._db)
        return account

    def create_superuser(
        self, username: str, email: str, password: str | None = None, **fields: Any
    ) -> Account:
        return self.create_user(
            username, email, password, **{"is_staff": True, "is_superuser": True, **fields}
        )

    def get_by_natural_key(self, username: str | None) -> Account:
        """By username, in whatever case: `Ada` and `ada` are one."""
        return self.get(username__iexact=username)


class Account(AbstractBaseUser, PermissionsMixin):
    """``session_generation`` is the truth of the principal's generation: raising it ends every session at once."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    username = models.CharField(max_length=32, validators=[RegexValidator(USERNAME_PATTERN)])
    email = models.EmailField(max_length=254)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    session_generation = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["email"]
    objects = AccountManager()

    class Meta:
        constraints = [
            # UPPER, as Django's iexact asks: the constraint's index serves the look-up.
            models.UniqueConstraint(Upper("username"), name="account_username_unique"),
            models.UniqueConstraint(Upper("email"), name="account_email_unique"),
        ]

    def __str__(self) -> str:
        return self.username

    def get_session_auth_hash(self) -> str:
        """The same for life, not Django's hash of the password: what ends sessions is the generation.

        By Django's a request under way while the password changes (session read before, account after) would end the
        very session that is to stay; and the request to change it could not be repeated after a 503.
        """
        return str(self.pk)
