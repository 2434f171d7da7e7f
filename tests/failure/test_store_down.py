"""Absent is not unknown: a store that gives no answer signs nobody out."""

from __future__ import annotations

import time

import httpx

from tests.person import Person


def wait_until_signed_in(person: Person, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answers = [person.http.get(path) for path in ("/api/users/me", "/api/orders/orders")]
        assert {a.status_code for a in answers} <= {200, 503}, [a.text for a in answers]
        if {a.status_code for a in answers} == {200}:
            return
        time.sleep(0.2)
    raise AssertionError("the store did not come back")


def cookie_name(person: Person) -> str:
    return next(c.name for c in person.http.cookies.jar if c.name.endswith("session"))


def test_with_all_of_redis_stopped_the_answer_is_503_and_the_cookie_stays_and_a_sign_out_is_202(
    person: Person, platform, kill, redis_programs
):
    person.sign_in()
    person.put_in_cart("steel-rule", 3)
    token = person.cookie
    csrf = {"X-CSRF-Token": person.csrf()}
    other = person.elsewhere()
    others_token, others_csrf = other.cookie, other.csrf()
    for program in redis_programs:
        kill(program, "TERM")
    try:
        for method, path in (
            ("GET", "/api/users/me"), ("GET", "/api/users/sessions/current"), ("GET", "/api/orders/orders"),
            ("GET", "/api/orders/cart"), ("PUT", "/api/orders/cart/items/steel-rule"),
        ):  # fmt: skip
            body = {"quantity": 1} if method == "PUT" else None
            answer = person.ask(method, path, json=body, headers=csrf)
            assert answer.status_code == 503, (method, path, answer.text)
            assert int(answer.headers["retry-after"]) >= 1
            assert "set-cookie" not in answer.headers
            assert answer.headers["content-type"] == "application/problem+json"
        anonymous = httpx.get(person.origin + "/api/orders/products", trust_env=False)
        assert anonymous.status_code == 200  # no cookie, no call
        # The ledger takes a sign-out, and the keeper carries it on.
        answer = other.ask("DELETE", "/api/users/sessions/current", headers={"X-CSRF-Token": others_csrf})
        assert answer.status_code == 202, answer.text
        assert other.cookie is None
    finally:
        platform.start()
    wait_until_signed_in(person)
    other.http.cookies.set(cookie_name(person), str(others_token))
    deadline = time.monotonic() + 30
    while (status := other.http.get("/api/orders/orders").status_code) != 401 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert status == 401
    assert person.cookie == token
    assert person.cart() == {"steel-rule": 3}


def store_is_up(readyz: str) -> bool:
    """To any of the service's workers, each of which looks for itself: one of several answers is its own only."""
    answers = [httpx.get(readyz, trust_env=False) for _ in range(8)]
    assert {answer.status_code for answer in answers} == {200}
    return any(answer.json()["dependencies"]["store"]["up"] for answer in answers)


def test_a_lost_store_shows_in_readyz_but_empties_no_service(platform, kill, redis_programs):
    url = f"http://127.0.0.1:{platform.layout.ports.orders}/readyz"
    for program in redis_programs:
        kill(program, "TERM")
    try:
        deadline = time.monotonic() + 30
        while store_is_up(url) and time.monotonic() < deadline:
            time.sleep(0.5)
        assert not store_is_up(url)
    finally:
        platform.start()


def test_with_the_users_service_stopped_an_order_is_503_and_nothing_is_lost(person: Person, kill, start):
    person.sign_in()
    person.put_in_cart("steel-rule")
    csrf, items = person.csrf(), person.cart()
    kill("users", "TERM")
    try:
        answer = person.order(items=items, key="retry-after-outage", **{"X-CSRF-Token": csrf})
        assert answer.status_code == 503, answer.text
        assert int(answer.headers["retry-after"]) >= 1
        assert person.cart() == items
    finally:
        start("users")
    assert person.order(items=items, key="retry-after-outage").status_code == 201
    assert person.cart() == {}
