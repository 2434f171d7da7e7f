"""The admin's site: its own "change password" page goes by the rules as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from polysession.contrib.django.session import store_of


class AccountsSite(AdminSite):
    site_header = site_title = "Almanac accounts"
    index_title = "Accounts"

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponseBase:
        return end_after_change(
            request,
            str(request.user.pk),
            lambda: super(AccountsSite, self).password_change(request, extra_context),
        )


def end_after_change(
    request: HttpRequest, id: str, answer: Callable[[], HttpResponseBase]
) -> HttpResponseBase:
    """When ``answer`` changed the account's password, its sessions end: all but this one, if it is one's own."""
    from users.accounts import rules  # models are not loaded yet when Django imports the site
    from users.accounts.models import Account

    before = Account.objects.filter(pk=id).values_list("password", flat=True).first()
    response = answer()
    account = Account.objects.filter(pk=id).first()
    if account is not None and account.password != before:
        own = account.pk == request.user.pk
        rules.end_sessions(account, keep=store_of(request).session.id if own else None)
    return response
