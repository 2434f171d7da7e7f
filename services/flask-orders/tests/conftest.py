"""A database of its own, the memory store, a users service on a real socket; PostgreSQL's address comes from `make test`."""

from __future__ import annotations

import json
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from chassis.assertion import Verifier
from chassis.errors import InvalidAssertion
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from flask.testing import FlaskClient
from orders.app import create_app
from orders.config import Config
from orders.database import Database
from orders.migrate import migrate
from polysession import SessionManager
from polysession.core.cookie import csrf_cookie_name, session_cookie_name
from polysession.keys import make_keys
from polysession.testing import FailingStore, FakeClock, memory_manager
from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.pool import NullPool
from werkzeug.test import TestResponse

KEY = "flask-orders"


@pytest.fixture(scope="session")
def server_url() -> URL:
    url = os.environ.get("TEST_ORDERS_DATABASE_URL")
    if not url:
        pytest.fail(
            "TEST_ORDERS_DATABASE_URL is not set: run the tests with `make test ONLY=orders`, which sets it."
        )
    return make_url(url).set(drivername="postgresql+psycopg")


@pytest.fixture(scope="session")
def make_database(server_url: URL) -> Iterator[Callable[[], URL]]:
    """An empty database; all that were made are dropped at the end."""
    made: list[str] = []
    engine = create_engine(server_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")

    def make() -> URL:
        made.append(f"orders_test_{secrets.token_hex(6)}")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {made[-1]}"))
        return server_url.set(database=made[-1])

    yield make
    with engine.connect() as connection:
        for name in made:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="session")
def database_url(make_database: Callable[[], URL]) -> URL:
    url = make_database()
    migrate(url)
    return url


@pytest.fixture(scope="session")
def address_of() -> Callable[[URL], str]:
    """As ``DATABASE_URL`` has it: without the password."""
    return lambda url: f"postgresql://{url.username}@{url.host}:{url.port}/{url.database}"


