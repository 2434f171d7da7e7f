"""Sign-up, and the account that is signed in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth import update_session_auth_hash
from polysession.contrib.django.session import store_of
from rest_framework.request import Request
from rest_framework.response import Response

from users.accounts import rules
from users.accounts.serializers import (
    AccountChangeSerializer,
    AccountSerializer,
    NewAccountSerializer,
    PasswordChangeSerializer,
)
from users.openapi import Answer, operation, problem
from users.sessions.authentication import public
from users.sessions.throttle import get_throttle
from users.views import View


class Accounts(View):
    @operation(
        "createAccount",
        "accounts",
        "Sign up",
        request=NewAccountSerializer,
        answers={
            201: Answer(AccountSerializer, "The account."),
            409: problem("The username or the email is taken; the field is named."),
        },
    )
    @public
    def post(self, request: Request) -> Response:
        given = NewAccountSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        account = rules.sign_up(
            given.validated_data["username"],
            given.validated_data["email"],
            password=given.validated_data["password"],
        )
        return Response(AccountSerializer(account).data, status=201)


class Me(View):
    @operation(
        "getMe",
        "accounts",
        "The account signed in",
        answers={200: Answer(AccountSerializer, "The account.")},
    )
    def get(self, request: Request) -> Response:
        return Response(AccountSerializer(request.user).data)

    @operation(
        "updateMe",
        "accounts",
        "Change the email; asks for the password again",
        request=AccountChangeSerializer,
        answers={
            200: Answer(AccountSerializer, "The account."),
            409: problem("The email is taken."),
            429: problem("Too many wrong passwords.", retries=True),
        },
    )
    def patch(self, request: Request) -> Response:
        given = AccountChangeSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        with _counting_wrong_passwords(request):
            account = rules.change_email(request.user, **given.validated_data)
        return Response(AccountSerializer(account).data)


class Password(View):
    @operation(
        "changePassword",
        "accounts",
        "Change the password; the token is rotated, every other session of the principal ends",
        request=PasswordChangeSerializer,
        answers={
            204: Answer(None, "Done.", sets_cookie=True),
            429: problem("Too many wrong passwords.", retries=True),
        },
    )
    def put(self, request: Request) -> Response:
        given = PasswordChangeSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        account, store = request.user, store_of(request._request)
        with _counting_wrong_passwords(request):
            rules.change_password(account, **given.validated_data, keep=store.session.id)
        # Now, not after the view: that the old token is refused from here on is part of the answer.
        update_session_auth_hash(request._request, account)
        store.commit()
        return Response(status=204)


@contextmanager
def _counting_wrong_passwords(request: Request) -> Iterator[None]:
    """Around what asks for the password again: as many as at a sign-in, by account and address. Raises
    ``TooManyAttempts``, ``Refused``.
    """
    whose = (request.user.username, request.META["REMOTE_ADDR"])
    get_throttle().check(*whose)
    try:
        yield
    except rules.WrongPassword as error:
        get_throttle().count_failure(*whose)
        raise rules.Refused({"current": ["This is not your password."]}) from error
