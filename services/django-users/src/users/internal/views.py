"""What other services ask about an account or a session. Not by the edge: it knows no ``/internal/``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from uuid import UUID

import structlog
from chassis.assertion import Claims, Verifier
from chassis.errors import InvalidAssertion
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe
from polysession import StoreUnavailable
from polysession.contrib.django import get_manager
from polysession.contrib.django.ledger.ledger import DjangoLedger

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
    try:
        claims = _verify(request, id)
    except InvalidAssertion as error:
        return _refuse(error, "user")
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


@csrf_exempt
@require_POST
def restore_session(request: HttpRequest, id: str) -> HttpResponse:
    """200: the session is in the store again, read it there. 404: the ledger says no. 503: it cannot say.

    Body: ``secret_hash``, the hash of the token's secret by pepper ID (hexadecimal; the caller cannot know which pepper
    the row was made with), and ``rotation_count``. The token itself never travels. The assertion is about the session ID.
    """
    try:
        claims = _verify(request, id)
    except InvalidAssertion as error:
        return _refuse(error, "session")
    try:
        members = json.loads(request.body)
        hashes = {str(pepper): bytes.fromhex(text) for pepper, text in members["secret_hash"].items()}
        count = int(members["rotation_count"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return make_problem(400, "Send secret_hash (hexadecimal by pepper ID) and rotation_count.")
    try:
        restored = _restore(id, hashes)
    except StoreUnavailable as error:
        _log.warning("restore_unavailable", error=type(error).__name__)
        return make_problem(503, "The ledger cannot say. Try again.", headers={"Retry-After": "2"})
    _log.info(
        "session_restored" if restored else "session_not_restored", to=claims.issuer, rotation_count=count
    )
    if not restored:
        return make_problem(404, "There is no such live session.")
    return JsonResponse({"id": id}, headers={"Cache-Control": "no-store"})


def _restore(session_id: str, hashes: Mapping[str, bytes]) -> bool:
    context = get_manager().context
    ledger = context.ledger
    return isinstance(ledger, DjangoLedger) and ledger.restore_session(context, session_id, hashes)


def _verify(request: HttpRequest, subject: str) -> Claims:
    scheme, _, assertion = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise InvalidAssertion("there is none")
    return get_verifier().verify(assertion.strip(), subject)


def _refuse(error: InvalidAssertion, about: str) -> HttpResponse:
    _log.warning("assertion_refused", reason=error.reason)
    detail = f"Send an assertion about this {about} that is meant for this service."
    return make_problem(401, detail, headers={"WWW-Authenticate": "Bearer"})
