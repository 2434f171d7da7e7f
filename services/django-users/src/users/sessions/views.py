"""Sign-in, sign-out, and where one is signed in."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate, get_user, login, logout
from drf_spectacular.utils import OpenApiParameter
from polysession import StoreUnavailable
from polysession.contrib.django import csrf_token, get_manager
from polysession.contrib.django.session import store_of
from polysession.core.errors import LedgerUnavailable
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from users.accounts import rules
from users.openapi import Answer, operation, problem
from users.problems import NotSignedIn
from users.sessions.authentication import public
from users.sessions.serializers import (
    CredentialsSerializer,
    CsrfSerializer,
    CurrentSessionSerializer,
    ScopeSerializer,
    SessionListSerializer,
    to_datetime,
)
from users.views import View

PENDING = "Ended in the ledger; the session store has not confirmed it yet. It is repeated until it has."


class Sessions(View):
    @operation(
        "signIn",
        "sessions",
        "Sign in",
        request=CredentialsSerializer,
        answers={
            201: Answer(CurrentSessionSerializer, "Signed in.", sets_cookie=True),
            401: problem("Username or password is wrong; which is not said."),
            409: problem(
                "Signed in on as many devices as allowed, and the policy is to refuse; sign out on one."
            ),
            429: problem("Too many failed sign-ins for this account or address.", retries=True),
        },
    )
    @public
    def post(self, request: Request) -> Response:
        given = CredentialsSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        account = authenticate(request._request, **given.validated_data)
        if account is None:
            raise NotSignedIn(None, "The username or the password is wrong.")
        login(request._request, account)
        store_of(request._request).commit()
        return Response(describe(request, account), status=201)

    @operation(
        "listSessions",
        "sessions",
        "Where the principal is signed in",
        answers={200: Answer(SessionListSerializer, "This principal's sessions, newest activity first.")},
    )
    def get(self, request: Request) -> Response:
        current = store_of(request._request).session.id
        items = [
            {
                "id": one.id,
                "current": one.id == current,
                "created_at": to_datetime(one.created_at),
                "last_seen_at": to_datetime(one.last_seen_at),
                "user_agent": one.device.user_agent,
                "address": one.device.address,
            }
            for one in get_manager().sessions(str(request.user.pk))
        ]
        return Response(SessionListSerializer({"items": items}).data)

    @operation(
        "endSessions",
        "sessions",
        "Sign out on other devices, or on all",
        parameters=[
            OpenApiParameter("scope", str, OpenApiParameter.QUERY, required=True, enum=["others", "all"])
        ],
        answers={
            202: Answer(None, PENDING),
            204: Answer(None, "Ended."),
            400: problem("A field is missing or wrong."),
        },
    )
    def delete(self, request: Request) -> Response:
        given = ScopeSerializer(data=request.query_params)
        given.is_valid(raise_exception=True)
        others = given.validated_data["scope"] == "others"
        keep = store_of(request._request).session.id if others else None
        try:
            confirmed = rules.end_sessions(request.user, keep=keep)
        except LedgerUnavailable:
            raise
        except StoreUnavailable:
            confirmed = False  # committed in PostgreSQL: the keeper repeats it
        if not others:
            logout(request._request)  # clears the cookie; its session has ended with the others
        return Response(status=204 if confirmed else 202)


class CurrentSession(View):
    @operation(
        "getCurrentSession",
        "sessions",
        "The session of this request; nulls when there is none",
        answers={200: Answer(CurrentSessionSerializer, "The session.")},
    )
    @public
    def get(self, request: Request) -> Response:
        account = get_user(request._request)
        return Response(describe(request, account if account.is_authenticated else None))

    @operation(
        "signOut",
        "sessions",
        "Sign out here; harmless when repeated",
        answers={
            202: Answer(None, PENDING, sets_cookie=True),
            204: Answer(None, "Ended, the cookie is cleared.", sets_cookie=True),
        },
    )
    @public
    def delete(self, request: Request) -> Response:
        session = store_of(request._request).session
        try:
            logout(request._request)
        except LedgerUnavailable:
            raise
        except StoreUnavailable:
            session.end()  # by the ledger alone, which the keeper carries on
        return Response(status=204 if session.end_confirmed else 202)


class OneSession(View):
    @operation(
        "endSession",
        "sessions",
        "End one of the principal's sessions",
        answers={
            202: Answer(None, PENDING),
            204: Answer(None, "Ended."),
            404: problem("No such session of this principal."),
        },
    )
    def delete(self, request: Request, id: str) -> Response:
        session = store_of(request._request).session
        if id == session.id:
            logout(request._request)
            confirmed = session.end_confirmed
        elif ending := get_manager().end_session(str(request.user.pk), id):
            confirmed = ending.confirmed
        else:
            raise NotFound(
                "You have no such session: it may have ended already. GET /api/users/sessions lists them."
            )
        return Response(status=204 if confirmed else 202)


class Csrf(View):
    @operation(
        "getCsrf",
        "sessions",
        "The CSRF token for unsafe requests to both services",
        answers={
            200: Answer(
                CsrfSerializer, "The token. Before a session it is bound to a cookie of its own, set here."
            )
        },
    )
    @public
    def get(self, request: Request) -> Response:
        return Response({"csrf_token": csrf_token(request._request)})


def describe(request: Request, account: object | None) -> dict[str, Any]:
    """The session after what this request did to it; nulls when there is none."""
    store = store_of(request._request)
    store.ask()
    session = store.session
    if not session.exists:
        nothing = dict.fromkeys(("id", "csrf_token", "account", "idle_expires_at", "absolute_expires_at"))
        return {**nothing, "end_reason": session.end_reason}
    return CurrentSessionSerializer(
        {
            "id": session.id,
            "csrf_token": csrf_token(request._request),
            "account": account,
            "idle_expires_at": to_datetime(session.idle_expires_at),
            "absolute_expires_at": to_datetime(session.absolute_expires_at),
            "end_reason": None,
        }
    ).data
