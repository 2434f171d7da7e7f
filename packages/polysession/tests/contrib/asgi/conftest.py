"""The same example app in Starlette and in FastAPI, and who visits it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import anyio.from_thread
import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI
from polysession.contrib.asgi import (
    SessionMiddleware,
    commit,
    csrf_token,
    current_principal,
    current_session,
    reauthenticate,
    requires_recent_authentication,
    revalidated,
    session_optional,
    session_passive,
    sign_in,
    sign_in_required,
    sign_out,
)
from polysession.core.manager import SessionManager
from polysession.testing import FailingStore, FakeClock, RecordedEvents, memory_manager
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

COOKIE = "__Host-session"

recently = requires_recent_authentication(max_age=300)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(clock: FakeClock) -> FailingStore:
    return FailingStore(clock)


@pytest.fixture
def events() -> RecordedEvents:
    return RecordedEvents()


@pytest.fixture
def manager(clock: FakeClock, store: FailingStore, events: RecordedEvents) -> SessionManager:
    return memory_manager(clock=clock, store=store, events=events)


# --- Starlette: what an endpoint says


async def none(_request: Request) -> Response:
    return PlainTextResponse("no session here")


async def read(request: Request) -> Response:
    return JSONResponse(dict(request.session))


async def put(request: Request) -> Response:
    request.session[request.path_params["name"]] = request.path_params["value"]
    return PlainTextResponse("ok")


async def nested(request: Request) -> Response:
    request.session.setdefault("cart", {"lines": []})["lines"].append(request.path_params["name"])
    return PlainTextResponse("ok")


def in_thread(request: Request) -> Response:
    request.session["thread"] = request.session.get("thread", 0) + 1
    return PlainTextResponse("ok")


async def visit(request: Request) -> Response:
    current_session(request).update("visits", lambda visits: visits + 1, default=0)
    return PlainTextResponse("ok")


async def fail(request: Request) -> Response:
    request.session["written"] = "before the fault"
    raise RuntimeError("a fault of the view")


async def large(request: Request) -> Response:
    request.session["large"] = "x" * 70_000
    return PlainTextResponse("ok", headers={"X-Of-The-View": "1"})


async def conflict(request: Request) -> Response:
    session = current_session(request)
    session.core.set_policy("balance", "raise")
    session["balance"] = session.get("balance", 0) + 1
    await asyncio.sleep(0)
    await request.app.state.between()
    if "early" in request.query_params:
        await commit(request)
    return PlainTextResponse("ok")


async def me(request: Request) -> Response:
    return JSONResponse({"principal": sign_in_required(request)})


async def change_email(request: Request) -> Response:
    return JSONResponse({"principal": recently(request)})


async def prove(request: Request) -> Response:
    await reauthenticate(request)
    return PlainTextResponse("ok")


async def enter(request: Request) -> Response:
    await sign_in(request, request.path_params["principal"], generation=1)
    return PlainTextResponse("ok")


async def enter_and_fail(request: Request) -> Response:
    await sign_in(request, "ada", generation=1)
    raise RuntimeError("a fault after the sign-in")


async def leave(request: Request) -> Response:
    return Response(status_code=204 if await sign_out(request) else 202)


def leave_in_thread(request: Request) -> Response:
    anyio.from_thread.run(sign_out, request)
    return PlainTextResponse("ok")


async def rotate(request: Request) -> Response:
    current_session(request).core.rotate()
    return PlainTextResponse("ok")


async def csrf(request: Request) -> Response:
    return JSONResponse({"csrf_token": csrf_token(request)})


async def echo(request: Request) -> Response:
    return Response(await request.body())


async def poll(request: Request) -> Response:
    session_passive(request)
    return JSONResponse({"principal": current_principal(request)})


async def optional(request: Request) -> Response:
    session_optional(request)
    return JSONResponse({"theme": request.session.get("theme"), "principal": current_principal(request)})


async def optional_write(request: Request) -> Response:
    session_optional(request)
    request.session["a"] = 1
    return PlainTextResponse("ok")


async def listen(websocket: WebSocket) -> None:
    principal = sign_in_required(websocket)
    await websocket.accept()
    async with revalidated(websocket, every=0.02):
        await websocket.send_json({"principal": principal, "theme": websocket.session.get("theme")})
        while True:
            await websocket.receive_text()


async def keep(websocket: WebSocket) -> None:
    websocket.session["seen"] = "here"
    await commit(websocket)
    await websocket.accept()
    await websocket.close()


HTTP: list[tuple[str, str, Any]] = [
    ("GET", "/none", none),
    ("GET", "/read", read),
    ("POST", "/put/{name}/{value}", put),
    ("POST", "/nested/{name}", nested),
    ("POST", "/in-thread", in_thread),
    ("POST", "/visit", visit),
    ("POST", "/fail", fail),
    ("POST", "/large", large),
    ("POST", "/conflict", conflict),
    ("GET", "/me", me),
    ("GET", "/email", change_email),
    ("POST", "/prove", prove),
    ("POST", "/sign-in/{principal}", enter),
    ("POST", "/sign-in-and-fail", enter_and_fail),
    ("POST", "/sign-out", leave),
    ("POST", "/sign-out-in-thread", leave_in_thread),
    ("POST", "/rotate", rotate),
    ("GET", "/csrf", csrf),
    ("POST", "/echo", echo),
    ("POST", "/webhook/one", none),
    ("GET", "/assets/logo", none),
    ("GET", "/poll", poll),
    ("GET", "/optional", optional),
    ("POST", "/optional-write", optional_write),
]
SOCKETS = [("/listen", listen), ("/keep", keep)]
OPTIONS: dict[str, Any] = {"csrf_exempt": ["/webhook"], "unused": ["/assets"]}


async def between() -> None:
    """What ``/conflict`` waits for."""


def make_starlette(manager: SessionManager, **options: Any) -> Starlette:
    routes = [Route(path, view, methods=[method]) for method, path, view in HTTP]
    app = Starlette(routes=[*routes, *(WebSocketRoute(path, view) for path, view in SOCKETS)])
    app.add_middleware(SessionMiddleware, manager=manager, **OPTIONS, **options)
    app.state.between = between
    return app


def make_fastapi(manager: SessionManager, **options: Any) -> FastAPI:
    """By FastAPI's own words where it has some: dependencies, an included router."""
    app, router = FastAPI(), APIRouter()
    for method, path, view in HTTP:
        if view not in (me, poll, change_email):
            router.add_api_route(path, view, methods=[method])
    for path, socket in SOCKETS:
        router.add_api_websocket_route(path, socket)

    @router.get("/me")
    async def who(principal: Annotated[str, Depends(sign_in_required)]) -> dict[str, str]:
        return {"principal": principal}

    @router.get("/email")
    async def email(principal: Annotated[str, Depends(recently)]) -> dict[str, str]:
        return {"principal": principal}

    @router.get("/poll", dependencies=[Depends(session_passive)])
    async def ask(request: Request) -> dict[str, str | None]:
        return {"principal": current_principal(request)}

    app.include_router(router)
    app.add_middleware(SessionMiddleware, manager=manager, **OPTIONS, **options)
    app.state.between = between
    return app


