from __future__ import annotations

import threading

import pytest

EMPTY = {"items": [], "count": 0, "total": {"amount": 0, "currency": "EUR"}}


def test_a_cart_is_empty_without_a_session_and_asks_nobody(visitor, store):
    answer = visitor.get("cart")
    assert answer.get_json() == EMPTY
    assert "Set-Cookie" not in answer.headers
    assert store.asked == []


def test_the_first_quantity_starts_an_anonymous_session(visitor):
    answer = visitor.put("field-notebook", 2)
    assert answer.status_code == 200
    assert answer.headers["Set-Cookie"].startswith("__Host-session=a")
    assert answer.get_json() == {
        "items": [
            {
                "sku": "field-notebook",
                "name": "Field notebook",
                "image": "/products/field-notebook.svg",
                "price": {"amount": 1400, "currency": "EUR"},
                "quantity": 2,
                "subtotal": {"amount": 2800, "currency": "EUR"},
            }
        ],
        "count": 2,
        "total": {"amount": 2800, "currency": "EUR"},
    }
    assert visitor.get("cart").get_json() == answer.get_json()


def test_a_quantity_is_set_and_not_added(visitor):
    visitor.put("field-notebook", 2)
    assert visitor.put("field-notebook", 5).get_json()["count"] == 5


def test_a_product_is_taken_out_and_taking_it_out_again_is_harmless(visitor):
    visitor.put("field-notebook", 2)
    visitor.put("steel-rule", 1)
    for _ in range(2):
        answer = visitor.unsafe("DELETE", "cart/items/field-notebook")
        assert answer.status_code == 200
        assert [line["sku"] for line in answer.get_json()["items"]] == ["steel-rule"]


def test_taking_out_starts_no_session(visitor, store):
    answer = visitor.unsafe("DELETE", "cart/items/field-notebook")
    assert answer.get_json() == EMPTY
    assert "create" not in store.asked
    assert "__Host-session" not in answer.headers.get("Set-Cookie", "")


@pytest.mark.parametrize("quantity", [0, -1, 100, 1.5, "2", True, None, [], 10**30])
def test_a_quantity_that_is_none_is_named(visitor, quantity):
    answer = visitor.put("field-notebook", quantity)
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    assert list(answer.get_json()["errors"]) == ["quantity"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"1", b"\xff", b'"x"'])
def test_a_body_that_is_no_object_is_400(visitor, body):
    answer = visitor.unsafe("PUT", "cart/items/field-notebook", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"


def test_a_member_that_nobody_asked_for_is_ignored(visitor):
    answer = visitor.unsafe("PUT", "cart/items/field-notebook", json={"quantity": 1, "price": 0})
    assert answer.get_json()["total"]["amount"] == 1400


def test_what_is_not_sold_cannot_be_put_in(visitor, store):
    assert visitor.put("no-such-thing", 1).status_code == 404
    assert visitor.put("No Such Thing", 1).status_code == 404
    assert "create" not in store.asked


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_without_a_csrf_token_nothing_is_changed(visitor, store, method):
    options = {"json": {"quantity": 1}} if method == "PUT" else {}
    answer = visitor.http.open("/api/orders/cart/items/field-notebook", method=method, **options)
    assert answer.status_code == 403
    assert answer.get_json()["status"] == 403
    assert "create" not in store.asked


def test_the_cart_survives_the_sign_in(visitor, users):
    visitor.put("field-notebook", 2)
    visitor.sign_in(users.add())
    visitor.put("steel-rule", 1)
    assert visitor.get("cart").get_json()["count"] == 3


def test_two_tabs_that_put_in_different_things_at_once_keep_both(app, visitor):
    visitor.put("field-notebook", 1)
    skus = ["steel-rule", "folding-rule", "slide-rule", "moon-map", "planisphere", "ships-log"]
    token, csrf = visitor.token, visitor.csrf()
    together = threading.Barrier(len(skus))
    statuses: list[int] = []

    def put(sku: str) -> None:
        tab = app.test_client()
        tab.set_cookie(visitor.cookie_name, token, domain="localhost")
        together.wait()
        answer = tab.put(
            f"/api/orders/cart/items/{sku}", json={"quantity": 1}, headers={"X-CSRF-Token": csrf}
        )
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=put, args=(sku,)) for sku in skus]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * len(skus)
    assert visitor.get("cart").get_json()["count"] == 1 + len(skus)


def test_an_unknown_store_is_503_and_nothing_is_changed(visitor, store):
    visitor.put("field-notebook", 1)
    token, csrf = visitor.token, visitor.csrf()
    store.away.add("all")
    for answer in (
        visitor.get("cart"),
        visitor.http.put(
            "/api/orders/cart/items/field-notebook", json={"quantity": 9}, headers={"X-CSRF-Token": csrf}
        ),
    ):
        assert answer.status_code == 503
        assert answer.content_type == "application/problem+json"
        assert int(answer.headers["Retry-After"]) > 0
        assert "Set-Cookie" not in answer.headers
    store.away.clear()
    assert visitor.token == token
    assert visitor.get("cart").get_json()["count"] == 1


def test_what_is_no_longer_sold_is_not_shown(visitor, sessions):
    visitor.put("field-notebook", 1)
    session = sessions.open(visitor.token)
    session["cart"] = {**session["cart"], "no-longer-sold": 3}
    session.commit()
    assert visitor.get("cart").get_json()["count"] == 1


def test_a_body_that_nests_too_deep_is_400(visitor):
    visitor.put("field-notebook", 1)
    headers = {"X-CSRF-Token": visitor.csrf(), "Content-Type": "application/json"}
    answer = visitor.http.put("/api/orders/cart/items/field-notebook", data=b"[" * 100_000, headers=headers)
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
