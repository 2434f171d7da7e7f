"""The switch from Starlette's own session middleware signs nobody out."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from polysession.contrib.asgi import SessionMiddleware
from polysession.contrib.asgi.migration import OldSession, StarletteSessions
from polysession.core.errors import InvalidSettings
from polysession.core.manager import SessionManager
from polysession.core.settings import SessionSettings
from polysession.core.token import ALPHABET
from polysession.testing import FailingStore, memory_manager
from starlette.applications import Starlette
from starlette.middleware.sessions import SessionMiddleware as StarlettesMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .conftest import Visitor, make_starlette

pytestmark = pytest.mark.anyio

SECRET = "the old app's secret key"
TOMORROW = datetime.now(UTC).date() + timedelta(days=1)


def identify(values: dict[str, Any]) -> OldSession:
    return OldSession(values.pop("user", None), attributes=values)


def migrating(manager: SessionManager, *, until: date = TOMORROW, key: str = SECRET) -> Visitor:
    return Visitor(make_starlette(manager, migration=StarletteSessions(key, identify, until=until)))


async def old_cookie(**values: Any) -> str:
    """As Starlette's own middleware sets it."""

    async def enter(request: Request) -> Response:
        request.session.update(values)
        return Response()

    app = Starlette(routes=[Route("/", enter)])
    app.add_middleware(StarlettesMiddleware, secret_key=SECRET)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://old") as browser:
        return (await browser.get("/")).cookies["session"]


def respelled(cookie: str) -> list[str]:
    """With signatures that decode to the same bytes."""
    last = ALPHABET.index(cookie[-1])
    return [cookie[:-1] + ALPHABET[last ^ spare] for spare in (1, 2, 3)] + [cookie[:-1] + "!" + cookie[-1]]


def give(visitor: Visitor, cookie: str) -> None:
    visitor.http.cookies.set("session", cookie, domain="testserver.local")


async def test_who_was_signed_in_stays_so_and_the_attributes_come_along(manager: SessionManager) -> None:
    visitor = migrating(manager)
    give(visitor, await old_cookie(user="ada", theme="dark"))
    answer = await visitor.get("/me")
    assert answer.json() == {"principal": "ada"}
    set_cookies = answer.headers.get_list("Set-Cookie")
    assert [one.partition("=")[0] for one in set_cookies] == ["__Host-session", "session"]
    assert "Max-Age=0" in set_cookies[1]
    assert "session" not in visitor.http.cookies
    assert (await visitor.get("/read")).json() == {"theme": "dark"}
    assert len(manager.sessions("ada")) == 1
    await visitor.http.aclose()


async def test_a_cart_of_nobody_comes_along_too(manager: SessionManager) -> None:
    visitor = migrating(manager)
    give(visitor, await old_cookie(cart=["clock"]))
    assert (await visitor.get("/read")).json() == {"cart": ["clock"]}
    assert visitor.token is not None
    await visitor.http.aclose()


async def test_what_cannot_be_stored_is_left_behind_by_name_and_who_is_signed_in_stays_so(
    manager: SessionManager, events: Any, caplog: Any
) -> None:
    visitor = migrating(manager)
    give(visitor, await old_cookie(user="ada", theme="dark", huge="x" * 70_000))
    with caplog.at_level(logging.WARNING, "polysession.contrib.asgi.migration"):
        assert (await visitor.get("/read")).json() == {"theme": "dark"}
    (record,) = caplog.records
    assert record.getMessage().endswith("left behind: huge")
    assert events.migrations == ["partly"]
    assert (await visitor.get("/me")).json() == {"principal": "ada"}
    await visitor.http.aclose()


async def test_parallel_requests_with_the_old_cookie_get_one_session(manager: SessionManager) -> None:
    cookie = await old_cookie(user="ada")
    visitors = [migrating(manager) for _ in range(8)]
    for one in visitors:
        give(one, cookie)
    await asyncio.gather(*(one.get("/me") for one in visitors))
    assert len({one.token for one in visitors}) == 1
    assert len(manager.sessions("ada")) == 1
    for one in visitors:
        await one.http.aclose()


async def test_after_signing_out_a_copy_of_the_old_cookie_opens_nothing(
    manager: SessionManager, clock: Any
) -> None:
    cookie, visitor = await old_cookie(user="ada"), migrating(manager)
    give(visitor, cookie)
    await visitor.post("/sign-out")
    clock.advance(seconds=60)
    give(visitor, cookie)
    assert (await visitor.get("/me")).status_code == 401
    assert manager.sessions("ada") == ()
    await visitor.http.aclose()


async def test_a_used_up_cookie_in_another_spelling_opens_nothing(
    manager: SessionManager, clock: Any
) -> None:
    cookie, visitor = await old_cookie(user="ada"), migrating(manager)
    give(visitor, cookie)
    await visitor.post("/sign-out")
    clock.advance(seconds=60)
    for spelling in respelled(cookie):
        give(visitor, spelling)
        assert (await visitor.get("/me")).status_code == 401
    assert manager.sessions("ada") == ()
    await visitor.http.aclose()


@pytest.mark.parametrize(
    "options", [{"key": "another"}, {"until": datetime.now(UTC).date()}], ids=["forged", "over"]
)
async def test_a_forged_old_cookie_and_one_after_the_last_day_open_nothing(
    manager: SessionManager, options: dict[str, Any]
) -> None:
    visitor = migrating(manager, **options)
    give(visitor, await old_cookie(user="ada"))
    answer = await visitor.get("/me")
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers
    await visitor.http.aclose()


async def test_an_unknown_store_leaves_the_old_cookie_for_the_next_try(
    manager: SessionManager, store: FailingStore
) -> None:
    visitor = migrating(manager)
    give(visitor, await old_cookie(user="ada"))
    store.away.add("all")
    answer = await visitor.get("/me")
    assert answer.status_code == 503
    assert "Set-Cookie" not in answer.headers
    store.away.clear()
    assert (await visitor.get("/me")).json() == {"principal": "ada"}
    await visitor.http.aclose()


async def test_a_name_that_both_cookies_have_is_refused_when_the_app_is_made() -> None:
    manager = memory_manager(settings=SessionSettings(secure=False))
    with pytest.raises(InvalidSettings, match="cookie_name"):
        SessionMiddleware(Starlette(), manager=manager, migration=StarletteSessions(SECRET, until=TOMORROW))


@pytest.mark.parametrize(
    ("answered", "wanted"),
    [
        ("42", "identify returns None or an OldSession, not str"),
        (("42", 0), "identify returns None or an OldSession, not tuple"),
    ],
)
async def test_what_identify_may_answer_is_said_where_it_answers_something_else(
    answered: Any, wanted: str
) -> None:
    old = StarletteSessions(SECRET, lambda _: answered, until=TOMORROW)
    with pytest.raises(TypeError, match=wanted):
        old.read(await old_cookie(user=42))


async def test_a_principal_of_identify_that_is_no_str_says_what_to_pass() -> None:
    with pytest.raises(TypeError, match=r"pass str\(user_id\)"):
        StarletteSessions(SECRET, identify, until=TOMORROW).read(await old_cookie(user=42))


@pytest.mark.parametrize(
    "until", ["2027-01-01", datetime(2027, 1, 1), datetime(2027, 1, 1, tzinfo=UTC), None]
)
async def test_an_until_that_is_no_date_is_refused_when_the_app_is_made(until: Any) -> None:
    with pytest.raises(InvalidSettings, match=r"until must be a datetime\.date.*, not"):
        StarletteSessions(SECRET, identify, until=until)
