from __future__ import annotations

import secrets
from uuid import uuid4

import pytest

CART = {"field-notebook": 2, "steel-rule": 1}


@pytest.fixture
def shopper(customer):
    """Signed in, with ``CART``."""
    for sku, quantity in CART.items():
        customer.put(sku, quantity)
    return customer


def stock(visitor, sku):
    return visitor.get(f"products/{sku}").get_json()["stock"]


def test_an_order_has_what_was_confirmed_and_empties_the_cart(shopper, users):
    before = stock(shopper, "field-notebook")
    answer = shopper.order(CART)
    assert answer.status_code == 201
    order = answer.get_json()
    assert {line["sku"]: line["quantity"] for line in order["items"]} == CART
    assert order["status"] == "placed"
    assert order["count"] == 3
    assert order["total"] == {"amount": 2 * 1400 + 1800, "currency": "EUR"}
    assert order["email"] == f"{users.asked[-1]}@example.org"
    assert order["created_at"].endswith("+00:00")
    assert stock(shopper, "field-notebook") == before - 2
    assert shopper.get("cart").get_json()["items"] == []


def test_orders_are_listed_newest_first_and_found_by_id(shopper):
    first = shopper.order(CART).get_json()
    shopper.put("moon-map", 1)
    second = shopper.order({"moon-map": 1}).get_json()
    assert shopper.get("orders").get_json() == {"items": [second, first]}
    assert shopper.get(f"orders/{first['id']}").get_json() == first


def test_another_ones_order_is_404_like_one_that_never_was(shopper, make_visitor, users):
    order = shopper.order(CART).get_json()
    other = make_visitor().sign_in(users.add())
    theirs, nobodys = other.get(f"orders/{order['id']}"), other.get(f"orders/{uuid4()}")
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.get_json() == nobodys.get_json()
    assert other.get("orders").get_json() == {"items": []}
    assert shopper.get("orders/not-a-uuid").status_code == 404


@pytest.mark.parametrize("path", ["orders", f"orders/{uuid4()}"])
def test_who_is_not_signed_in_is_401(visitor, path):
    answer = visitor.get(path)
    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"
    assert "end_reason" not in answer.get_json()
    visitor.put("field-notebook", 1)
    assert visitor.order({"field-notebook": 1}).status_code == 401


@pytest.mark.parametrize("reason", ["logout", "revoked"])
def test_an_ended_session_is_401_with_its_reason_and_keeps_the_cookie(shopper, reason):
    shopper.end(reason)
    for answer in (shopper.get("orders"), shopper.order(CART)):
        assert answer.status_code == 401
        assert answer.get_json()["end_reason"] == reason
        assert "Set-Cookie" not in answer.headers


def test_an_order_without_a_csrf_token_is_403(shopper):
    before = stock(shopper, "field-notebook")
    body = {"items": [{"sku": sku, "quantity": n} for sku, n in CART.items()]}
    answer = shopper.http.post("/api/orders/orders", json=body, headers={"Idempotency-Key": "a" * 16})
    assert answer.status_code == 403
    assert stock(shopper, "field-notebook") == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "items"),
        ({"items": []}, "items"),
        ({"items": [{"sku": "x", "quantity": 1}] * 101}, "items"),
        ({"items": [{"quantity": 1}]}, "items.0.sku"),
        ({"items": [{"sku": "x", "quantity": 0}]}, "items.0.quantity"),
        ({"items": [{"sku": 1, "quantity": 1}]}, "items.0.sku"),
        ({"items": {"sku": 1}}, "items"),
    ],
)
def test_a_fault_in_the_body_is_named(shopper, body, field):
    answer = shopper.unsafe("POST", "orders", json=body, headers={"Idempotency-Key": "a" * 16})
    assert answer.status_code == 400
    assert list(answer.get_json()["errors"]) == [field]


@pytest.mark.parametrize("key", [None, "", "short", "a" * 65, "with space", "ümlaut-key"])
def test_a_key_that_is_none_is_named(shopper, key):
    headers = {} if key is None else {"Idempotency-Key": key}
    body = {"items": [{"sku": "field-notebook", "quantity": 2}]}
    answer = shopper.unsafe("POST", "orders", json=body, headers=headers)
    assert answer.status_code == 400
    assert list(answer.get_json()["errors"]) == ["Idempotency-Key"]


