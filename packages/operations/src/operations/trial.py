"""`operations try` (helm test): one person's way through the whole platform, by the edge's Service.

Cookies are kept by hand: with an https origin they are Secure, and inside the cluster the edge speaks plain HTTP.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from .errors import OperationsError
from .settings import TrialSettings, trial_settings

PATIENCE_SECONDS = 60.0
_ANOTHER_TRY = (502, 503, 504)


class TrialFailed(OperationsError):
    """An answer was not what it must be."""


@dataclass
class Browser:
    """A device: its cookies and its CSRF token."""

    name: str
    cookies: dict[str, str] = field(default_factory=dict)
    csrf_token: str = ""

    def take(self, answer: httpx.Response) -> None:
        for line in answer.headers.get_list("set-cookie"):
            pair, *attributes = (part.strip() for part in line.split(";"))
            name, _, value = pair.partition("=")
            gone = any(one.lower() == "max-age=0" for one in attributes) or not value
            self.cookies.pop(name, None) if gone else self.cookies.update({name: value})


class Trial:
    """``client`` has the edge's address. ``say`` prints a line of the report."""

    def __init__(
        self,
        client: httpx.Client,
        settings: TrialSettings,
        *,
        say: Callable[[str], None] = print,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._settings = settings
        self._say = say
        self._clock = clock
        self._sleep = sleep

    def run(self) -> None:
        """Raises ``TrialFailed`` at the first wrong answer."""
        laptop, phone = Browser("laptop"), Browser("phone")
        person = f"trial-{uuid.uuid4().hex[:8]}"
        password = str(uuid.uuid4())
        self._sign_up(laptop, person, password)
        for device in (laptop, phone):
            self._sign_in(device, person, password)
        order = self._order(laptop)
        self._ask(
            phone, "GET", f"/api/orders/orders/{order}", says="sees the order of the other device", wanted=200
        )
        self._sees_both(phone)
        old = dict(laptop.cookies)
        everywhere = "/api/users/sessions?scope=all"
        self._ask(phone, "DELETE", everywhere, says="signs out everywhere", wanted=(204, 202))
        for path in ("/api/users/me", "/api/orders/orders"):
            for device in (laptop, phone):
                self._ask(device, "GET", path, says="is signed out", wanted=401)
        laptop.cookies = old
        self._ask(laptop, "GET", "/api/users/me", says="is refused with the old cookie", wanted=401)

    def _sign_up(self, device: Browser, person: str, password: str) -> None:
        self._refresh_csrf(device)
        body = {"username": person, "email": f"{person}@example.com", "password": password}
        # 409 to a repeated try: the first was done, its answer lost.
        self._ask(
            device, "POST", "/api/users/accounts", says=f"signs up as {person}", wanted=(201, 409), body=body
        )

    def _sign_in(self, device: Browser, person: str, password: str) -> None:
        self._refresh_csrf(device)
        body = {"username": person, "password": password}
        self._ask(device, "POST", "/api/users/sessions", says="signs in", wanted=201, body=body)
        self._refresh_csrf(device)  # it belongs to the session, and this is a new one

    def _order(self, device: Browser) -> str:
        shop = self._ask(device, "GET", "/api/orders/products", says="looks at the shop", wanted=200)
        stocked = [one for one in shop.json()["items"] if one["stock"] > 0]
        if not stocked:
            raise TrialFailed(
                "The shop has nothing in stock: its migration has not filled it, or it is sold out."
            )
        path = f"/api/orders/cart/items/{stocked[0]['sku']}"
        cart = self._ask(device, "PUT", path, says="puts it into the cart", wanted=200, body={"quantity": 1})
        items = [{"sku": line["sku"], "quantity": line["quantity"]} for line in cart.json()["items"]]
        key = {"Idempotency-Key": str(uuid.uuid4())}
        answer = self._ask(
            device,
            "POST",
            "/api/orders/orders",
            says="orders it",
            wanted=201,
            body={"items": items},
            headers=key,
        )
        return _field(answer, "id")

    def _sees_both(self, device: Browser) -> None:
        answer = self._ask(device, "GET", "/api/users/sessions", says="sees both devices", wanted=200)
        listed = len(answer.json()["items"])
        if listed != 2:
            raise TrialFailed(f"Two devices are signed in, but {listed} sessions are listed.")

    def _refresh_csrf(self, device: Browser) -> None:
        answer = self._ask(device, "GET", "/api/users/csrf", says="gets a CSRF token", wanted=200)
        device.csrf_token = _field(answer, "csrf_token")

    def _ask(
        self,
        device: Browser,
        method: str,
        path: str,
        *,
        says: str,
        wanted: int | tuple[int, ...],
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """While a pod is still coming, an answer of the edge without a service behind it is asked again."""
        until = self._clock() + PATIENCE_SECONDS
        began = self._clock()
        while True:
            answer = self._send(device, method, path, body=body, headers=headers or {})
            if answer is not None and (answer.status_code not in _ANOTHER_TRY or self._clock() >= until):
                break
            if self._clock() >= until:
                raise TrialFailed(f"{method} {path}: the edge at {self._settings.address} does not answer.")
            self._sleep(1.0)
        milliseconds = (self._clock() - began) * 1000
        self._say(
            f"{device.name:<7} {method:<6} {path[:46]:<46} {answer.status_code} {milliseconds:6.0f} ms  {says}"
        )
        accepted = (wanted,) if isinstance(wanted, int) else wanted
        if answer.status_code not in accepted:
            raise TrialFailed(
                f"{method} {path} was answered {answer.status_code}, not {' or '.join(map(str, accepted))}: "
                f"{answer.text[:300]}"
            )
        device.take(answer)
        return answer

    def _send(
        self,
        device: Browser,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None,
        headers: Mapping[str, str],
    ) -> httpx.Response | None:
        origin = httpx.URL(self._settings.public_url)
        sent = {**headers, "Host": origin.netloc.decode(), "Accept": "application/json"}
        sent["X-Forwarded-Proto"] = origin.scheme
        if device.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in device.cookies.items())
        if method != "GET":
            sent |= {"X-CSRF-Token": device.csrf_token, "Origin": self._settings.public_url}
        self._client.cookies.clear()  # of whoever asked before: it would send them for a device that has none yet
        try:
            return self._client.request(method, path, json=body, headers=sent)
        except httpx.TransportError:
            return None


def _field(answer: httpx.Response, name: str) -> str:
    try:
        return str(answer.json()[name])
    except (ValueError, KeyError, TypeError) as cause:
        raise TrialFailed(
            f"{answer.request.method} {answer.request.url.path}: the answer has no {name}."
        ) from cause


def run(environment: Mapping[str, str]) -> int:
    """The exit code is what `helm test` reports."""
    settings = trial_settings(environment)
    with httpx.Client(base_url=settings.address, timeout=20, trust_env=False) as client:
        Trial(client, settings).run()
    print("The platform works: one person on two devices, one order, signed out everywhere.")
    return 0
