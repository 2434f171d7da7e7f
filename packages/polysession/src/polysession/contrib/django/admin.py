"""Where a user is signed in, on that user's page in the admin: ``class MyUserAdmin(SessionsAdmin, UserAdmin)``.

Who may change the user sees the live sessions and may end one or all; the user's history says who did. With the ledger's
app installed, those that ended of late are shown, too. Needs ``polysession.contrib.django`` in ``INSTALLED_APPS``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django.apps import apps
from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core import checks
from django.core.exceptions import PermissionDenied
from django.db import Error as DatabaseFault
from django.http import Http404, HttpRequest, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.loader import select_template
from django.urls import path, reverse
from django.utils.translation import gettext as _

from polysession.core.errors import StoreUnavailable
from polysession.core.manager import SessionInfo

from .ending import end_sessions, principal_of
from .manager import get_manager
from .session import SessionStore

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    _Base = ModelAdmin[Any]
else:
    _Base = object

ENDED_SHOWN = 20  # of late, from the ledger


@dataclass(frozen=True, slots=True)
class Live:
    """One row of the page. ``current``: it is the session of who looks at it."""

    id: str
    user_agent: str
    address: str
    created_at: datetime
    last_seen_at: datetime
    current: bool


@dataclass(frozen=True, slots=True)
class Ended:
    id: str
    created_at: datetime
    ended_at: datetime
    reason: str


class SessionsAdmin(_Base):
    """Before the ``ModelAdmin`` of the user model."""

    change_form_template: ClassVar[str | None] = "polysession/change_form.html"  # pyright: ignore[reportIncompatibleVariableOverride]

    def end_sessions(self, _request: HttpRequest, user: Any, *, keep: str | None) -> bool:
        """What "End all" does; ``keep``: the session of who asks, on the own page. See ``ending.end_sessions``."""
        return end_sessions(user, keep=keep)

    def check(self, **given: Any) -> list[checks.CheckMessage]:
        found: list[checks.CheckMessage] = super().check(**given)
        if not apps.is_installed("polysession.contrib.django"):
            what = "The sessions of a user need the app's templates and style."
            hint = "Add 'polysession.contrib.django' to INSTALLED_APPS."
            found.append(checks.Error(what, hint=hint, obj=type(self), id="polysession.E010"))
        return found

    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_end_sessions"
        view = self.admin_site.admin_view(self.end_sessions_view)
        return [path("<path:object_id>/sessions/end/", view, name=name), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> Any:
        context = dict(extra_context or {})
        user = self.get_object(request, unquote(object_id)) if request.method == "GET" else None
        if user is not None and self.has_change_permission(request, user):
            context["sessions"] = self._sessions_context(request, user)
        return super().change_view(request, object_id, form_url, context)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *given: Any, **named: Any
    ) -> Any:
        context.setdefault("sessions_parent", select_template(self._parents()))
        return super().render_change_form(request, context, *given, **named)

    def end_sessions_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Ends ``session_id``, or all where that is empty; then the user's page again. CSRF by ``admin_view``."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        user = self.get_object(request, unquote(object_id))
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        if user is None:
            raise Http404
        session_id = request.POST.get("session_id", "")
        try:
            level, text = self._end(request, user, session_id)
        except StoreUnavailable:
            level, text = messages.ERROR, _("The session store gave no answer. Try again.")
        messages.add_message(request, level, text)
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return HttpResponseRedirect(reverse(name, args=[object_id], current_app=self.admin_site.name))

    def _end(self, request: HttpRequest, user: Any, session_id: str) -> tuple[int, str]:
        own = _own_session_id(request)
        if session_id:
            if session_id == own:
                return messages.ERROR, _("That is your own session: sign out instead.")
            ending = get_manager().end_session(principal_of(user), session_id)
            if not ending:
                return messages.WARNING, _("There is no such session: it may have ended already.")
            confirmed, what = ending.confirmed, f"Ended session {session_id}."
        else:
            keep = own if str(request.user.pk) == str(user.pk) else None
            confirmed = self.end_sessions(request, user, keep=keep)
            what = "Ended all other sessions." if keep else "Ended all sessions."
        self.log_change(request, user, what)
        if not confirmed:
            return messages.WARNING, _("Ended; the session store has not confirmed it yet.")
        return messages.SUCCESS, _("The session has ended.") if session_id else _("The sessions have ended.")

    def _parents(self) -> list[str]:
        """What Django itself would have taken."""
        app = self.opts.app_label
        return [
            f"admin/{app}/{self.opts.model_name}/change_form.html",
            f"admin/{app}/change_form.html",
            "admin/change_form.html",
        ]

    def _sessions_context(self, request: HttpRequest, user: Any) -> dict[str, Any]:
        principal, own = principal_of(user), _own_session_id(request)
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_end_sessions"
        context: dict[str, Any] = {
            "end_url": reverse(name, args=[user.pk], current_app=self.admin_site.name),
            "own_page": str(request.user.pk) == str(user.pk),
            "unavailable": False,
            "live": [],
            "ended": _ended(principal),
        }
        try:
            context["live"] = [_live(one, own) for one in get_manager().sessions(principal)]
        except StoreUnavailable:
            context["unavailable"] = True
        return context


def _own_session_id(request: HttpRequest) -> str | None:
    store = getattr(request, "session", None)
    return store.session.id if isinstance(store, SessionStore) else None


def _live(one: SessionInfo, own: str | None) -> Live:
    return Live(
        one.id,
        one.device.user_agent,
        one.device.address,
        _time(one.created_at),
        _time(one.last_seen_at),
        one.id == own,
    )


def _ended(principal: str) -> list[Ended] | None:
    """``None``: there is no ledger, or its database gave no answer: the page is there without it."""
    if not apps.is_installed("polysession.contrib.django.ledger"):
        return None
    from .ledger.models import LedgerRow

    rows = LedgerRow.objects.filter(principal=principal, ended_at__isnull=False).order_by("-ended_at")
    try:
        return [
            Ended(row.session_id, _time(row.created_at), _time(row.ended_at), row.end_reason or "")
            for row in rows[:ENDED_SHOWN]
            if row.ended_at is not None
        ]
    except DatabaseFault:
        return None


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
