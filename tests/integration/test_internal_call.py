"""Flask asks Django on the way: only with an assertion for this one subject."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.person import Person


@pytest.fixture
def account(person: Person) -> Iterator[dict[str, str]]:
    person.sign_in()
    return person.http.get("/api/users/me").json()


@pytest.fixture
def ask(platform, account):
    url = f"http://127.0.0.1:{platform.layout.ports.users}/internal/users/{account['id']}"

    def ask(token: str | None) -> httpx.Response:
        return httpx.get(
            url, headers={} if token is None else {"Authorization": f"Bearer {token}"}, trust_env=False
        )

    return ask


@pytest.fixture
def sign(platform, account):
    path = platform.layout.secrets / "assertion" / "flask-orders.pem"

    def sign(key: object = None, *, kid: str = path.stem, algorithm: str = "EdDSA", **claims: object) -> str:
        now = datetime.now(UTC)
        body = {
            "iss": path.stem, "aud": "django-users", "sub": account["id"], "iat": now,
            "exp": now + timedelta(seconds=30), "jti": "x", **claims,
        }  # fmt: skip
        body = {name: value for name, value in body.items() if value is not None}
        return jwt.encode(body, key or path.read_bytes(), algorithm=algorithm, headers={"kid": kid})

    return sign


def test_the_assertion_of_the_orders_service_is_accepted(ask, sign, account):
    answer = ask(sign())
    assert answer.status_code == 200, answer.text
    assert answer.json()["email"] == account["email"]


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another-service"},
        {"sub": "00000000-0000-0000-0000-000000000000"},
        {"sub": None},
        {"iss": "somebody"},
        {"exp": datetime.now(UTC) - timedelta(minutes=1)},
        {"exp": None},
        {"exp": datetime.now(UTC) + timedelta(hours=1)},
    ],
    ids=str,
)
def test_an_assertion_for_anything_else_is_refused(ask, sign, claims):
    assert ask(sign(**claims)).status_code == 401


def test_no_assertion_a_foreign_key_and_an_unknown_caller_are_refused(ask, sign):
    assert ask(None).status_code == 401
    assert ask("x.y.z").status_code == 401
    assert ask(sign(Ed25519PrivateKey.generate())).status_code == 401
    assert ask(sign(kid="../flask-orders")).status_code == 401
    assert ask(sign("x" * 64, algorithm="HS256")).status_code == 401


def test_an_order_carries_the_email_that_only_the_users_service_knows(person: Person):
    person.sign_in()
    person.put_in_cart("steel-rule", 2)
    answer = person.order()
    assert answer.status_code == 201, answer.text
    assert answer.json()["email"] == person.email
    assert person.cart() == {}
    assert person.http.get(f"/api/orders/orders/{answer.json()['id']}").json() == answer.json()


def test_an_order_is_not_shown_to_somebody_else(person: Person, edge_url: str):
    person.sign_in()
    person.put_in_cart("steel-rule")
    order = person.order().json()
    stranger = Person(edge_url).sign_up().sign_in()
    assert stranger.http.get(f"/api/orders/orders/{order['id']}").status_code == 404
