"""Orders that meet: the last of something, and one Idempotency-Key twice, on real PostgreSQL."""

from __future__ import annotations

import secrets
import threading

from werkzeug.test import TestResponse


def order_at_once(*tries) -> list[TestResponse]:
    """Each try is (visitor, items, key)."""
    together = threading.Barrier(len(tries))
    answers: dict[int, TestResponse] = {}

    def run(number, visitor, items, key) -> None:
        csrf = visitor.csrf()
        body = {"items": [{"sku": sku, "quantity": quantity} for sku, quantity in items.items()]}
        headers = {"X-CSRF-Token": csrf, "Idempotency-Key": key}
        together.wait()
        answers[number] = visitor.http.post("/api/orders/orders", json=body, headers=headers)

    threads = [threading.Thread(target=run, args=(number, *one)) for number, one in enumerate(tries)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [answers[number] for number in range(len(tries))]


def shoppers(make_visitor, users, number, items):
    made = [make_visitor().sign_in(users.add()) for _ in range(number)]
    for one in made:
        for sku, quantity in items.items():
            one.put(sku, quantity)
    return made


def test_the_last_one_goes_to_one_of_two(make_visitor, users, set_stock):
    for _ in range(5):
        set_stock("tide-clock", 1)
        items = {"tide-clock": 1}
        answers = order_at_once(
            *((one, items, secrets.token_hex(8)) for one in shoppers(make_visitor, users, 2, items))
        )
        assert sorted(answer.status_code for answer in answers) == [201, 409]
        assert make_visitor().get("products/tide-clock").get_json()["stock"] == 0


def test_carts_in_opposite_order_do_not_wait_for_each_other(make_visitor, users, set_stock):
    set_stock("moon-map", 50)
    set_stock("planisphere", 50)
    forth, back = {"moon-map": 1, "planisphere": 1}, {"planisphere": 1, "moon-map": 1}
    tries = [
        (one, items, secrets.token_hex(8))
        for items in (forth, back)
        for one in shoppers(make_visitor, users, 4, items)
    ]
    assert [answer.status_code for answer in order_at_once(*tries)] == [201] * 8
    assert make_visitor().get("products/moon-map").get_json()["stock"] == 42


def test_one_key_at_once_is_one_order(app, make_visitor, users, sessions, set_stock):
    for _ in range(5):
        set_stock("log-glass", 20)
        (shopper,) = shoppers(make_visitor, users, 1, {"log-glass": 2})
        tabs = [make_visitor() for _ in range(4)]
        for tab in tabs:
            tab.http.set_cookie(tab.cookie_name, shopper.token, domain="localhost")
        key = secrets.token_hex(8)
        answers = order_at_once(*((tab, {"log-glass": 2}, key) for tab in tabs))
        assert [answer.status_code for answer in answers] == [201] * 4
        assert len({answer.get_json()["id"] for answer in answers}) == 1
        assert len(shopper.get("orders").get_json()["items"]) == 1
        assert shopper.get("products/log-glass").get_json()["stock"] == 18
        assert shopper.get("cart").get_json()["items"] == []


def test_two_tabs_with_keys_of_their_own_order_one_cart_once(make_visitor, users, set_stock):
    for _ in range(5):
        set_stock("log-glass", 20)
        (shopper,) = shoppers(make_visitor, users, 1, {"log-glass": 2})
        tabs = [make_visitor() for _ in range(4)]
        for tab in tabs:
            tab.http.set_cookie(tab.cookie_name, shopper.token, domain="localhost")
        answers = order_at_once(*((tab, {"log-glass": 2}, secrets.token_hex(8)) for tab in tabs))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
        assert len(shopper.get("orders").get_json()["items"]) == 1
        assert shopper.get("products/log-glass").get_json()["stock"] == 18
        assert shopper.get("cart").get_json()["items"] == []
        shopper.put("log-glass", 1)  # and the next cart is ordered as ever
        assert order_at_once((shopper, {"log-glass": 1}, secrets.token_hex(8)))[0].status_code == 201


def test_a_cart_that_was_refused_can_be_ordered_at_once_with_another_key(make_visitor, users, set_stock):
    set_stock("log-glass", 1)
    (shopper,) = shoppers(make_visitor, users, 1, {"log-glass": 2})
    assert order_at_once((shopper, {"log-glass": 2}, secrets.token_hex(8)))[0].status_code == 409
    set_stock("log-glass", 2)
    assert order_at_once((shopper, {"log-glass": 2}, secrets.token_hex(8)))[0].status_code == 201
