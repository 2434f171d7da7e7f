"""The shared session in Starlette and FastAPI: mapping, cookie, activity, identity."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from polysession.contrib.asgi import SessionMiddleware
from polysession.core.errors import InvalidSettings
from polysession.core.manager import SessionManager
from polysession.stores.redis import RedisStore
from polysession.testing import FailingStore, FakeClock, make_keys

pytestmark = pytest.mark.anyio

COOKIE = "__Host-session"
PAGE = {"Sec_Fetch_Mode": "navigate", "Accept": "text/html"}
MINUTE = 60


def cookies(answer: httpx.Response) -> list[str]:
    return [header for header in answer.headers.get_list("Set-Cookie") if header.startswith(COOKIE)]


# --- the mapping


async def test_what_is_put_in_is_there_at_the_next_request(visitor: Any) -> None:
    await visitor.post("/put/theme/dark")
    assert (await visitor.get("/read")).json() == {"theme": "dark"}


async def test_a_nested_change_is_found_without_saying_so(visitor: Any) -> None:
    await visitor.post("/nested/clock")
    await visitor.post("/nested/compass")
    assert (await visitor.get("/read")).json() == {"cart": {"lines": ["clock", "compass"]}}


async def test_a_sync_endpoint_in_a_worker_thread_has_the_same_mapping(visitor: Any) -> None:
    await visitor.post("/in-thread")
    await visitor.post("/in-thread")
    assert (await visitor.get("/read")).json() == {"thread": 2}


async def test_no_update_of_many_requests_at_once_is_lost(
    visitor: Any, new_visitor: Callable[..., Any]
) -> None:
    await visitor.post("/visit")

    async def once() -> None:
        other = new_visitor()
        other.bring(visitor.token)
        await other.post("/visit")

    await asyncio.gather(*(once() for _ in range(20)))
    assert (await visitor.get("/read")).json() == {"visits": 21}


# --- what is asked


async def test_a_request_that_reads_asks_once_and_one_without_a_token_never(
    visitor: Any, store: FailingStore
) -> None:
    for path in ("/none", "/read", "/csrf", "/optional"):
        assert not cookies(await visitor.get(path))
    assert store.asked == []
    await visitor.post("/put/theme/dark")
    await visitor.get("/read")
    store.asked.clear()
    await visitor.get("/read")
    assert store.asked == ["read"]


async def test_paths_without_a_session_ask_nothing(visitor: Any, store: FailingStore) -> None:
    await visitor.post("/put/theme/dark")
    store.asked.clear()
    answer = await visitor.get("/assets/logo")
    assert answer.status_code == 200
    assert "X-Session-Id" not in answer.headers
    assert store.asked == []


async def test_a_forged_cookie_asks_nothing(visitor: Any, store: FailingStore) -> None:
    visitor.bring("a" * 70)
    answer = await visitor.get("/read")
    assert answer.json() == {}
    assert "X-Session-Id" not in answer.headers
    assert store.asked == []


def test_a_store_that_would_block_the_loop_is_refused_when_the_app_is_made() -> None:
    blocking = SessionManager(RedisStore([("redis", 6379)]), make_keys())
    with pytest.raises(InvalidSettings, match="asynchronous=True"):
        SessionMiddleware(FastAPI(), manager=blocking)


# --- the cookie


async def test_the_cookie_is_set_at_creation_with_every_flag(visitor: Any) -> None:
    (cookie,) = cookies(await visitor.post("/put/theme/dark"))
    for flag in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert flag in cookie.split("; ")
    assert "Domain" not in cookie


async def test_a_touch_and_a_write_never_set_the_cookie(visitor: Any, clock: FakeClock) -> None:
    await visitor.post("/put/theme/dark")
    clock.advance(seconds=30 * MINUTE)
    assert not cookies(await visitor.get("/read"))
    assert not cookies(await visitor.post("/put/theme/light"))


async def test_signing_in_sets_a_new_cookie_and_keeps_the_attributes(visitor: Any) -> None:
    await visitor.post("/put/theme/dark")
    before = visitor.token
    (cookie,) = cookies(await visitor.post("/sign-in/ada"))
    assert before is not None
    assert before not in cookie
    assert (await visitor.get("/me")).json() == {"principal": "ada"}
    assert (await visitor.get("/read")).json() == {"theme": "dark"}


async def test_a_token_planted_before_sign_in_opens_nothing_after_it(
    visitor: Any, new_visitor: Callable[..., Any]
) -> None:
    await visitor.post("/put/theme/dark")
    planted = visitor.token
    await visitor.post("/sign-in/ada")
    thief = new_visitor()
    thief.bring(planted)
    assert (await thief.get("/me")).status_code == 401


async def test_a_rotation_sets_the_cookie_and_refuses_the_old_one(
    visitor: Any, new_visitor: Callable[..., Any]
) -> None:
    await visitor.post("/sign-in/ada")
    old = visitor.token
    assert len(cookies(await visitor.post("/rotate"))) == 1
    assert (await visitor.get("/me")).status_code == 200
    late = new_visitor()
    late.bring(old)
    assert (await late.get("/me")).status_code == 401


async def test_signing_out_clears_the_cookie_and_ends_the_session(
    visitor: Any, new_visitor: Callable[..., Any]
) -> None:
    await visitor.post("/sign-in/ada")
    copy = visitor.token
    (cookie,) = cookies(await visitor.post("/sign-out"))
    assert "Max-Age=0" in cookie
    assert visitor.token is None
    other = new_visitor()
    other.bring(copy)
    answer = await other.get("/me")
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["end_reason"] == "logout"


async def test_a_sync_endpoint_signs_out_by_way_of_the_loop(visitor: Any, manager: SessionManager) -> None:
    await visitor.post("/sign-in/ada")
    (cookie,) = cookies(await visitor.post("/sign-out-in-thread"))
    assert "Max-Age=0" in cookie
    assert manager.sessions("ada") == ()


async def test_a_stale_cookie_is_cleared_by_a_page_navigation_only(
    visitor: Any, manager: SessionManager
) -> None:
    await visitor.post("/sign-in/ada")
    manager.open(visitor.token).end("revoked")
    assert not cookies(await visitor.get("/read"))
    assert not cookies(await visitor.get("/read", Accept="application/json"))
    assert not cookies(await visitor.get("/read", Sec_Fetch_Mode="cors", Accept="text/html"))
    (cookie,) = cookies(await visitor.get("/read", **PAGE))
    assert "Max-Age=0" in cookie


async def test_answers_vary_on_the_cookie_only_where_the_session_was_used(visitor: Any) -> None:
    await visitor.post("/put/theme/dark")
    assert "Vary" not in (await visitor.get("/none")).headers
    assert (await visitor.get("/read")).headers["Vary"] == "Cookie"


async def test_the_session_id_is_answered_where_the_token_is_genuine(visitor: Any) -> None:
    assert "X-Session-Id" not in (await visitor.get("/read")).headers
    created = await visitor.post("/put/theme/dark")
    answer = await visitor.get("/none")
    assert len(answer.headers["X-Session-Id"]) == 16
    assert answer.headers["X-Session-Id"] == created.headers["X-Session-Id"]


# --- activity


async def test_requests_keep_a_session_alive_and_passive_or_unconcerned_ones_do_not(
    visitor: Any, clock: FakeClock
) -> None:
    await visitor.post("/sign-in/ada")
    await visitor.get("/me")
    for _ in range(4):
        clock.advance(seconds=20 * MINUTE)
        assert (await visitor.get("/me")).status_code == 200
    for passive in ({"path": "/poll"}, {"path": "/me", "X_Session_Passive": "1"}, {"path": "/none"}):
        clock.advance(seconds=20 * MINUTE)
        await visitor.get("/me")
        clock.advance(seconds=20 * MINUTE)
        assert (await visitor.get(**passive)).status_code == 200
        clock.advance(seconds=15 * MINUTE)
        answer = await visitor.get("/me")
        assert answer.status_code == 401
        assert answer.json()["end_reason"] == "idle"
        visitor.http.cookies.clear()
        await visitor.post("/sign-in/ada")


async def test_many_users_at_once_on_one_loop_see_their_own_session(new_visitor: Callable[..., Any]) -> None:
    async def use(name: str) -> None:
        one = new_visitor()
        await one.post(f"/sign-in/{name}")
        for _ in range(5):
            assert (await one.get("/me")).json() == {"principal": name}

    await asyncio.gather(*(use(f"user{number}") for number in range(20)))


# --- step-up


async def test_what_wants_a_recent_proof_refuses_an_older_one_until_it_is_given_again(
    visitor: Any, clock: FakeClock
) -> None:
    assert (await visitor.get("/email")).status_code == 401
    await visitor.post("/sign-in/ada")
    assert (await visitor.get("/email")).json() == {"principal": "ada"}
    clock.advance(seconds=301)
    answer = await visitor.get("/email")
    assert answer.status_code == 403
    assert "insufficient_user_authentication" in answer.headers["WWW-Authenticate"]
    assert (await visitor.get("/email?max_age=9999")).status_code == 403
    before = visitor.token
    assert len(cookies(await visitor.post("/prove"))) == 1
    assert visitor.token != before
    assert (await visitor.get("/email")).status_code == 200


async def test_who_is_not_signed_in_has_nothing_to_prove_again(new_visitor: Callable[..., Any]) -> None:
    visitor = new_visitor(faults=True)
    assert (await visitor.post("/prove")).status_code == 500
