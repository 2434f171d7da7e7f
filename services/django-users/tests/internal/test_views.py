"""What another service may ask, and with what proof."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from users.accounts.models import Account

Sign = Callable[[str, str], str]


@pytest.fixture
def account(new_person: Any) -> Account:
    return Account.objects.get(username=new_person().sign_up().name)


def ask(client: Any, id: object, assertion: str | None = None) -> Any:
    headers = {} if assertion is None else {"Authorization": f"Bearer {assertion}"}
    return client.get(f"/internal/users/{id}", headers=headers)


def test_a_good_assertion_gets_the_account(stranger: Any, account: Account, sign: Sign):
    answer = ask(stranger, account.pk, sign("django-users", str(account.pk)))
    assert answer.status_code == 200
    assert answer.json() == {
        "id": str(account.pk),
        "username": account.username,
        "email": account.email,
        "is_active": True,
    }


def test_an_account_that_is_not_there_is_404(stranger: Any, sign: Sign, problem: Any):
    for id in (str(uuid.uuid4()), "nonsense"):
        problem(ask(stranger, id, sign("django-users", id)), 404)


def test_a_session_is_no_proof(person: Any, staff: Any, problem: Any):
    account = Account.objects.get(username=person.name)
    for who in (person, staff):
        problem(ask(who, account.pk), 401)


def test_a_disabled_account_says_so(stranger: Any, account: Account, sign: Sign):
    Account.objects.filter(pk=account.pk).update(is_active=False)
    answer = ask(stranger, account.pk, sign("django-users", str(account.pk)))
    assert answer.json()["is_active"] is False


def test_an_assertion_for_another_audience_or_subject_is_401(
    stranger: Any, account: Account, sign: Sign, problem: Any
):
    problem(ask(stranger, account.pk, sign("flask-orders", str(account.pk))), 401)
    problem(ask(stranger, account.pk, sign("django-users", str(uuid.uuid4()))), 401)


@pytest.mark.parametrize(
    "change",
    [
        {"exp": -10, "iat": -40},
        {"exp": 3600},
        {"iss": "somebody"},
        {"exp": None},
        {"jti": None},
    ],
)
def test_an_assertion_that_is_old_too_long_or_incomplete_is_401(
    stranger: Any, account: Account, problem: Any, folder: Path, change: dict[str, Any]
):
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": "flask-orders",
        "aud": "django-users",
        "sub": str(account.pk),
        "iat": now,
        "exp": now + 30,
        "jti": "1",
    }
    for name, value in change.items():
        claims[name] = now + value if isinstance(value, int) else value
    claims = {name: value for name, value in claims.items() if value is not None}
    key = (folder / "flask-orders.pem").read_text()
    problem(ask(stranger, account.pk, jwt.encode(claims, key, "EdDSA", headers={"kid": "flask-orders"})), 401)


def test_another_key_and_another_algorithm_are_401(stranger: Any, account: Account, problem: Any):
    now = int(time.time())
    claims = {
        "iss": "flask-orders",
        "aud": "django-users",
        "sub": str(account.pk),
        "iat": now,
        "exp": now + 30,
        "jti": "1",
    }
    headers = {"kid": "flask-orders"}
    problem(
        ask(stranger, account.pk, jwt.encode(claims, Ed25519PrivateKey.generate(), "EdDSA", headers=headers)),
        401,
    )
    problem(ask(stranger, account.pk, jwt.encode(claims, "k" * 32, "HS256", headers=headers)), 401)
    problem(ask(stranger, account.pk, "nonsense"), 401)


def test_it_answers_to_nothing_but_get(stranger: Any, account: Account, sign: Sign):
    headers = {"Authorization": f"Bearer {sign('django-users', str(account.pk))}"}
    assert stranger.post(f"/internal/users/{account.pk}", headers=headers).status_code == 405