@dataclass
class UsersService:
    """Answers ``/internal/users/{id}`` as the users service does: only to who brings a fitting assertion."""

    public_keys: Path
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    def add(self, *, is_active: bool = True) -> str:
        principal = secrets.token_hex(8)
        members = {"id": principal, "username": principal, "email": f"{principal}@example.org"}
        self.accounts[principal] = {**members, "is_active": is_active}
        return principal

    def answer(self, path: str, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        principal = path.rpartition("/")[2]
        self.asked.append(principal)
        self.headers.append(headers)
        try:
            token = headers.get("Authorization", "").removeprefix("Bearer ")
            Verifier(self.public_keys, "django-users").verify(token, principal)
        except InvalidAssertion as error:
            return 401, {"status": 401, "detail": error.reason}
        account = self.accounts.get(principal)
        return (200, account) if account else (404, {"status": 404})


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``private/flask-orders.pem``, ``public/flask-orders.pem``, ``sessions/``, ``password``."""
    folder = tmp_path_factory.mktemp("keys")
    key = Ed25519PrivateKey.generate()
    for name in ("private", "public"):
        (folder / name).mkdir()
    pem = serialization.Encoding.PEM
    (folder / "private" / f"{KEY}.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (folder / "public" / f"{KEY}.pem").write_bytes(
        key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    make_keys(folder / "sessions")
    return folder


@pytest.fixture
def serve() -> type[Serve]:
    return Serve


@pytest.fixture
def users(keys: Path) -> Iterator[UsersService]:
    service = UsersService(keys / "public")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, members = service.answer(self.path, dict(self.headers))
            body = json.dumps(members).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    with Serve(Handler) as server:
        service.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield service


class Serve:
    """Within it, a server on a free port."""

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> ThreadingHTTPServer:
        self.thread.start()
        return self.server

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture(scope="session")
def make_config(
    keys: Path, database_url: URL, address_of: Callable[[URL], str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Config]:
    password = keys / "password"
    password.write_text(str(database_url.password))
    metrics = tmp_path_factory.mktemp("metrics")

    def make(**changes: Any) -> Config:
        settings = {
            "public_url": "https://shop.example",
            "bind": "127.0.0.1:0",
            "database_url": address_of(database_url),
            "database_password_file": password,
            "redis_nodes": "127.0.0.1:1",
            "session_keys_dir": keys / "sessions",
            "prometheus_multiproc_dir": metrics,
            "users_url": "http://127.0.0.1:9",
            "assertion_private_key_file": keys / "private" / f"{KEY}.pem",
        }
        return Config(**{**settings, **changes})

    return make


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(clock: FakeClock) -> FailingStore:
    return FailingStore(clock)


@pytest.fixture
def sessions(clock: FakeClock, store: FailingStore) -> SessionManager:
    return memory_manager(clock=clock, store=store)


@pytest.fixture
def make_app(
    make_config: Callable[..., Config], users: UsersService, sessions: SessionManager
) -> Iterator[Callable[..., Flask]]:
    made: list[Flask] = []

    def make(**changes: Any) -> Flask:
        app = create_app(make_config(**{"users_url": users.url, **changes}), sessions=sessions)
        made.append(app)
        return app

    yield make
    for app in made:
        app.extensions["orders"].close()


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app()


@pytest.fixture
def database(app: Flask) -> Database:
    held: Database = app.extensions["orders"].database
    return held


@pytest.fixture
def set_stock(database: Database) -> Iterator[Callable[[str, int], None]]:
    """For one test."""
    before: dict[str, int] = {}

    def write(sku: str, stock: int) -> int:
        with database.begin() as session:
            was: int = session.scalar(
                text("SELECT stock FROM products WHERE sku = :sku FOR UPDATE"), {"sku": sku}
            )
            session.execute(text("UPDATE products SET stock = :n WHERE sku = :sku"), {"sku": sku, "n": stock})
        return was

    def set_stock(sku: str, stock: int) -> None:
        was = write(sku, stock)
        before.setdefault(sku, was)

    yield set_stock
    for sku, stock in before.items():
        write(sku, stock)


class Visitor:
    """A client with its own cookies, that sends a fresh CSRF token with what is unsafe."""

    def __init__(self, app: Flask, sessions: SessionManager) -> None:
        self.http: FlaskClient = app.test_client()
        self.sessions = sessions
        self.cookie_name = session_cookie_name(sessions.settings)
        self.binding: str | None = None

    @property
    def token(self) -> str | None:
        cookie = self.http.get_cookie(self.cookie_name)
        return cookie.value if cookie else None

    def sign_in(self, principal: str) -> Visitor:
        """As the users service does: the cart comes along."""
        session = self.sessions.open(self.token)
        session.sign_in(principal, generation=1)
        session.commit()
        assert session.cookie is not None
        self.http.set_cookie(self.cookie_name, session.cookie.value, domain="localhost")
        return self

    def end(self, reason: Any = "logout") -> None:
        """In another service."""
        self.sessions.open(self.token).end(reason)

    def csrf(self) -> str:
        token, binding = self.sessions.open(self.token).csrf_token(self.binding)
        if binding is not None:
            self.binding = binding
            self.http.set_cookie(csrf_cookie_name(self.sessions.settings), binding, domain="localhost")
        return token

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.http.get(f"/api/orders/{path}", **options)

    def put(self, sku: str, quantity: Any) -> TestResponse:
        return self.unsafe("PUT", f"cart/items/{sku}", json={"quantity": quantity})

    def order(self, items: dict[str, int], *, key: str | None = None) -> TestResponse:
        body = {"items": [{"sku": sku, "quantity": quantity} for sku, quantity in items.items()]}
        headers = {"Idempotency-Key": key or secrets.token_hex(8)}
        return self.unsafe("POST", "orders", json=body, headers=headers)

    def unsafe(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any
    ) -> TestResponse:
        sent = {"X-CSRF-Token": self.csrf(), **(headers or {})}
        return self.http.open(f"/api/orders/{path}", method=method, headers=sent, **options)


@pytest.fixture
def make_visitor(app: Flask, sessions: SessionManager) -> Callable[[], Visitor]:
    return lambda: Visitor(app, sessions)


@pytest.fixture
def visitor(make_visitor: Callable[[], Visitor]) -> Visitor:
    return make_visitor()


@pytest.fixture
def customer(visitor: Visitor, users: UsersService) -> Visitor:
    """Signed in, with an account."""
    return visitor.sign_in(users.add())
