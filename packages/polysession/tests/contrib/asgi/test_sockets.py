"""WebSockets: the handshake's session, revalidation while the socket stays open, and what closes it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from polysession.contrib.asgi import SessionMiddleware
from polysession.core.manager import SessionManager
from polysession.testing import FailingStore, FakeClock
from starlette.types import Receive, Scope, Send

from .conftest import COOKIE, Socket, Visitor

pytestmark = pytest.mark.anyio

Open = Callable[..., Socket]


@pytest.fixture
async def token(visitor: Visitor) -> str:
    await visitor.post("/put/theme/dark")
    await visitor.post("/sign-in/ada")
    assert visitor.token
    return visitor.token


async def listening(open_socket: Open, token: str, **headers: str) -> Socket:
    socket = open_socket("/listen", cookie=f"{COOKIE}={token}", **headers)
    assert (await socket.next())["type"] == "websocket.accept"
    assert (await socket.next())["text"] == '{"principal":"ada","theme":"dark"}'
    return socket


async def test_a_socket_has_the_session_of_its_handshake(open_socket: Open, token: str) -> None:
    await listening(open_socket, token)


async def test_an_open_socket_is_closed_when_its_session_ends(
    open_socket: Open, token: str, manager: SessionManager
) -> None:
    socket = await listening(open_socket, token)
    await asyncio.sleep(0.1)
    assert not socket.task.done()
    manager.open(token).end("revoked")
    closed = await socket.next()
    assert (closed["type"], closed["code"]) == ("websocket.close", 1008)
    await socket.task


async def test_an_open_socket_is_closed_to_be_tried_again_when_the_store_gives_no_answer(
    open_socket: Open, token: str, store: FailingStore
) -> None:
    socket = await listening(open_socket, token)
    store.away.add("all")
    assert (await socket.next())["code"] == 1013


async def test_revalidation_neither_touches_nor_takes_an_older_token_for_a_theft(
    open_socket: Open, token: str, visitor: Visitor, clock: FakeClock, manager: SessionManager
) -> None:
    """The socket keeps the token of its handshake, and the browser's is rotated meanwhile."""
    socket = await listening(open_socket, token)
    (before,) = manager.sessions("ada")
    clock.advance(seconds=10 * 60)
    await asyncio.sleep(0.1)
    assert manager.sessions("ada") == (before,)
    await visitor.post("/rotate")
    assert visitor.token != token
    clock.advance(seconds=10 * 60)
    await asyncio.sleep(0.1)
    assert not socket.task.done()
    assert (await visitor.get("/me")).status_code == 200


async def test_who_is_not_signed_in_is_refused_before_the_socket_opens(open_socket: Open) -> None:
    closed = await open_socket("/listen").next()
    assert (closed["type"], closed["code"]) == ("websocket.close", 1008)
    start = await open_socket("/listen", denial=True).next()
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 401)


async def test_an_unknown_store_refuses_the_handshake_as_503(
    open_socket: Open, token: str, store: FailingStore
) -> None:
    store.away.add("all")
    start = await open_socket("/listen", denial=True, cookie=f"{COOKIE}={token}").next()
    assert start["status"] == 503
    assert (b"retry-after", b"2") in start["headers"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://testserver.evil.example"])
async def test_a_page_of_another_origin_opens_no_socket(open_socket: Open, token: str, origin: str) -> None:
    closed = await open_socket("/listen", cookie=f"{COOKIE}={token}", origin=origin).next()
    assert closed["type"] == "websocket.close"


async def test_a_page_of_the_same_origin_does(open_socket: Open, token: str) -> None:
    await listening(open_socket, token, origin="https://testserver")


async def test_what_a_handshake_commits_has_its_cookie(open_socket: Open, manager: SessionManager) -> None:
    accepted = await open_socket("/keep").next()
    headers = dict(accepted["headers"])
    cookie = headers[b"set-cookie"].decode()
    token = cookie.split(";")[0].removeprefix(f"{COOKIE}=")
    assert dict(manager.open(token)) == {"seen": "here"}


async def test_an_app_may_accept_without_naming_headers(manager: SessionManager, token: str) -> None:
    """They are optional (ASGI's WebSocket message format)."""

    async def accept(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})

    app = SessionMiddleware(accept, manager=manager)
    socket = Socket(app, "/", {"host": "testserver", "cookie": f"{COOKIE}={token}"}, {})
    await socket.task
    assert b"x-session-id" in dict((await socket.next())["headers"])


async def test_cancelling_a_socket_from_outside_stays_a_cancellation(open_socket: Open, token: str) -> None:
    socket = await listening(open_socket, token)
    socket.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await socket.task


async def test_revalidation_leaves_nothing_running(open_socket: Open, token: str) -> None:
    before = asyncio.all_tasks()
    socket = await listening(open_socket, token)
    await socket.stop()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() <= before


async def test_nobody_signs_in_by_a_socket(app: Any) -> None:
    from polysession.contrib.asgi import sign_in
    from starlette.requests import HTTPConnection

    with pytest.raises(RuntimeError, match="HTTP"):
        await sign_in(HTTPConnection({"type": "websocket"}), "ada", generation=0)
