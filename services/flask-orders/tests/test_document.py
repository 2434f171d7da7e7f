from __future__ import annotations

from typing import Any

import pytest
from orders.app import create_api

METHODS = {"get", "put", "post", "delete", "patch"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_api().test_client().get("/api/orders/openapi.json").get_json()


def operations(document):
    for path, item in document["paths"].items():
        for method in METHODS & item.keys():
            yield f"{method} {path}", method, item[method]


def test_it_is_openapi_31_and_names_each_operation_once(document):
    assert document["openapi"] == "3.1.0"
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert sorted(names) == sorted(set(names))
    assert set(names) == {
        *("listProducts", "getProduct", "getCart", "putCartItem", "deleteCartItem"),
        *("placeOrder", "listOrders", "getOrder"),
    }


def test_what_is_enforced_everywhere_is_documented_everywhere(document):
    for name, method, operation in operations(document):
        responses = operation["responses"]
        assert "Retry-After" in responses["503"]["headers"], name
        csrf = any(parameter["name"] == "X-CSRF-Token" for parameter in operation.get("parameters", []))
        assert csrf == ("403" in responses) == (method != "get"), name
        assert ("security" in operation) == ("401" in responses) == ("/orders/orders" in name), name
        assert ("requestBody" in operation) == ("413" in responses), name


def test_every_refusal_is_a_problem_and_the_views_document_nothing_else(document):
    for name, _, operation in operations(document):
        for status, response in operation["responses"].items():
            kind = "application/json" if status.startswith("2") else "application/problem+json"
            assert list(response["content"]) == [kind], (name, status)


def test_every_reference_leads_somewhere(document):
    schemas = document["components"]["schemas"]
    found: set[str] = set()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                found.add(node["$ref"].removeprefix("#/components/schemas/"))
            for child in node.values():
                walk(child)
        elif isinstance(node, list):
            for child in node:
                walk(child)

    walk(document)
    assert found == set(schemas)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/orders/nowhere", 404), ("POST", "/api/orders/products", 405), ("GET", "/", 404)],
)
def test_what_no_view_answers_is_a_problem_too(method, path, status):
    answer = create_api().test_client().open(path, method=method)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.get_json()["detail"]
    assert ("Allow" in answer.headers) == (status == 405)


def test_an_unforeseen_error_is_a_500_that_tells_nothing():
    app = create_api()
    app.logger.disabled = True

    @app.get("/broken")
    def broken() -> str:
        raise RuntimeError("internal detail")

    answer = app.test_client().get("/broken")
    assert answer.status_code == 500
    assert answer.content_type == "application/problem+json"
    assert "internal detail" not in answer.text
