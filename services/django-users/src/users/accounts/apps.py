"""The app that owns the account, and the admin with its site."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class AccountsConfig(AppConfig):
    name = "users.accounts"
    label = "accounts"
    default = True


class AccountsAdminConfig(AdminConfig):
    default_site = "users.accounts.site.AccountsSite"