MAKERS: dict[str, Callable[..., Any]] = {"starlette": make_starlette, "fastapi": make_fastapi}


@pytest.fixture(params=sorted(MAKERS))
def app(request: pytest.FixtureRequest, manager: SessionManager) -> Any:
    return MAKERS[request.param](manager)


# --- who visits


class Visitor:
    """A browser: keeps cookies, sends the CSRF token with what is unsafe."""

    def __init__(self, app: Any, *, faults: bool = False) -> None:
        transport = httpx.ASGITransport(app, raise_app_exceptions=not faults)
        self.http = httpx.AsyncClient(transport=transport, base_url="https://testserver")

    @property
    def token(self) -> str | None:
        return self.http.cookies.get(COOKIE)

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.http.get(path, headers={key.replace("_", "-"): one for key, one in headers.items()})

    async def post(self, path: str) -> httpx.Response:
        token = (await self.http.get("/csrf")).json()["csrf_token"]
        return await self.http.post(path, headers={"X-CSRF-Token": token})

    def bring(self, token: str | None) -> None:
        self.http.cookies.set(COOKIE, token or "", domain="testserver.local")  # as the client files it


@pytest.fixture
async def new_visitor(app: Any) -> AsyncIterator[Callable[..., Visitor]]:
    visitors: list[Visitor] = []

    def make(**options: Any) -> Visitor:
        visitors.append(Visitor(app, **options))
        return visitors[-1]

    yield make
    for one in visitors:
        await one.http.aclose()


@pytest.fixture
async def visitor(new_visitor: Callable[..., Visitor]) -> Visitor:
    return new_visitor()


class Socket:
    """A WebSocket's other end. ``sent``: the app's messages so far."""

    def __init__(self, app: Any, path: str, headers: dict[str, str], extensions: dict[str, Any]) -> None:
        self._incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._outgoing: asyncio.Queue[Any] = asyncio.Queue()
        scope = {
            **{
                "type": "websocket",
                "path": path,
                "raw_path": path.encode(),
                "root_path": "",
                "scheme": "wss",
            },
            **{"asgi": {"version": "3.0"}, "query_string": b"", "subprotocols": [], "client": ("::1", 1)},
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "extensions": extensions,
        }
        self._incoming.put_nowait({"type": "websocket.connect"})
        self.task = asyncio.create_task(app(scope, self._incoming.get, self._outgoing.put))

    async def next(self) -> Any:
        return await asyncio.wait_for(self._outgoing.get(), 5)

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@pytest.fixture
async def open_socket(app: Any) -> AsyncIterator[Callable[..., Socket]]:
    sockets: list[Socket] = []

    def open_one(path: str, *, denial: bool = False, **headers: str) -> Socket:
        extensions: dict[str, Any] = {"websocket.http.response": {}} if denial else {}
        sockets.append(Socket(app, path, {"host": "testserver"} | headers, extensions))
        return sockets[-1]

    yield open_one
    for one in sockets:
        await one.stop()
