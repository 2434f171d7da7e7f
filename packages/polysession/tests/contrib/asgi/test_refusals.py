"""What the ASGI adapter refuses: forged requests, and what the store did not answer or did not take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from polysession.core.errors import Unreadable
from polysession.core.manager import SessionManager
from polysession.stores.memory import MemoryStore
from polysession.testing import FailingStore
from starlette.responses import JSONResponse, Response

from .conftest import COOKIE, Visitor, make_starlette

pytestmark = pytest.mark.anyio

PAGE = {"Sec_Fetch_Mode": "navigate", "Accept": "text/html"}


def cookies(answer: httpx.Response) -> list[str]:
    return [header for header in answer.headers.get_list("Set-Cookie") if header.startswith(COOKIE)]


# --- CSRF


@pytest.mark.parametrize("given", [None, "", "x", "a" * 64, "é" * 64])
async def test_an_unsafe_request_without_a_fitting_token_is_403(visitor: Visitor, given: str | None) -> None:
    headers = {} if given is None else {"X-CSRF-Token": given.encode()}
    answer = await visitor.http.post("/put/theme/dark", headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 403
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert not cookies(answer)


async def test_the_token_may_come_as_a_form_field_and_the_app_still_gets_the_body(visitor: Visitor) -> None:
    token = (await visitor.get("/csrf")).json()["csrf_token"]
    answer = await visitor.http.post("/echo", data={"csrf_token": token, "name": "Ada"})
    assert answer.status_code == 200
    assert answer.text == f"csrf_token={token}&name=Ada"


async def test_a_form_that_is_too_long_for_its_field_to_be_sought_needs_the_header(visitor: Visitor) -> None:
    token = (await visitor.get("/csrf")).json()["csrf_token"]
    form = {"csrf_token": token, "text": "x" * 300_000}
    assert (await visitor.http.post("/echo", data=form)).status_code == 403
    answer = await visitor.http.post("/echo", data=form, headers={"X-CSRF-Token": token})
    assert answer.status_code == 200
    assert len(answer.content) > 300_000


async def test_a_token_of_another_browser_does_not_fit(new_visitor: Callable[..., Visitor]) -> None:
    visitor, other = new_visitor(), new_visitor()
    for one in (visitor, other):
        await one.post("/sign-in/ada")
    theirs = (await other.get("/csrf")).json()["csrf_token"]
    assert (await visitor.http.post("/rotate", headers={"X-CSRF-Token": theirs})).status_code == 403


async def test_exempt_paths_are_not_asked_for_a_token(visitor: Visitor) -> None:
    assert (await visitor.http.post("/webhook/one")).status_code == 200


# --- errors


def is_unavailable(answer: httpx.Response) -> bool:
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) >= 2
    assert "Set-Cookie" not in answer.headers
    assert answer.json()["detail"]
    return True


async def test_an_unknown_store_is_503_at_first_use_and_never_touches_the_cookie(
    visitor: Visitor, store: FailingStore
) -> None:
    await visitor.post("/sign-in/ada")
    before = visitor.token
    token = (await visitor.get("/csrf")).json()["csrf_token"]
    store.away.add("all")
    assert is_unavailable(await visitor.get("/me"))
    assert is_unavailable(await visitor.get("/read", **PAGE))
    assert is_unavailable(await visitor.http.post("/put/a/b", headers={"X-CSRF-Token": token}))
    assert (await visitor.get("/none")).status_code == 200
    assert visitor.token == before
    store.away.clear()
    assert (await visitor.get("/me")).json() == {"principal": "ada"}


async def test_an_optional_view_sees_an_empty_session_that_cannot_be_written(
    visitor: Visitor, store: FailingStore
) -> None:
    await visitor.post("/sign-in/ada")
    token = (await visitor.get("/csrf")).json()["csrf_token"]
    store.away.add("all")
    answer = await visitor.get("/optional", **PAGE)
    assert answer.json() == {"theme": None, "principal": None}
    assert not cookies(answer)
    assert is_unavailable(await visitor.http.post("/optional-write", headers={"X-CSRF-Token": token}))


async def test_a_write_that_gets_no_answer_is_503_in_place_of_the_views_answer(
    visitor: Visitor, store: FailingStore
) -> None:
    await visitor.post("/put/theme/dark")
    token = (await visitor.get("/csrf")).json()["csrf_token"]
    store.away.add("write")
    assert is_unavailable(await visitor.http.post("/put/theme/light", headers={"X-CSRF-Token": token}))
    store.away.clear()
    assert (await visitor.get("/read")).json() == {"theme": "dark"}


async def test_a_sign_out_that_gets_no_answer_keeps_the_cookie(visitor: Visitor, store: FailingStore) -> None:
    await visitor.post("/sign-in/ada")
    token = (await visitor.get("/csrf")).json()["csrf_token"]
    store.away.add("end")
    assert is_unavailable(await visitor.http.post("/sign-out", headers={"X-CSRF-Token": token}))
    assert visitor.token is not None


def with_ledger(manager: SessionManager, ledger: Any) -> Visitor:
    context = manager.context
    made = SessionManager(context.store, context.keys, clock=context.clock, ledger=ledger)
    return Visitor(make_starlette(made))


async def test_a_sign_out_while_the_store_is_away_is_202_by_the_ledger(
    manager: SessionManager, store: FailingStore, make_ledger: Any
) -> None:
    ledger = make_ledger()
    visitor = with_ledger(manager, ledger)
    await visitor.post("/sign-in/ada")
    session_id = manager.open(visitor.token).id
    token = (await visitor.get("/csrf")).json()["csrf_token"]
    store.away.add("all")
    assert is_unavailable(await visitor.http.post("/sign-out", headers={"X-CSRF-Token": "a" * 64}))
    answer = await visitor.http.post("/sign-out", headers={"X-CSRF-Token": token})
    assert answer.status_code == 202
    assert ledger.ended == [session_id]
    assert ["Max-Age=0" in one for one in cookies(answer)] == [True]
    assert visitor.token is None
    await visitor.http.aclose()


async def test_a_sign_out_that_neither_store_nor_ledger_takes_keeps_the_cookie(
    manager: SessionManager, store: FailingStore, make_ledger: Any
) -> None:
    visitor = with_ledger(manager, make_ledger(takes=False))
    await visitor.post("/sign-in/ada")
    token = (await visitor.get("/csrf")).json()["csrf_token"]
    store.away.add("all")
    assert is_unavailable(await visitor.http.post("/sign-out", headers={"X-CSRF-Token": token}))
    assert visitor.token is not None
    await visitor.http.aclose()


@pytest.mark.parametrize("path", ["/conflict", "/conflict?early=1"])
async def test_a_declared_conflict_is_409_at_the_end_and_where_the_view_commits(
    app: Any, visitor: Visitor, new_visitor: Callable[..., Visitor], path: str
) -> None:
    await visitor.post("/conflict")
    other = new_visitor()
    other.bring(visitor.token)

    async def in_between() -> None:
        app.state.between = nothing
        assert (await other.post("/conflict")).status_code == 200

    async def nothing() -> None: ...

    app.state.between = in_between
    answer = await visitor.post(path)
    assert answer.status_code == 409
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (await visitor.get("/read")).json() == {"balance": 2}


async def test_too_much_for_one_session_is_413_without_what_the_view_said(
    visitor: Visitor, caplog: Any
) -> None:
    answer = await visitor.post("/large")
    assert answer.status_code == 413
    assert "answered 413: attribute 'large'" in caplog.text
    assert "X-Of-The-View" not in answer.headers
    assert not cookies(answer)


async def test_a_session_that_ended_while_the_view_worked_is_401(
    app: Any, visitor: Visitor, manager: SessionManager
) -> None:
    await visitor.post("/sign-in/ada")

    async def revoke() -> None:
        manager.open(visitor.token).end("revoked")

    app.state.between = revoke
    answer = await visitor.post("/conflict")
    assert answer.status_code == 401
    assert answer.json()["end_reason"] == "revoked"


async def test_a_fault_of_the_view_saves_nothing_and_is_the_servers_to_answer(
    new_visitor: Callable[..., Visitor],
) -> None:
    visitor = new_visitor(faults=True)
    answer = await visitor.post("/fail")
    assert answer.status_code == 500
    assert (await visitor.get("/read")).json() == {}


async def test_a_session_that_cannot_be_read_is_a_fault_of_its_use_only(
    new_visitor: Callable[..., Visitor], store: FailingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = new_visitor(faults=True)
    await visitor.post("/sign-in/ada")

    def read(_address: object) -> None:
        raise Unreadable("the header")

    monkeypatch.setattr(MemoryStore, "read", lambda _store, address: read(address))
    assert (await visitor.get("/none")).status_code == 200
    answer = await visitor.get("/me")
    assert answer.status_code == 500
    assert not cookies(answer)


async def test_a_sign_in_before_a_fault_has_its_cookie_all_the_same(
    new_visitor: Callable[..., Visitor],
) -> None:
    visitor = new_visitor(faults=True)
    await visitor.post("/put/theme/dark")
    answer = await visitor.post("/sign-in-and-fail")
    assert answer.status_code == 500
    assert len(cookies(answer)) == 1
    assert (await visitor.get("/me")).json() == {"principal": "ada"}


async def test_an_older_generation_is_refused_as_ended(visitor: Visitor, manager: SessionManager) -> None:
    manager.end_principal("ada", generation=2)
    answer = await visitor.post("/sign-in/ada")
    assert answer.status_code == 401
    assert answer.json()["end_reason"] == "revoked"
    assert not cookies(answer)


async def test_an_app_tells_of_errors_in_its_own_form(manager: SessionManager) -> None:
    def own(status: int, detail: str, **_: object) -> Response:
        return JSONResponse({"oops": detail}, status)

    visitor = Visitor(make_starlette(manager, problem=own))
    assert list((await visitor.get("/me")).json()) == ["oops"]
    await visitor.http.aclose()
