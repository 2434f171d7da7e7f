"""What other services ask about an account. Not by the edge: it knows no ``/internal/``."""

from __future__ import annotations

from functools import cache
from uuid import UUID

import structlog
from chassis.assertion import Verifier
from chassis.errors import InvalidAssertion
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from users.accounts.models import Account
from users.config import get_config
from users.problems import make_problem

AUDIENCE = "django-users"
_log = structlog.get_logger(__name__)


@cache
def get_verifier() -> Verifier:
    """Of this process; it reads a key again when its file changes."""
    return Verifier(get_config().assertion_public_keys_dir, AUDIENCE)


@csrf_exempt
@require_safe
def show_user(request: HttpRequest, id: str) -> HttpResponse:
    """The account, to a caller whose assertion (RFC 6750 bearer) is about this very ID. No session is looked at."""
    scheme, _, assertion = request.headers.get("Authorization", "").partition(" ")
    try:
        if scheme.lower() != "bearer":
            raise InvalidAssertion("there is none")
        claims = get_verifier().verify(assertion.strip(), id)
    except InvalidAssertion as error:
        _log.warning("assertion_refused", reason=error.reason)
        detail = "Send an assertion about this user that is meant for this service."
        return make_problem(401, detail, headers={"WWW-Authenticate": "Bearer"})
    try:
        account = Account.objects.get(pk=UUID(id))
    except (Account.DoesNotExist, ValueError):
        return make_problem(404, "There is no such user.")
    _log.info("user_shown", to=claims.issuer)
    return JsonResponse(
        {
            "id": str(account.pk),
            "username": account.username,
            "email": account.email,
            "is_active": account.is_active,
        },
        headers={"Cache-Control": "no-store"},
    )
