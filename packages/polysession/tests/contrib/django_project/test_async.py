"""Asynchronous views of Django: on the event loop's own thread, with the same rules as synchronous ones."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import (
    aauthenticate,
    aget_user,
    alogin,
    alogout,
    aupdate_session_auth_hash,
    get_user_model,
)
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import AsyncClient
from django.urls import path
from polysession import connect
from polysession.contrib.django import SessionStore, acheck_csrf, acsrf_token, session_optional
from polysession.core import bridge
from polysession.core.manager import SessionManager
from polysession.testing import FailingStore, FakeClock, make_keys, memory_manager

from .conftest import COOKIE, PASSWORD, Urls

THREADS: list[int] = []  # of the views


async def aput(request: HttpRequest, name: str, value: str) -> HttpResponse:
    THREADS.append(threading.get_ident())
    await request.session.aset(name, value)
    return HttpResponse()


async def aread(request: HttpRequest) -> HttpResponse:
    THREADS.append(threading.get_ident())
    return JsonResponse(
        {name: value for name, value in await request.session.aitems() if not name.startswith("_")}
    )


async def anested(request: HttpRequest, line: str) -> HttpResponse:
    cart = await request.session.asetdefault("cart", {"lines": []})
    cart["lines"].append(line)
    return HttpResponse()


async def avisit(request: HttpRequest) -> HttpResponse:
    await request.session.aupdate("visits", lambda visits: visits + 1, default=0)
    return HttpResponse()


async def asign_in(request: HttpRequest) -> HttpResponse:
    user = await aauthenticate(request, username=request.POST["username"], password=request.POST["password"])
    if user is None:
        return HttpResponse(status=401)
    await alogin(request, user)
    return JsonResponse({"token": await acsrf_token(request)})


async def asign_out(request: HttpRequest) -> HttpResponse:
    await alogout(request)
    return HttpResponse()


async def awho(request: HttpRequest) -> HttpResponse:
    user, again = await request.auser(), await aget_user(request)
    assert user == again
    return JsonResponse({"user": user.get_username()})


async def anew_password(request: HttpRequest) -> HttpResponse:
    user = request.user = await request.auser()  # Django 5.2 compares it with the lazy, synchronous one
    user.set_password(request.POST["password"])
    await user.asave()
    await aupdate_session_auth_hash(request, user)
    return HttpResponse()


async def atoken(request: HttpRequest) -> HttpResponse:
    from django.middleware.csrf import get_token

    token = await acsrf_token(request)
    return JsonResponse({"token": token, "template": get_token(request), "fits": await acheck_csrf(request)})


@session_optional
async def acatalogue(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"theme": await request.session.aget("theme", "light")})


ROUTES = [
    path("aput/<name>/<value>", aput),
    path("aread", aread),
    path("anested/<line>", anested),
    path("avisit", avisit),
    path("asign-in", asign_in),
    path("asign-out", asign_out),
    path("awho", awho),
    path("anew-password", anew_password),
    path("atoken", atoken),
    path("acatalogue", acatalogue),
]


@pytest.fixture(autouse=True)
def _routes() -> Iterator[None]:
    from django.urls import clear_url_caches

    before = list(Urls.urlpatterns)
    Urls.urlpatterns[:] = before + ROUTES
    clear_url_caches()
    yield
    Urls.urlpatterns[:] = before
    clear_url_caches()


class WatchedStore(FailingStore):
    """Keeps the threads in which it was asked."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.threads: set[int] = set()

    def read(self, *arguments: Any, **named: Any) -> Any:
        self.threads.add(threading.get_ident())
        return super().read(*arguments, **named)

    def write(self, *arguments: Any, **named: Any) -> Any:
        self.threads.add(threading.get_ident())
        return super().write(*arguments, **named)


def run(work: Callable[[AsyncClient], Coroutine[Any, Any, None]], **options: Any) -> None:
    """``async_to_sync``: the database is asked in this thread, whose transaction the test is."""
    async_to_sync(work)(AsyncClient(**options))


@pytest.fixture(params=["memory", "redis"])
def manager(  # in place of the project's
    request: pytest.FixtureRequest, settings: Any, clock: FakeClock, redis_prefix: str
) -> Iterator[SessionManager]:
    if request.param == "memory":
        made = memory_manager(clock=clock, store=FailingStore(clock))
    else:
        nodes = request.getfixturevalue("redis_nodes")
        made = connect(nodes, make_keys(), prefix=redis_prefix, deadline_ms=5000, asynchronous=True)
    settings.POLYSESSION_MANAGER = made
    yield made
    made.close()


# --- the session


def test_what_an_asynchronous_view_puts_in_is_there_for_both_kinds() -> None:
    async def work(client: AsyncClient) -> None:
        await client.post("/aput/theme/dark")
        assert (await client.get("/aread")).json() == {"theme": "dark"}
        assert (await client.get("/read")).json() == {"theme": "dark"}
        await client.get("/put/size/small")
        assert (await client.get("/aread")).json() == {"theme": "dark", "size": "small"}

    run(work)


def test_nested_changes_and_updates_are_found() -> None:
    async def work(client: AsyncClient) -> None:
        for line in ("clock", "compass"):
            await client.post(f"/anested/{line}")
            await client.post("/avisit")
        assert (await client.get("/aread")).json() == {"cart": {"lines": ["clock", "compass"]}, "visits": 2}

    run(work)


