"""An example app in Flask, and who visits it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, flash, get_flashed_messages, render_template_string, session
from flask.testing import FlaskClient
from flask.views import MethodView
from polysession.contrib.flask import (
    Polysession,
    csrf_exempt,
    csrf_token,
    current_principal,
    current_session,
    session_optional,
    session_passive,
    sign_in,
    sign_in_required,
    sign_out,
)
from polysession.core.manager import SessionManager
from polysession.core.record import Address, Header
from polysession.core.state import Context
from polysession.core.token import Token
from polysession.testing import FailingStore, FakeClock, memory_manager
from werkzeug.test import TestResponse

COOKIE = "__Host-session"


class Ledger:
    """Of a users service. ``ended``: the session IDs that it was told of. ``takes``: whether it has their rows."""

    def __init__(self, *, takes: bool = True) -> None:
        self.ended: list[str] = []
        self._takes = takes

    def sign_in(self, address: Address, header: Header) -> None: ...

    def end_by_token(self, context: Context, token: Token, reason: str, *, at: int) -> bool:
        assert (reason, at > 0) == ("logout", True)
        self.ended.append(token.address.session_id)
        return self._takes


@pytest.fixture
def make_ledger() -> type[Ledger]:
    return Ledger


@pytest.fixture
def flask_clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def flask_store(flask_clock: FakeClock) -> FailingStore:
    return FailingStore(flask_clock)


@pytest.fixture
def flask_manager(flask_clock: FakeClock, flask_store: FailingStore) -> SessionManager:
    return memory_manager(clock=flask_clock, store=flask_store)


@pytest.fixture
def flask_app(flask_manager: SessionManager) -> Flask:
    app = Flask("example")
    app.testing = True
    Polysession(app, flask_manager)
    register_attributes(app)
    register_identity(app)
    register_marked(app)
    return app


def register_attributes(app: Flask) -> None:
    @app.get("/none")
    def none() -> str:
        return "no session here"

    @app.get("/read")
    def read() -> dict[str, Any]:
        return dict(session)

    @app.post("/put/<name>/<value>")
    def put(name: str, value: str) -> str:
        session[name] = value
        return "ok"

    @app.post("/nested/<name>")
    def nested(name: str) -> str:
        session.setdefault("cart", {"lines": []})["lines"].append(name)
        return "ok"

    @app.post("/raise")
    def fail_on_conflict() -> str:
        current_session().set_policy("balance", "raise")
        session["balance"] = session.get("balance", 0) + 1
        barrier = app.config.get("BETWEEN")
        if barrier is not None:
            barrier()
        return "ok"

    @app.post("/flash")
    def put_flash() -> str:
        flash("Saved.", "info")
        return "ok"

    @app.get("/flashes")
    def take_flashes() -> list[Any]:
        return [list(pair) for pair in get_flashed_messages(with_categories=True)]

    @app.post("/large")
    def large() -> str:
        session["large"] = "x" * 70_000
        return "ok"

    @app.post("/unstorable")
    def unstorable() -> str:
        session["x"] = object()
        return "ok"


def register_identity(app: Flask) -> None:
    @app.get("/me")
    @sign_in_required
    def me() -> dict[str, Any]:
        return {"principal": current_principal()}

    @app.post("/sign-in/<principal>")
    def enter(principal: str) -> str:
        sign_in(principal, generation=1)
        return "ok"

    @app.post("/sign-out")
    def leave() -> tuple[str, int]:
        return ("", 204 if sign_out() else 202)

    @app.post("/rotate")
    def rotate() -> str:
        current_session().rotate()
        return "ok"

    @app.get("/csrf")
    def csrf() -> dict[str, str]:
        return {"csrf_token": csrf_token()}

    @app.get("/form")
    def form() -> str:
        return render_template_string("{{ csrf_token() }}")


def register_marked(app: Flask) -> None:
    @app.get("/optional")
    @session_optional
    def optional() -> dict[str, Any]:
        return {"theme": session.get("theme"), "principal": current_principal()}

    @app.get("/poll")
    @session_passive
    def poll() -> dict[str, Any]:
        return dict(session)

    @app.post("/webhook")
    @csrf_exempt
    def webhook() -> str:
        return "ok"

    class Things(MethodView):
        def get(self) -> dict[str, Any]:
            return dict(session)

        @csrf_exempt
        def post(self) -> str:
            return "ok"

        def put(self) -> str:
            return "ok"

    app.add_url_rule("/things", view_func=Things.as_view("things"))


class Visitor:
    """Keeps cookies, and sends a fresh CSRF token with what is unsafe."""

    def __init__(self, app: Flask) -> None:
        self.http: FlaskClient = app.test_client()

    @property
    def token(self) -> str | None:
        cookie = self.http.get_cookie(COOKIE)
        return cookie.value if cookie else None

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.http.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path: str, **options: Any) -> TestResponse:
        csrf = self.http.get("/csrf").get_json()["csrf_token"]
        return self.http.post(path, headers={"X-CSRF-Token": csrf, **options.pop("headers", {})}, **options)


@pytest.fixture
def new_visitor(flask_app: Flask) -> Callable[[], Visitor]:
    return lambda: Visitor(flask_app)


@pytest.fixture
def visitor(new_visitor: Callable[[], Visitor]) -> Visitor:
    return new_visitor()