def test_a_cart_that_differs_is_409_and_names_the_skus(shopper):
    answer = shopper.order({"field-notebook": 1, "moon-map": 1})
    assert answer.status_code == 409
    assert answer.get_json()["errors"] == {
        "field-notebook": ["In your cart: 2."],
        "steel-rule": ["In your cart: 1."],
        "moon-map": ["In your cart: 0."],
    }
    assert shopper.get("cart").get_json()["count"] == 3


def test_short_stock_is_409_names_the_skus_and_reserves_nothing(shopper, set_stock):
    set_stock("field-notebook", 1)
    before = stock(shopper, "steel-rule")
    answer = shopper.order(CART)
    assert answer.status_code == 409
    assert answer.get_json()["errors"] == {"field-notebook": ["In stock: 1."]}
    assert stock(shopper, "steel-rule") == before
    assert stock(shopper, "field-notebook") == 1
    assert shopper.get("orders").get_json() == {"items": []}
    assert shopper.get("cart").get_json()["count"] == 3


def test_the_same_key_has_the_same_answer_and_orders_once(shopper):
    key = secrets.token_hex(8)
    before = stock(shopper, "field-notebook")
    first, again = shopper.order(CART, key=key), shopper.order(dict(reversed(CART.items())), key=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.get_json() == again.get_json()
    assert stock(shopper, "field-notebook") == before - 2


def test_the_same_key_with_another_body_is_422(shopper):
    key = secrets.token_hex(8)
    shopper.order(CART, key=key)
    answer = shopper.order({"field-notebook": 3}, key=key)
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"


def test_a_key_belongs_to_its_principal(shopper, make_visitor, users):
    key = secrets.token_hex(8)
    mine = shopper.order(CART, key=key).get_json()
    other = make_visitor().sign_in(users.add())
    other.put("moon-map", 1)
    answer = other.order({"moon-map": 1}, key=key)
    assert answer.status_code == 201
    assert answer.get_json()["id"] != mine["id"]


def test_a_refused_order_leaves_its_key_free(shopper, set_stock):
    key = secrets.token_hex(8)
    set_stock("field-notebook", 1)
    assert shopper.order(CART, key=key).status_code == 409
    set_stock("field-notebook", 9)
    assert shopper.order(CART, key=key).status_code == 201


def test_a_retry_after_the_store_was_lost_finds_the_order_and_empties_the_cart(shopper, store):
    key = secrets.token_hex(8)
    store.away.add("write")
    assert shopper.order(CART, key=key).status_code == 503
    store.away.clear()
    assert shopper.get("cart").get_json()["count"] == 3
    answer = shopper.order(CART, key=key)
    assert answer.status_code == 201
    assert shopper.get("cart").get_json()["items"] == []
    assert len(shopper.get("orders").get_json()["items"]) == 1


def test_what_was_put_in_after_the_order_stays(shopper, sessions):
    key = secrets.token_hex(8)
    shopper.order(CART, key=key)
    shopper.put("moon-map", 1)
    shopper.put("field-notebook", 7)
    assert shopper.order(CART, key=key).status_code == 201
    cart = shopper.get("cart").get_json()["items"]
    assert {line["sku"]: line["quantity"] for line in cart} == {"moon-map": 1, "field-notebook": 7}


def test_the_same_sku_twice_is_their_sum(shopper):
    items = [{"sku": "field-notebook", "quantity": 1}] * 2 + [{"sku": "steel-rule", "quantity": 1}]
    headers = {"Idempotency-Key": secrets.token_hex(8)}
    answer = shopper.unsafe("POST", "orders", json={"items": items}, headers=headers)
    assert answer.status_code == 201
    assert answer.get_json()["count"] == 3


@pytest.mark.parametrize("account", ["gone", "disabled"])
def test_an_account_that_may_not_act_is_401_and_nothing_is_ordered(visitor, users, account):
    principal = users.add(is_active=False) if account == "disabled" else "nobody-by-that-name"
    visitor.sign_in(principal)
    visitor.put("field-notebook", 1)
    answer = visitor.order({"field-notebook": 1})
    assert answer.status_code == 401
    assert visitor.get("orders").get_json() == {"items": []}


def test_a_session_that_ends_while_the_order_is_placed_does_not_undo_it(shopper, users, sessions):
    answer_as_usual = users.answer

    def sign_out_meanwhile(path, headers):
        shopper.end("logout")
        return answer_as_usual(path, headers)

    users.answer = sign_out_meanwhile
    answer = shopper.order(CART)
    assert answer.status_code == 201
    assert shopper.get("orders").status_code == 401
