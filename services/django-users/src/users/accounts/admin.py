"""Accounts in the admin. What ends sessions goes by the same rules as in the API."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserChangeForm, UserCreationForm
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from polysession.contrib.django.session import store_of

from users.accounts import rules
from users.accounts.models import Account


class NewAccountForm(UserCreationForm):
    class Meta:
        model = Account
        fields = ("username", "email")


class AccountForm(UserChangeForm):
    class Meta:
        model = Account
        fields = "__all__"


@admin.register(Account)
class AccountAdmin(UserAdmin):
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
        ("Sessions", {"fields": ("session_generation", "created_at", "last_login")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("username", "email", "password1", "password2")}),
    )

    def save_model(self, request: HttpRequest, obj: Account, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and "is_active" in form.changed_data and not obj.is_active:
            rules.end_sessions(obj, keep=None)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponseBase:
        before = Account.objects.filter(pk=id).values_list("password", flat=True).first()
        response = super().user_change_password(request, id, form_url)
        account = Account.objects.filter(pk=id).first()
        if account is not None and account.password != before:
            own = account.pk == request.user.pk
            rules.end_sessions(account, keep=store_of(request).session.id if own else None)
        return response


admin.site.site_header = "Almanac accounts"
admin.site.site_title = "Almanac accounts"
admin.site.index_title = "Accounts"
