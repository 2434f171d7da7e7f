"""Who the cluster's traffic is made of judges rightly, also where an answer was lost. No cluster is needed."""

from __future__ import annotations

import json
import random
from typing import Any

import httpx

from tests.cluster.visitor import Visitor


class LosesSignOuts:
    """A platform that ends a session each time it is asked to, and says so every other time."""

    def __init__(self) -> None:
        self.asked = 0
        self._cart: dict[str, int] | None = None  # of the session, if there is one
        self._name = ""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path, method = request.url.path, request.method
        body: Any = json.loads(request.content or "{}")
        if path.endswith("/csrf"):
            return httpx.Response(200, json={"csrf_token": "token"})
        if path.endswith("/accounts"):
            self._name = body["username"]
            return httpx.Response(201)
        if method == "DELETE":
            return self._sign_out()
        if method == "POST":
            self._cart = {}
            return httpx.Response(201)
        if path.endswith("/cart"):
            return self._show(self._cart or {})
        if self._cart is None:
            return httpx.Response(403 if method == "PUT" else 401)
        if method == "PUT":
            self._cart[path.rpartition("/")[2]] = body["quantity"]
            return self._show(self._cart)
        return httpx.Response(200, json={"username": self._name})

    def _sign_out(self) -> httpx.Response:
        self.asked += 1
        status = 401 if self._cart is None else 204
        self._cart = None
        lost = httpx.Response(503, headers={"Retry-After": "1"})
        return lost if self.asked % 2 else httpx.Response(status)

    def _show(self, cart: dict[str, int]) -> httpx.Response:
        items = [{"sku": sku, "quantity": quantity} for sku, quantity in cart.items()]
        return httpx.Response(200, json={"items": items})


def test_a_sign_out_that_was_done_but_not_answered_is_no_wrong_answer() -> None:
    """Afterwards an empty cart is right, and so is 403 to who has no session: neither counts against the platform."""
    platform = LosesSignOuts()
    visitor = judged(platform)
    assert platform.asked > 20
    assert visitor.tally.wrong == []
    assert visitor.tally.failures == []


class DoesLater(LosesSignOuts):
    """A platform of which a part stands still with a request: it says so, and does the request two looks later."""

    def __init__(self, *, invents: bool = False) -> None:
        super().__init__()
        self._invents = invents
        self._waiting: list[tuple[str, int]] = []
        self.late = 0

    def _sign_out(self) -> httpx.Response:
        self._cart, self._waiting = None, []
        return httpx.Response(204)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "PUT" and self._cart is not None and len(self._waiting) < 2:
            quantity = json.loads(request.content)["quantity"] + (10 if self._invents else 0)
            self._waiting.append((request.url.path.rpartition("/")[2], quantity))
            return httpx.Response(503, headers={"Retry-After": "1"})
        if request.url.path.endswith("/cart") and len(self._waiting) == 2:
            shown = super().__call__(request)
            assert self._cart is not None
            self._cart |= dict(self._waiting)
            self._waiting.clear()
            self.late += 1
            return shown
        return super().__call__(request)


def judged(platform: LosesSignOuts) -> Visitor:
    visitor = Visitor(
        "http://shop", keeps=True, draw=random.Random(2), transport=httpx.MockTransport(platform)
    )
    visitor.begin()
    for _ in range(600):
        visitor.step()
    visitor.close()
    return visitor


def test_what_had_no_answer_may_be_done_later() -> None:
    platform = DoesLater()
    assert judged(platform).tally.wrong == []
    assert platform.late > 20


def test_what_nobody_asked_for_is_a_wrong_answer_however_late() -> None:
    assert judged(DoesLater(invents=True)).tally.wrong != []
