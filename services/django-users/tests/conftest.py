"""The service in this process, on the real Redis Cluster and PostgreSQL that `make test` starts."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django
import pytest
from chassis.assertion import Signer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from django.db import connections
from django.test import Client
from polysession.keys import make_keys

PASSWORD = "correct horse battery staple"
ORIGIN = "http://127.0.0.1:7500"


def _environment(folder: Path) -> dict[str, str]:
    missing = [name for name in ("TEST_REDIS_NODES", "TEST_USERS_DATABASE_URL") if not os.environ.get(name)]
    if missing:
        pytest.exit(
            f"{', '.join(missing)}: not set. `make test` starts the servers and sets them.", returncode=2
        )
    database = urlsplit(os.environ["TEST_USERS_DATABASE_URL"])
    _write(folder / "database-password", database.password or "")
    _write(folder / "django-secret-key", secrets.token_urlsafe(50))
    make_keys(folder / "session-keys")
    _make_assertion_keys(folder)
    return {
        "DJANGO_SETTINGS_MODULE": "users.settings",
        "PUBLIC_URL": ORIGIN,
        "BIND": "127.0.0.1:7500",
        "DATABASE_URL": f"postgresql://{database.username}@{database.hostname}:{database.port}{database.path}",
        "DATABASE_PASSWORD_FILE": str(folder / "database-password"),
        "REDIS_NODES": os.environ["TEST_REDIS_NODES"],
        "SESSION_KEYS_DIR": str(folder / "session-keys"),
        "SESSION_PREFIX": f"test-users-{secrets.token_hex(4)}",
        "STORE_DEADLINE_MS": "2000",  # a machine that is busy with other suites is no outage
        "DJANGO_SECRET_KEY_FILE": str(folder / "django-secret-key"),
        "ASSERTION_PUBLIC_KEYS_DIR": str(folder / "assertion-public"),
        "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"),
    }


def _write(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o600)


def _make_assertion_keys(folder: Path) -> None:
    key = Ed25519PrivateKey.generate()
    (folder / "assertion-public").mkdir()
    (folder / "metrics").mkdir()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    _write(folder / "flask-orders.pem", private.decode())
    (folder / "assertion-public" / "flask-orders.pem").write_bytes(public)


_folder = tempfile.TemporaryDirectory(prefix="polysession-users-")
os.environ.update(_environment(Path(_folder.name)))
django.setup()


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """The service's secrets; gone at the end."""
    yield Path(_folder.name)
    _folder.cleanup()


@pytest.fixture
def sign(folder: Path) -> Callable[[str, str], str]:
    """An assertion of the orders service: ``sign(audience, subject)``."""
    return Signer(folder / "flask-orders.pem").sign


class Person(Client):
    """A browser and who sits there. Sends a fresh CSRF token with what is unsafe, unless told not to."""

    def __init__(self, *, address: str | None = None, **options: Any) -> None:
        address = address or f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.{secrets.randbelow(256)}"
        super().__init__(
            enforce_csrf_checks=True, REMOTE_ADDR=address, headers={"User-Agent": "tests"}, **options
        )
        self.name = f"ada-{secrets.token_hex(4)}"
        self.address = address

    @property
    def email(self) -> str:
        return f"{self.name}@example.org"

    @property
    def token(self) -> str | None:
        cookie = self.cookies.get("session")
        return cookie.value or None if cookie else None

    def csrf(self) -> str:
        return str(self.get("/api/users/csrf").json()["csrf_token"])

    def ask(self, method: str, path: str, body: object = None, *, csrf: bool = True, **headers: str) -> Any:
        if csrf and "X-CSRF-Token" not in headers:
            headers["X-CSRF-Token"] = self.csrf()
        data = "" if body is None else json.dumps(body)
        path, _, query = path.partition("?")
        return self.generic(
            method, f"/api/users/{path}", data, "application/json", headers=headers, QUERY_STRING=query
        )

    def sign_up(self) -> Person:
        answer = self.ask(
            "POST", "accounts", {"username": self.name, "email": self.email, "password": PASSWORD}
        )
        assert answer.status_code == 201, answer.content
        return self

    def sign_in(self, password: str = PASSWORD) -> Person:
        answer = self.ask("POST", "sessions", {"username": self.name, "password": password})
        assert answer.status_code == 201, answer.content
        return self

    def elsewhere(self) -> Person:
        """The same account, on another device."""
        other = Person()
        other.name = self.name
        return other.sign_in()

    def current(self) -> dict[str, Any]:
        return dict(self.get("/api/users/sessions/current").json())


@pytest.fixture
def db(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """In place of pytest-django's: what a request commits is committed, so what waits for that happens. Everybody
    here has a name of their own, and the database is the run's: nothing is to be rolled back.
    """
    with django_db_blocker.unblock():
        yield
        connections.close_all()


@pytest.fixture
def new_person(db: None) -> type[Person]:
    return Person


@pytest.fixture
def stranger(db: None) -> Person:
    """Has no account."""
    return Person()


@pytest.fixture
def person(db: None) -> Person:
    """Signed in."""
    return Person().sign_up().sign_in()


@pytest.fixture
def staff(db: None) -> Person:
    """Signed in, may use the admin."""
    from users.accounts.models import Account

    one = Person()
    Account.objects.create_superuser(one.name, one.email, PASSWORD)
    return one.sign_in()


def is_problem(answer: Any, status: int) -> dict[str, Any]:
    """The problem's members, when ``answer`` is one."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    members = dict(answer.json())
    assert members["status"] == status
    assert members["title"]
    assert members["detail"]
    return members


@pytest.fixture
def problem() -> Callable[[Any, int], dict[str, Any]]:
    return is_problem
