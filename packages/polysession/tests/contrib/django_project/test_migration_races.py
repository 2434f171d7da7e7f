"""Old sessions under real concurrency: an event loop and threads, on the Redis Cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.sessions.backends.cache import SessionStore as CacheStore
from django.http import HttpRequest, JsonResponse
from django.test import AsyncClient, Client
from django.urls import clear_url_caches, path
from polysession import connect
from polysession.core.manager import SessionManager
from polysession.testing import make_keys

from .conftest import COOKIE, Urls

PARALLEL = 8


async def aread_old(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"theme": await request.session.aget("theme")})


def read_old(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"theme": request.session.get("theme")})


@pytest.fixture(autouse=True)
def _project(settings: Any) -> Iterator[None]:
    settings.POLYSESSION_MIGRATE_FROM = "django.contrib.sessions.backends.cache"
    settings.POLYSESSION_MIGRATE_UNTIL = (datetime.now(UTC) + timedelta(days=5)).date()
    settings.MIDDLEWARE = settings.MIDDLEWARE[:1]  # no database
    before = list(Urls.urlpatterns)
    Urls.urlpatterns[:] = [*before, path("aread-old", aread_old), path("read-old", read_old)]
    clear_url_caches()
    yield
    Urls.urlpatterns[:] = before
    clear_url_caches()


@pytest.fixture(params=[True, False], ids=["asynchronous", "synchronous"])
def manager(  # in place of the project's
    request: Any, settings: Any, redis_nodes: Any, redis_prefix: str
) -> Iterator[SessionManager]:
    made = connect(
        redis_nodes, make_keys(), prefix=redis_prefix, deadline_ms=5000, asynchronous=request.param
    )
    settings.POLYSESSION_MANAGER = made
    yield made
    made.close()


def old_cookie(trial: int) -> str:
    held = CacheStore()
    held["theme"] = f"dark {trial}"
    held.save()
    return str(held.session_key)


def judge(trial: int, answers: list[Any], cookie: str) -> None:
    assert [answer.json() for answer in answers] == [{"theme": f"dark {trial}"}] * PARALLEL
    assert len({answer.cookies[COOKIE].value for answer in answers}) == 1
    assert {answer.cookies["sessionid"].value for answer in answers} == {""}
    assert not CacheStore(cookie).load()


def test_on_an_event_loop_parallel_requests_get_one_session(manager: SessionManager) -> None:
    async def get(cookie: str) -> Any:
        client = AsyncClient()
        client.cookies["sessionid"] = cookie
        return await client.get("/aread-old")

    async def trials() -> None:
        for trial in range(5):
            cookie = old_cookie(trial)
            judge(trial, await asyncio.gather(*(get(cookie) for _ in range(PARALLEL))), cookie)

    asyncio.run(trials())


def test_in_threads_parallel_requests_get_one_session(manager: SessionManager) -> None:
    def get(cookie: str) -> Any:
        client = Client()
        client.cookies["sessionid"] = cookie
        return client.get("/read-old")

    with ThreadPoolExecutor(PARALLEL) as pool:
        for trial in range(5):
            cookie = old_cookie(trial)
            judge(trial, list(pool.map(get, [cookie] * PARALLEL)), cookie)