def test_a_request_stays_on_the_thread_of_its_loop(
    settings: Any, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = WatchedStore(clock)
    settings.POLYSESSION_MANAGER = memory_manager(clock=clock, store=store)
    settings.MIDDLEWARE = settings.MIDDLEWARE[:3]  # the others are Django's own
    hops: list[Any] = []
    monkeypatch.setattr("polysession.contrib.django.asynchronous.sync_to_async", hops.append)

    async def work(client: AsyncClient) -> None:
        THREADS.clear()
        await client.post("/aput/theme/dark")
        await client.post("/aput/theme/light")
        await client.get("/aread")
        assert store.threads == {threading.get_ident()} == set(THREADS)

    run(work)
    assert hops == []


def test_a_manager_that_would_block_is_asked_in_a_thread(settings: Any, clock: FakeClock) -> None:
    class Blocking(WatchedStore):
        asynchronous = False

    store = Blocking(clock)
    settings.POLYSESSION_MANAGER = memory_manager(clock=clock, store=store)
    loops: set[int] = set()

    async def work(client: AsyncClient) -> None:
        loops.add(threading.get_ident())
        await client.post("/aput/theme/dark")
        assert (await client.get("/aread")).json() == {"theme": "dark"}

    run(work)
    assert store.threads
    assert not store.threads & loops


def test_every_asynchronous_name_of_djangos_sessions_has_our_rules() -> None:
    """One that Django adds, or that we forget, would change attributes outside of a bridge."""
    names = {
        name
        for name, member in vars(SessionBase).items()
        if name.startswith("a") and inspect.iscoroutinefunction(getattr(member, "__func__", member))
    }
    assert len(names) > 20
    ours = {name for name in names if getattr(SessionStore, name).__module__.startswith("polysession")}
    assert names == ours


# --- identity


def test_signing_in_and_out_by_djangos_asynchronous_functions(ada: Any) -> None:
    async def work(client: AsyncClient) -> None:
        await client.post("/aput/theme/dark")
        planted = client.cookies[COOKIE].value
        assert (await client.post("/asign-in", {"username": "ada", "password": "wrong"})).status_code == 401
        await client.post("/asign-in", {"username": "ada", "password": PASSWORD})
        assert client.cookies[COOKIE].value != planted
        assert (await client.get("/awho")).json() == {"user": "ada"}
        assert (await client.get("/who")).json()["user"] == "ada"
        assert (await client.get("/aread")).json() == {"theme": "dark"}
        copy = client.cookies[COOKIE].value
        answer = await client.post("/asign-out")
        assert answer.cookies[COOKIE]["max-age"] == 0
        client.cookies[COOKIE] = copy
        assert (await client.get("/awho")).json() == {"user": ""}

    run(work)


def test_a_new_password_keeps_this_session_under_a_new_token(ada: Any) -> None:
    async def work(client: AsyncClient) -> None:
        await client.post("/asign-in", {"username": "ada", "password": PASSWORD})
        before = client.cookies[COOKIE].value
        await client.post("/anew-password", {"password": "another one"})
        assert client.cookies[COOKIE].value != before
        assert (await client.get("/awho")).json() == {"user": "ada"}

    run(work)


# --- CSRF


def test_an_unsafe_request_needs_a_token_of_its_own_session(ada: Any) -> None:
    async def work(client: AsyncClient) -> None:
        assert (await client.post("/aput/theme/dark")).status_code == 403
        answer = await client.get("/atoken")
        given = answer.json()
        for token in (given["token"], given["template"]):
            answer = await client.post("/aput/theme/dark", headers={"X-CSRF-Token": token})
            assert answer.status_code == 200
        answer = await client.post(
            "/asign-in",
            {"username": "ada", "password": PASSWORD, "csrfmiddlewaretoken": given["token"]},
        )
        assert answer.status_code == 200
        assert (await client.post("/aput/a/b", headers={"X-CSRF-Token": given["token"]})).status_code == 403
        headers = {"X-CSRF-Token": answer.json()["token"]}
        assert (await client.post("/aput/a/b", headers=headers)).status_code == 200
        assert (await client.get("/atoken", headers=headers)).json()["fits"] is True

    run(work, enforce_csrf_checks=True)


def count_users(request: HttpRequest, reason: str = "") -> HttpResponse:
    return HttpResponse(f"{reason} {get_user_model().objects.count()}", status=403)


def test_the_apps_own_answer_to_a_missing_token_may_use_the_database(
    monkeypatch: pytest.MonkeyPatch, ada: Any
) -> None:
    monkeypatch.setattr("django.middleware.csrf._get_failure_view", lambda: count_users)

    async def work(client: AsyncClient) -> None:
        answer = await client.post("/aput/theme/dark")
        assert (answer.status_code, answer.content[-1:]) == (403, b"1")

    run(work, enforce_csrf_checks=True)


# --- an unknown store


def test_an_unknown_store_is_503_and_the_cookie_stays(settings: Any, clock: FakeClock) -> None:
    store = FailingStore(clock)
    settings.POLYSESSION_MANAGER = memory_manager(clock=clock, store=store)

    async def work(client: AsyncClient) -> None:
        await client.post("/aput/theme/dark")
        store.away.add("all")
        answer = await client.get("/aread")
        assert (answer.status_code, answer["Retry-After"], dict(answer.cookies)) == (503, "3", {})
        assert (await client.get("/acatalogue")).json() == {"theme": "light"}
        store.away.clear()
        assert (await client.get("/aread")).json() == {"theme": "dark"}

    run(work)


# --- the ledger


def test_the_ledger_is_asked_in_djangos_thread_for_synchronous_code() -> None:
    """Whose database connections Django closes; ``async_to_sync`` makes it this one."""
    from polysession.contrib.django.ledger.ledger import DjangoLedger

    class Ledger:
        hop = staticmethod(DjangoLedger.hop)

        def where(self) -> int:
            return threading.get_ident()

    assert async_to_sync(bridge.run)(bridge.hopping(Ledger()).where) == threading.get_ident()
