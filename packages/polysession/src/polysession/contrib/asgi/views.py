"""What views call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.requests import HTTPConnection

from ...core import http
from ...core.bridge import run
from ...core.errors import InvalidSettings, SessionEnded
from ...core.peek import EndedSession
from .middleware import SessionMiddleware
from .session import AsgiSession, SignInRequired, StepUpRequired

REVALIDATE_SECONDS = 30.0


def current_session(connection: HTTPConnection) -> AsgiSession:
    """Typed ``request.session``. Raises ``InvalidSettings`` where the middleware made none."""
    session = connection.scope.get("session")
    if not isinstance(session, AsgiSession):
        fault = (
            "no session here: add polysession.contrib.asgi.SessionMiddleware to the app, outside of who asks"
        )
        raise InvalidSettings((f"{fault}, and leave this path out of its unused=",))
    return session


def current_principal(connection: HTTPConnection) -> str | None:
    """The signed-in user, asked of the store in this request: no earlier answer is trusted."""
    return current_session(connection).principal


def sign_in_required(connection: HTTPConnection) -> str:
    """The principal; else 401, with ``end_reason`` where the session has ended. Also a dependency of FastAPI."""
    session = current_session(connection)
    if session.principal is None:
        raise SignInRequired(session.core.end_reason or "absent")
    return session.principal


def requires_recent_authentication(*, max_age: int) -> Callable[[HTTPConnection], str]:
    """Step-up: gives what to call with the request, or to depend on in FastAPI, for the principal that proved within
    ``max_age`` seconds who it is; else 401 where nobody is signed in, and 403 with RFC 9470's error code.
    """

    def require(connection: HTTPConnection) -> str:
        core = current_session(connection).core
        if core.principal is None or not core.authenticated_within(max_age):
            raise StepUpRequired(http.demand_recent(core, max_age=max_age))
        return core.principal

    return require


async def reauthenticate(connection: HTTPConnection) -> None:
    """At once: the principal has proved again who it is. A new secret for the same session, without a grace.

    Raises ``ValueError`` where nobody is signed in, ``Conflict`` where another request changed the secret meanwhile.
    """
    core = current_session(connection).core
    core.reauthenticate()
    await run(core.commit)


async def sign_in(connection: HTTPConnection, principal: str, *, generation: int) -> None:
    """At once: a new session ID and secret; the attributes come along. Raises ``GenerationOutdated``."""
    if connection.scope["type"] != "http":
        raise RuntimeError("a WebSocket cannot set the cookie: sign in by an HTTP request")
    core = current_session(connection).core
    await run(core.sign_in, principal, generation=generation)
    await run(core.commit)


async def sign_out(connection: HTTPConnection) -> bool:
    """At once: the session ends in every service, and the cookie is cleared. ``True``: a replica of the store has it
    (answer 204). ``False``: it is pending (answer 202); so where the store gives no answer and the ledger takes it.
    Raises ``StoreUnavailable`` where neither has it.
    """
    return await run(current_session(connection).end)


async def commit(connection: HTTPConnection) -> None:
    """Before a side effect that needs the outcome. Raises as ``Session.commit``."""
    await run(current_session(connection).core.commit)


def csrf_token(connection: HTTPConnection) -> str:
    """A masked token for a form field ``csrf_token`` or the header ``X-CSRF-Token``. Creates no session. After
    ``core.rotate``, ``commit`` first.
    """
    session = current_session(connection)
    token, binding = session.core.csrf_token(session.csrf_cookie)
    session.csrf_binding = binding or session.csrf_binding
    return token


def session_passive(connection: HTTPConnection) -> None:
    """This request is no activity: it never touches the session. Also a dependency of FastAPI."""
    current_session(connection).mark_passive()


def session_optional(connection: HTTPConnection) -> None:
    """Before its first use: without an answer from the store the session is empty and read-only, instead of a 503.
    Also a dependency of FastAPI.
    """
    current_session(connection).optional = True


async def revalidate(connection: HTTPConnection) -> None:
    """For what stays open: asks the store again, without touching. Raises ``SessionEnded``, ``StoreUnavailable``."""
    address = current_session(connection).core.address
    middleware: SessionMiddleware = connection.scope["polysession"]
    if address is not None:
        found = await run(middleware.manager.peek_at, address)
        if found is None or isinstance(found, EndedSession):
            raise SessionEnded(found.reason if found else "absent")


@asynccontextmanager
async def revalidated(
    connection: HTTPConnection, *, every: float = REVALIDATE_SECONDS
) -> AsyncIterator[None]:
    """Around the work of a WebSocket: it is cancelled, and ``SessionEnded`` raised, within ``every`` seconds of the
    session's end; ``StoreUnavailable`` where the store gives no answer. Uncaught, they close the socket.
    """
    owner, watcher = asyncio.current_task(), asyncio.create_task(_watch(connection, every))
    assert owner is not None
    cancelled = False

    def stop(_: asyncio.Task[None]) -> None:
        nonlocal cancelled
        if not watcher.cancelled():
            cancelled = True
            owner.cancel()

    watcher.add_done_callback(stop)
    try:
        yield
    except asyncio.CancelledError:
        if cancelled and owner.uncancel() == 0:
            await watcher  # raises why
        raise
    finally:
        watcher.remove_done_callback(stop)
        watcher.cancel()


async def _watch(connection: HTTPConnection, every: float) -> None:
    while True:
        await asyncio.sleep(every)
        await revalidate(connection)
