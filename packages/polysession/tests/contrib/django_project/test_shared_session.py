"""One session in three frameworks and on both sides of await, over a real Redis Cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import httpx
import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client
from fastapi import Depends, FastAPI
from flask import Flask
from flask import session as flask_session
from polysession import connect
from polysession.contrib import asgi
from polysession.contrib import flask as ours
from polysession.core.manager import SessionManager
from polysession.testing import make_keys
from starlette.requests import Request

from .conftest import COOKIE, PASSWORD

Nodes = tuple[tuple[str, int], ...]
Make = Callable[..., SessionManager]


@pytest.fixture
def make_manager(redis_nodes: Nodes, redis_prefix: str) -> Iterator[Make]:
    """As each service has its own: the same nodes and keys."""
    keys, made = make_keys(), []

    def make(**options: Any) -> SessionManager:
        made.append(connect(redis_nodes, keys, prefix=redis_prefix, deadline_ms=5000, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(autouse=True)
def manager(settings: Any, make_manager: Make) -> SessionManager:  # Django's, in place of the project's
    made = make_manager(asynchronous=True)
    settings.POLYSESSION_MANAGER = made
    return made


@pytest.fixture
def fastapi(make_manager: Make) -> FastAPI:
    app = FastAPI()
    app.add_middleware(
        asgi.SessionMiddleware, manager=make_manager(asynchronous=True), csrf_exempt=["/sign-out"]
    )

    @app.get("/me")
    async def me(request: Request, who: Annotated[str, Depends(asgi.sign_in_required)]) -> dict[str, Any]:
        seen = dict(request.session)
        return {"principal": who, "theme": seen["theme"], "cart": sorted(seen["cart"])}

    @app.get("/add/{name}")
    async def add(request: Request, name: str) -> None:
        request.session["cart"] = {*request.session.get("cart", set()), name}

    @app.post("/sign-out")
    async def leave(request: Request) -> None:
        await asgi.sign_out(request)

    return app


@pytest.fixture
def flask(make_manager: Make) -> Flask:
    app = Flask("example")
    ours.Polysession(app, make_manager())

    @app.get("/me")
    @ours.sign_in_required
    def me() -> dict[str, Any]:
        return {"principal": ours.current_principal(), "theme": flask_session["theme"]}

    return app


def visit(app: FastAPI, method: str, path: str, token: str) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="https://testserver") as client:
            return await client.request(method, path, headers={"Cookie": f"{COOKIE}={token}"})

    return asyncio.run(send())


def test_signed_in_by_django_read_and_ended_by_fastapi_dead_in_flask_and_django(
    ada: Any, fastapi: FastAPI, flask: Flask
) -> None:
    browser = Client()
    browser.get("/put/theme/dark")
    browser.post("/sign-in", {"username": "ada", "password": PASSWORD})
    token, principal = browser.cookies[COOKIE].value, str(ada.pk)
    visitor = flask.test_client()
    visitor.set_cookie(COOKIE, token, domain="localhost")

    assert visit(fastapi, "GET", "/add/clock", token).status_code == 200
    seen = visit(fastapi, "GET", "/me", token).json()
    assert seen == {"principal": principal, "theme": "dark", "cart": ["clock"]}
    assert visitor.get("/me").get_json() == {"principal": principal, "theme": "dark"}

    ended = visit(fastapi, "POST", "/sign-out", token)
    assert "Max-Age=0" in ended.headers["Set-Cookie"]

    for answer in (visitor.get("/me").get_json(), visit(fastapi, "GET", "/me", token).json()):
        assert (answer["status"], answer["end_reason"]) == (401, "logout")
    assert browser.get("/who").json()["id"] is None


def test_djangos_synchronous_and_asynchronous_side_and_fastapi_have_one_session(
    ada: Any, fastapi: FastAPI, manager: SessionManager
) -> None:
    browser = Client()
    browser.get("/put/theme/dark")
    browser.get("/put/cart/x")
    browser.post("/sign-in", {"username": "ada", "password": PASSWORD})
    token = browser.cookies[COOKIE].value

    async def ask() -> Any:
        client = AsyncClient()
        client.cookies[COOKIE] = token
        return (await client.get("/read")).json()

    assert async_to_sync(ask)() == {"theme": "dark", "cart": "x"}
    assert visit(fastapi, "GET", "/me", token).json()["cart"] == ["x"]
    (listed,) = manager.sessions(str(ada.pk))
    assert listed.id in token
