"""The edge: what it lets through, what it adds, what it takes away."""

from __future__ import annotations

import httpx
import pytest

from tests.person import Person


@pytest.mark.parametrize(
    "path",
    [
        "/internal/users/00000000-0000-0000-0000-000000000000",
        "/api/users/../../internal/users/x",
        "/api/users/%2e%2e/%2e%2e/internal/users/x",
        "/api/users/..%2f..%2finternal/users/x",
        "//internal/users/x",
        "/metrics",
        "/livez",
        "/readyz",
        "/api/users/metrics",
        "/telemetry/v1/metrics",
        "/telemetry/v1/traces",
        "/api",
    ],
)
@pytest.mark.parametrize("accept", ["*/*", "text/html"])
def test_what_is_not_on_the_allow_list_is_404(edge_url: str, path: str, accept: str):
    answer = httpx.get(
        httpx.URL(edge_url).copy_with(raw_path=path.encode()), headers={"Accept": accept}, trust_env=False
    )
    assert answer.status_code == 404
    assert "<html" not in answer.text.lower() or "/internal" not in path


def test_a_navigation_gets_the_shell_and_a_program_does_not(edge_url: str):
    page = httpx.get(edge_url + "/devices", headers={"Accept": "text/html"}, trust_env=False)
    assert page.status_code == 200
    assert '<div id="root"' in page.text
    assert (
        httpx.get(edge_url + "/devices", headers={"Accept": "application/json"}, trust_env=False).status_code
        == 404
    )


def test_the_content_security_policy_allows_nothing_inline(edge_url: str):
    policy = httpx.get(edge_url + "/", headers={"Accept": "text/html"}, trust_env=False).headers[
        "content-security-policy"
    ]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_nothing_under_api_is_stored_by_a_cache(edge_url: str):
    for path in ("/api/users/csrf", "/api/orders/products", "/api/orders/no-such-thing"):
        assert httpx.get(edge_url + path, trust_env=False).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        (
            "POST",
            "/api/users/accounts",
            {"username": "eve", "email": "eve@example.org", "password": "a long password"},
        ),
        ("POST", "/api/users/sessions", {"username": "eve", "password": "a long password"}),
        ("DELETE", "/api/users/sessions/current", None),
        ("PUT", "/api/orders/cart/items/steel-rule", {"quantity": 1}),
    ],
)
@pytest.mark.parametrize("token", [None, "x", "A" * 64])
def test_an_unsafe_request_without_its_csrf_token_is_403(
    edge_url: str, method: str, path: str, body: object, token: str
):
    headers = {} if token is None else {"X-CSRF-Token": token}
    answer = httpx.request(method, edge_url + path, json=body, headers=headers, trust_env=False)
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"


def test_one_csrf_token_is_good_for_both_services(person: Person):
    person.sign_in()
    headers = {"X-CSRF-Token": person.current()["csrf_token"]}
    put = person.ask("PUT", "/api/orders/cart/items/steel-rule", json={"quantity": 1}, headers=headers)
    change = {"current": person.password, "email": f"new-{person.email}"}
    patch = person.ask("PATCH", "/api/users/me", json=change, headers=headers)
    assert (put.status_code, patch.status_code) == (200, 200)


def test_the_csrf_token_of_another_session_is_refused(person: Person, edge_url: str):
    person.sign_in()
    stranger = Person(edge_url).sign_up().sign_in()
    answer = person.ask(
        "PUT",
        "/api/orders/cart/items/steel-rule",
        json={"quantity": 1},
        headers={"X-CSRF-Token": stranger.csrf()},
    )
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/api/users/sessions", "/api/orders/cart/items/steel-rule"])
def test_an_oversize_body_is_413(person: Person, path: str):
    method = "POST" if "users" in path else "PUT"
    headers = {"Content-Type": "application/json"}
    answer = person.ask(
        method, path, content=b'{"quantity": 1, "x": "' + b"x" * 2_000_000 + b'"}', headers=headers
    )
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("service", ["/api/users/csrf", "/api/orders/products"])
@pytest.mark.parametrize(
    ("query", "cookie", "status"), [("?q=" + "x" * 5_000, "", 414), ("", "a=" + "x" * 9_000, 431)]
)
def test_what_is_too_long_for_a_service_is_refused_with_problem_details(
    edge_url: str, service: str, query: str, cookie: str, status: int
):
    answer = httpx.get(edge_url + service + query, headers={"Cookie": cookie}, trust_env=False)
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_client_cannot_choose_the_address_it_is_seen_from(person: Person):
    person.http.headers["X-Forwarded-For"] = "203.0.113.9"
    person.sign_in()
    addresses = {one["address"] for one in person.http.get("/api/users/sessions").json()["items"]}
    assert addresses == {"127.0.0.1"}


def test_the_session_cookie_is_closed_to_scripts_and_other_sites(person: Person):
    answer = person.ask(
        "POST", "/api/users/sessions", json={"username": person.name, "password": person.password}
    )
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("session="))
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/"} <= attributes
    assert not [a for a in attributes if a.startswith("domain")]
