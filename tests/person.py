"""A person with a browser, as far as HTTP sees it: a cookie jar, the CSRF token of the moment, no more."""

from __future__ import annotations

import secrets
import weakref
from dataclasses import dataclass, field
from typing import Any

import httpx

PASSWORD = "correct horse battery staple"
UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}


@dataclass
class Person:
    """Speaks to one origin. Each instance is another browser; ``elsewhere`` is the same account on another device."""

    origin: str
    name: str = field(default_factory=lambda: f"ada-{secrets.token_hex(5)}")
    password: str = PASSWORD
    user_agent: str = "Mozilla/5.0 (X11; Linux x86_64) polysession-tests"

    def __post_init__(self) -> None:
        self.http = httpx.Client(
            base_url=self.origin, headers={"User-Agent": self.user_agent}, timeout=20, trust_env=False
        )
        weakref.finalize(self, self.http.close)

    @property
    def email(self) -> str:
        return f"{self.name}@example.org"

    @property
    def cookie(self) -> str | None:
        """The session cookie's value, as the jar has it now."""
        return next((c.value for c in self.http.cookies.jar if c.name.endswith("session")), None)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = dict(options.pop("headers", {}))
        if method in UNSAFE and "X-CSRF-Token" not in headers:
            headers["X-CSRF-Token"] = self.csrf()
        return self.http.request(method, path, headers=headers, **options)

    def csrf(self) -> str:
        answer = self.http.get("/api/users/csrf")
        assert answer.status_code == 200, answer.text
        return str(answer.json()["csrf_token"])

    def sign_up(self) -> Person:
        body = {"username": self.name, "email": self.email, "password": self.password}
        answer = self.ask("POST", "/api/users/accounts", json=body)
        assert answer.status_code == 201, answer.text
        return self

    def sign_in(self) -> Person:
        answer = self.ask(
            "POST", "/api/users/sessions", json={"username": self.name, "password": self.password}
        )
        assert answer.status_code == 201, answer.text
        return self

    def elsewhere(self) -> Person:
        """The same account, signed in on another device."""
        return Person(
            self.origin, name=self.name, password=self.password, user_agent="another device"
        ).sign_in()

    def current(self) -> dict[str, Any]:
        answer = self.http.get("/api/users/sessions/current")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def put_in_cart(self, sku: str, quantity: int = 1) -> httpx.Response:
        return self.ask("PUT", f"/api/orders/cart/items/{sku}", json={"quantity": quantity})

    def cart(self) -> dict[str, int]:
        answer = self.http.get("/api/orders/cart")
        assert answer.status_code == 200, answer.text
        return {line["sku"]: line["quantity"] for line in answer.json()["items"]}

    def order(
        self, *, key: str | None = None, items: dict[str, int] | None = None, **headers: str
    ) -> httpx.Response:
        """Orders what is in the cart, or ``items``."""
        lines = self.cart() if items is None else items
        body = {"items": [{"sku": sku, "quantity": quantity} for sku, quantity in lines.items()]}
        headers = {"Idempotency-Key": key or secrets.token_hex(16), **headers}
        return self.ask("POST", "/api/orders/orders", json=body, headers=headers)
