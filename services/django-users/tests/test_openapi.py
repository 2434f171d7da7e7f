"""The generated document is the contract."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def document(stranger: Any) -> dict[str, Any]:
    return dict(stranger.get("/api/users/openapi.json").json())


def test_it_is_openapi_3_1_and_names_every_request(document: dict[str, Any]):
    assert document["openapi"].startswith("3.1")
    operations = {
        operation["operationId"]: f"{method.upper()} {path.removeprefix('/api/users/')}"
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }
    assert operations == {
        "createAccount": "POST accounts",
        "signIn": "POST sessions",
        "getCurrentSession": "GET sessions/current",
        "signOut": "DELETE sessions/current",
        "listSessions": "GET sessions",
        "endSessions": "DELETE sessions",
        "endSession": "DELETE sessions/{id}",
        "getMe": "GET me",
        "updateMe": "PATCH me",
        "changePassword": "PUT me/password",
        "getCsrf": "GET csrf",
    }


def test_every_unsafe_request_has_its_csrf_header_and_every_closed_one_its_401(document: dict[str, Any]):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            headers = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "header"]
            assert ("X-CSRF-Token" in headers) is (method != "get"), (method, path)
            assert ("403" in operation["responses"]) is (method != "get"), (method, path)
            assert "Retry-After" in operation["responses"]["503"]["headers"]
            if "security" in operation:
                assert "401" in operation["responses"]


def test_every_fault_is_a_problem(document: dict[str, Any]):
    for item in document["paths"].values():
        for operation in item.values():
            for code, response in operation["responses"].items():
                if code >= "400":
                    assert list(response["content"]) == ["application/problem+json"]


def test_the_internal_look_up_is_not_in_it(document: dict[str, Any]):
    assert not [path for path in document["paths"] if "internal" in path]
