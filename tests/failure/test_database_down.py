"""PostgreSQL stopped: what needs it is 503, sessions are read all the same, and nobody is signed out."""

from __future__ import annotations

from tests.failure.test_store_down import wait_until_signed_in
from tests.person import Person


def test_with_postgresql_stopped_sessions_are_read_and_the_rest_is_503(
    person: Person, edge_url: str, platform, kill
):
    visitor = Person(edge_url)
    person.sign_in()
    token, csrf, body = person.cookie, person.csrf(), {"username": person.name, "password": person.password}
    kill("postgres", "INT")
    try:
        cart = person.http.get("/api/orders/cart")  # empty: it needs the session only
        assert cart.status_code == 200
        assert person.csrf()
        for who, method, path, sent in (
            (person, "GET", "/api/users/me", None),
            (person, "GET", "/api/users/sessions/current", None),
            (person, "GET", "/api/orders/orders", None),
            (person, "GET", "/api/orders/products", None),
            (visitor, "POST", "/api/users/sessions", body),
        ):
            headers = {"X-CSRF-Token": csrf} if who is person else {}
            answer = who.ask(method, path, json=sent, headers=headers)
            assert answer.status_code == 503, (method, path, answer.text)
            assert int(answer.headers["retry-after"]) >= 1
            assert answer.headers["content-type"] == "application/problem+json"
            assert "set-cookie" not in answer.headers
            assert answer.elapsed.total_seconds() < 5
    finally:
        platform.start()
    wait_until_signed_in(person)
    assert person.cookie == token
