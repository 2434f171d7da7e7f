"""One session in Django and Flask, through the edge, on the real Redis Cluster."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.person import Person

SKU, OTHER = "steel-rule", "field-notebook"


def test_flask_sees_the_session_that_django_made_at_the_next_request(person: Person):
    assert person.http.get("/api/orders/orders").status_code == 401
    person.sign_in()
    assert person.http.get("/api/orders/orders").json() == {"items": []}


def test_both_frameworks_refuse_the_token_at_the_next_request_after_sign_out(person: Person):
    person.sign_in()
    token = person.cookie
    assert token
    assert person.ask("DELETE", "/api/users/sessions/current").status_code == 204
    assert person.cookie is None
    for path in ("/api/users/me", "/api/orders/orders"):
        answer = httpx.get(person.origin + path, cookies={"session": token}, trust_env=False)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["end_reason"] == "logout"


def test_signing_out_everywhere_ends_every_device_in_both_frameworks(person: Person):
    person.sign_in()
    devices = [person.elsewhere() for _ in range(3)]
    tokens = [device.cookie for device in (person, *devices)]
    assert len(set(tokens)) == 4
    assert person.ask("DELETE", "/api/users/sessions", params={"scope": "all"}).status_code == 204
    for token in tokens:
        for path in ("/api/users/me", "/api/orders/orders"):
            answer = httpx.get(person.origin + path, cookies={"session": str(token)}, trust_env=False)
            assert answer.status_code == 401, path


def test_signing_out_elsewhere_keeps_this_device_only(person: Person):
    person.sign_in()
    other = person.elsewhere()
    assert person.ask("DELETE", "/api/users/sessions", params={"scope": "others"}).status_code == 204
    assert person.http.get("/api/orders/orders").status_code == 200
    gone = other.http.get("/api/orders/orders")
    assert (gone.status_code, gone.json()["end_reason"]) == (401, "revoked")


def test_a_device_is_listed_and_ended_by_its_session_id(person: Person):
    person.sign_in()
    other = person.elsewhere()
    listed = {one["id"]: one for one in person.http.get("/api/users/sessions").json()["items"]}
    assert listed.keys() == {person.current()["id"], other.current()["id"]}
    assert [one["current"] for one in listed.values()].count(True) == 1
    assert listed[other.current()["id"]]["user_agent"] == "another device"
    assert person.ask("DELETE", f"/api/users/sessions/{other.current()['id']}").status_code == 204
    assert other.http.get("/api/users/me").status_code == 401
    assert person.http.get("/api/users/me").status_code == 200


def test_nobody_ends_the_session_of_somebody_else(person: Person, edge_url: str):
    person.sign_in()
    stranger = Person(edge_url).sign_up().sign_in()
    answer = stranger.ask("DELETE", f"/api/users/sessions/{person.current()['id']}")
    assert answer.status_code == 404
    assert person.http.get("/api/users/me").status_code == 200


def test_the_cart_survives_sign_in(person: Person):
    assert person.put_in_cart(SKU, 2).status_code == 200
    before = person.cookie
    person.sign_in()
    assert person.cart() == {SKU: 2}
    assert person.cookie != before


def test_a_token_planted_before_sign_in_never_reaches_what_follows_it(person: Person):
    """Fixation: OWASP Session Management Cheat Sheet, "Renew the Session ID After Any Privilege Level Change"."""
    person.put_in_cart(SKU)
    planted = str(person.cookie)
    person.sign_in()
    answer = httpx.get(person.origin + "/api/users/me", cookies={"session": planted}, trust_env=False)
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


def test_a_sign_in_and_a_cart_write_at_once_lose_nothing(person: Person):
    """Another tab puts something in the cart while this one signs in: it is in the old session or in the new one."""
    assert person.put_in_cart(SKU).status_code == 200
    anonymous = Person(person.origin, name=person.name)
    anonymous.http.cookies.update(person.http.cookies)
    with ThreadPoolExecutor(2) as threads:
        late = threads.submit(anonymous.put_in_cart, OTHER)
        signing_in = threads.submit(person.sign_in)
        signing_in.result()
        if late.result().status_code == 200:
            merged = person.cart().keys() == {SKU, OTHER}
            own = anonymous.http.get("/api/orders/cart").json()["items"]
            assert merged or OTHER in {line["sku"] for line in own}
    assert SKU in person.cart()


def test_two_tabs_that_fill_the_cart_at_once_lose_nothing(person: Person):
    skus = [p["sku"] for p in person.http.get("/api/orders/products").json()["items"]][:16]
    person.put_in_cart(skus[0])
    headers = {"X-CSRF-Token": person.csrf()}

    def put(sku: str) -> int:
        return person.ask(
            "PUT", f"/api/orders/cart/items/{sku}", json={"quantity": 1}, headers=headers
        ).status_code

    with ThreadPoolExecutor(8) as tabs:
        assert set(tabs.map(put, skus)) == {200}
    assert person.cart().keys() == set(skus)


def test_changing_the_password_rotates_this_token_and_ends_every_other_session(person: Person):
    person.sign_in()
    other, before, session_id = person.elsewhere(), person.cookie, person.current()["id"]
    answer = person.ask(
        "PUT", "/api/users/me/password", json={"current": person.password, "new": "another long passphrase"}
    )
    assert answer.status_code == 204, answer.text
    assert person.cookie != before
    assert person.current()["id"] == session_id
    assert person.http.get("/api/orders/orders").status_code == 200
    assert other.http.get("/api/orders/orders").status_code == 401
    old = httpx.get(person.origin + "/api/users/me", cookies={"session": str(before)}, trust_env=False)
    assert old.status_code == 401


@pytest.mark.parametrize(
    "path", ["/api/users/csrf", "/api/users/sessions/current", "/api/orders/products", "/api/orders/cart"]
)
def test_no_get_creates_a_session(edge_url: str, path: str):
    answer = httpx.get(edge_url + path, trust_env=False)
    assert answer.status_code == 200
    assert not [
        c for c in answer.headers.get_list("set-cookie") if c.startswith(("session=", "__Host-session="))
    ]


@pytest.mark.parametrize("token", ["", "x", "a" * 70, "s" * 70, "é" * 35, "a" * 5000])
def test_a_malformed_token_is_no_session_and_no_fault(edge_url: str, token: str):
    headers = {"Cookie": b"session=" + token.encode()}
    for path, status in (
        ("/api/users/sessions/current", 200),
        ("/api/orders/cart", 200),
        ("/api/orders/orders", 401),
    ):
        assert httpx.get(edge_url + path, headers=headers, trust_env=False).status_code == status


def test_a_forged_token_is_no_session(person: Person):
    person.sign_in()
    token = str(person.cookie)
    for position in (0, 1, 3, 10, 25, 40, 60, 69):
        forged = token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]
        answer = httpx.get(person.origin + "/api/orders/orders", cookies={"session": forged}, trust_env=False)
        assert answer.status_code == 401, position
    assert person.http.get("/api/orders/orders").status_code == 200
