"""Several tabs at once, on the real platform."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.person import Person

NEW = "another long passphrase"


def tab_of(person: Person) -> Person:
    """The same cookies as they are now; what is set later does not reach it."""
    tab = Person(person.origin, name=person.name, password=person.password)
    for cookie in person.http.cookies.jar:
        tab.http.cookies.jar.set_cookie(cookie)
    return tab


def meanwhile(
    act: Callable[[], httpx.Response], ask: list[Callable[[], httpx.Response]]
) -> list[httpx.Response]:
    """What the others were answered while ``act`` went on, the time just before and after included."""
    over, found = threading.Event(), []

    def insist(one: Callable[[], httpx.Response]) -> None:
        while not over.is_set():
            found.append(one())

    with ThreadPoolExecutor(len(ask)) as threads:
        working = [threads.submit(insist, one) for one in ask]
        time.sleep(0.1)
        assert act().status_code == 204
        time.sleep(0.1)
        over.set()
        for one in working:
            one.result()
    return found


def test_tabs_that_ask_while_the_password_changes_sign_nobody_out(edge_url: str):
    for _ in range(3):
        person = Person(edge_url).sign_up().sign_in()
        csrf = {"X-CSRF-Token": person.csrf()}
        tabs = [tab_of(person) for _ in range(3)]
        body = {"current": person.password, "new": NEW}
        found = meanwhile(
            lambda: person.http.put("/api/users/me/password", json=body, headers=csrf),  # noqa: B023
            [lambda tab=tab: tab.http.get("/api/users/me") for tab in tabs],  # type: ignore[misc]
        )
        assert person.http.get("/api/users/me").status_code == 200
        # The old token is refused; an answer to it must not wipe the cookie that is newer.
        assert {answer.status_code for answer in found} == {200, 401}
        assert not any("set-cookie" in answer.headers for answer in found)


def test_writes_under_way_bring_no_ended_session_back(edge_url: str):
    person = Person(edge_url).sign_up().sign_in()
    csrf = {"X-CSRF-Token": person.csrf()}
    tabs = [tab_of(person) for _ in range(4)]
    found = meanwhile(
        lambda: person.http.delete("/api/users/sessions/current", headers=csrf),
        [
            lambda tab=tab, sku=sku: tab.http.put(  # type: ignore[misc]
                f"/api/orders/cart/items/{sku}", json={"quantity": 1}, headers=csrf
            )
            for tab, sku in zip(tabs, ("steel-rule", "field-notebook") * 2, strict=True)
        ],
    )
    assert 200 in {answer.status_code for answer in found}
    assert {answer.status_code for answer in found} <= {200, 401, 403}
    assert not any("set-cookie" in answer.headers for answer in found)
    for tab in tabs:
        assert tab.http.get("/api/orders/orders").json()["end_reason"] == "logout"
        assert tab.http.get("/api/users/me").json()["end_reason"] == "logout"


def test_one_idempotency_key_from_many_tabs_is_one_order(edge_url: str):
    person = Person(edge_url).sign_up().sign_in()
    person.put_in_cart("steel-rule")
    csrf, items = person.csrf(), person.cart()
    tabs = [tab_of(person) for _ in range(6)]
    with ThreadPoolExecutor(len(tabs)) as threads:
        orders = threads.map(
            lambda tab: tab.order(items=items, key="one-key-for-all", **{"X-CSRF-Token": csrf}), tabs
        )
        answers = list(orders)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(person.http.get("/api/orders/orders").json()["items"]) == 1
    assert person.cart() == {}
