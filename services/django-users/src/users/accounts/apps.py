"""The app that owns the account."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "users.accounts"
    label = "accounts"
