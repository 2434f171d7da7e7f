"""Accounts in the admin. What ends sessions goes by the same rules as in the API."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserChangeForm, UserCreationForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from polysession.contrib.django.admin import SessionsAdmin

from users.accounts import rules
from users.accounts.models import Account
from users.accounts.site import end_after_change


class NewAccountForm(UserCreationForm):
    class Meta:
        model = Account
        fields = ("username", "email")


class AccountForm(UserChangeForm):
    class Meta:
        model = Account
        fields = "__all__"


@admin.register(Account)
class AccountAdmin(SessionsAdmin, UserAdmin):
    form = AccountForm
    add_form = NewAccountForm
    list_display = ("username", "email", "is_active", "is_staff", "created_at", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("username", "email")
    ordering = ("-created_at",)
    readonly_fields = ("id", "session_generation", "created_at", "last_login")
    filter_horizontal = ("groups", "user_permissions")
    fieldsets = (
        (None, {"fields": ("id", "username", "email", "password")}),
        ("Access", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Sign-in", {"fields": ("session_generation", "created_at", "last_login")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("username", "email", "password1", "password2")}),
    )

    def save_model(self, request: HttpRequest, obj: Account, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and "is_active" in form.changed_data and not obj.is_active:
            rules.end_sessions(obj, keep=None)

    def delete_model(self, _request: HttpRequest, obj: Account) -> None:
        rules.delete(obj)

    def delete_queryset(self, _request: HttpRequest, queryset: QuerySet[Account]) -> None:
        for account in queryset:
            rules.delete(account)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponseBase:
        return end_after_change(
            request, id, lambda: super(AccountAdmin, self).user_change_password(request, id, form_url)
        )
