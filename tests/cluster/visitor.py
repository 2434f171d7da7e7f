"""One person in the traffic: knows what it did, and what each answer must therefore say."""

from __future__ import annotations

import random
import secrets
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

PASSWORD = "correct horse battery staple"
SKUS = ("field-compass", "moon-map", "slide-rule")
# A request, its store operations and a restart of what it goes through: longer than that is hung.
PATIENCE_SECONDS = 45


@dataclass
class Tally:
    """Of one visitor; added up at the end."""

    answers: Counter[str] = field(default_factory=Counter)
    retries: int = 0
    failures: list[str] = field(default_factory=list)  # neither a right answer nor 503 with Retry-After
    wrong: list[str] = field(default_factory=list)  # an answer that contradicts the history
    unavailable: list[str] = field(default_factory=list)  # 503 with Retry-After: when, for what, who says so
    seconds: list[float] = field(default_factory=list)
    outages: list[float] = field(default_factory=list)  # from the first 503 to the next right answer


class NoAnswer(Exception):
    """503 with Retry-After, or a failure that the tally has: what the request would have done is unknown."""


def without(cart: dict[str, int], skus: set[str]) -> dict[str, int]:
    return {sku: quantity for sku, quantity in cart.items() if sku not in skus}


class Visitor:
    """Not thread-safe: one thread each. ``keeps``: connections are kept between GETs, as browsers do."""

    def __init__(
        self, origin: str, *, keeps: bool, draw: random.Random, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._options: dict[str, Any] = {"base_url": origin, "timeout": PATIENCE_SECONDS, "trust_env": False}
        self._options["transport"] = transport
        self._http = httpx.Client(**self._options)
        self._keeps = keeps
        self._draw = draw
        self._name = f"ada-{secrets.token_hex(5)}"
        self._since: float | None = None  # of the outage under way
        self.tally = Tally()
        self.ended: list[str] = []  # tokens of sessions that it ended: they open nothing, ever again
        self._carts: list[dict[str, int]] = [{}]  # what the cart may be: more than one after a 503
        # What had no answer may be done at any later time: a worker that stood still goes on with what it had.
        self._late: set[tuple[str, int]] = set()
        self._signed_in = False
        self._perhaps_out = False  # a sign-out got no answer

    def begin(self) -> None:
        """Signs up and in. Raises ``NoAnswer``."""
        body = {"username": self._name, "email": f"{self._name}@example.org", "password": PASSWORD}
        self._expect(self._ask("POST", "/api/users/accounts", json=body), {201})
        self._sign_in()

    def close(self) -> None:
        self._http.close()

    def step(self) -> None:
        """One thing that people do. What goes wrong is in the tally."""
        act = self._draw.choices(
            (self._look_at_me, self._look_at_cart, self._put_in_cart, self._come_and_go), (40, 30, 25, 3)
        )[0]
        if self._perhaps_out:
            # An empty cart is then right as well as a full one: sign out until that is answered.
            act = self._come_and_go
        try:
            if self._signed_in:
                act()
            else:
                self._sign_in()
        except NoAnswer:
            pass

    def prove_what_ended(self) -> None:
        """No token of a session that this visitor ended opens anything."""
        for token in self.ended:
            cookies = dict.fromkeys(("session", "__Host-session"), token)
            with httpx.Client(
                base_url=self._http.base_url, timeout=PATIENCE_SECONDS, trust_env=False
            ) as other:
                other.cookies.update(cookies)
                status = other.get("/api/users/me").status_code
            if status != 401:
                self.tally.wrong.append(f"a session that {self._name} ended answers {status}")

    # --- What people do

    def _look_at_me(self) -> None:
        answer = self._expect(self._ask("GET", "/api/users/me"), {200})
        self._judge(
            answer.json()["username"] == self._name, f"me is {answer.json()['username']}, not {self._name}"
        )

    def _look_at_cart(self) -> None:
        self._judge_cart(self._expect(self._ask("GET", "/api/orders/cart"), {200}))

    def _put_in_cart(self) -> None:
        sku, quantity = self._draw.choice(SKUS), self._draw.randint(1, 9)
        token = self._csrf()
        before = self._carts
        self._carts = [*before, *({**cart, sku: quantity} for cart in before)]
        try:
            answer = self._ask(
                "PUT", f"/api/orders/cart/items/{sku}", token=token, json={"quantity": quantity}
            )
            self._expect(answer, {200})
        except NoAnswer:
            self._late.add((sku, quantity))
            raise
        self._carts = [{**cart, sku: quantity} for cart in before]
        self._judge_cart(answer)

    def _come_and_go(self) -> None:
        """Signs out, and in again with an empty cart."""
        session, token = self._cookie(), self._csrf()
        self._perhaps_out = True
        self._expect(self._ask("DELETE", "/api/users/sessions/current", token=token), {202, 204})
        self._forget_session()
        if session is not None:
            self.ended.append(session)
        self._sign_in()

    def _sign_in(self) -> None:
        body = {"username": self._name, "password": PASSWORD}
        self._expect(self._ask("POST", "/api/users/sessions", json=body), {201})
        self._signed_in, self._perhaps_out = True, False

    # --- What the answers say

    def _judge_cart(self, answer: httpx.Response) -> None:
        found = {line["sku"]: line["quantity"] for line in answer.json()["items"]}
        known = {(sku, cart.get(sku)) for cart in self._carts for sku in SKUS}
        done = {(sku, found[sku]) for sku in found} & self._late - known
        late = {sku for sku, _ in done}
        right = any(without(found, late) == without(cart, late) for cart in self._carts)
        self._judge(
            right, f"the cart of {self._name} is {found}, not one of {self._carts}, late {self._late}"
        )
        self._carts = [found]
        self._late -= done

    def _forget_session(self) -> None:
        """It is over, with its cart, and with what was still to be done in it."""
        self._signed_in, self._carts, self._late = False, [{}], set()

    def _judge(self, right: bool, otherwise: str) -> None:
        if not right:
            self.tally.wrong.append(f"{time.strftime('%X')} {otherwise}")

    def _csrf(self) -> str:
        return str(self._expect(self._ask("GET", "/api/users/csrf"), {200}).json()["csrf_token"])

    def _cookie(self) -> str | None:
        return next((one.value for one in self._http.cookies.jar if one.name.endswith("session")), None)

    def _ask(self, method: str, path: str, *, token: str | None = None, **options: Any) -> httpx.Response:
        """A new connection, or for a GET perhaps a kept one, which may have closed: then once more."""
        if method != "GET" and token is None:
            token = self._csrf()
        headers = {"X-CSRF-Token": token} if token else {}
        if method != "GET" or not self._keeps:
            headers["Connection"] = "close"
            self._drop_connections()
        started = time.monotonic()
        try:
            try:
                answer = self._http.request(method, path, headers=headers, **options)
            except (httpx.RemoteProtocolError, httpx.ReadError):
                if method != "GET" or not self._keeps:
                    raise
                self.tally.retries += 1
                answer = self._http.request(method, path, headers=headers, **options)
        except httpx.TransportError as error:
            self.tally.failures.append(
                f"{time.strftime('%X')} {method} {path}: {type(error).__name__}: {error}"
            )
            raise NoAnswer from error
        self.tally.seconds.append(time.monotonic() - started)
        self.tally.answers[f"{method} {path.partition('/items/')[0]} {answer.status_code}"] += 1
        return answer

    def _drop_connections(self) -> None:
        """Cookies stay; what is idle is closed, so that the next request opens a connection."""
        jar = self._http.cookies
        self._http.close()
        self._http = httpx.Client(**self._options, cookies=jar)

    def _expect(self, answer: httpx.Response, statuses: set[int]) -> httpx.Response:
        what = f"{answer.request.method} {answer.request.url.path}"
        cleared = any(
            "session=" in one and ("Max-Age=0" in one or 'session=""' in one)
            for one in answer.headers.get_list("set-cookie")
        )
        if cleared and not (answer.request.method == "DELETE" and answer.status_code in statuses):
            self.tally.wrong.append(f"{time.strftime('%X')} {what} {answer.status_code} cleared the cookie")
        if answer.status_code in statuses:
            if self._since is not None:
                self.tally.outages.append(time.monotonic() - self._since)
                self._since = None
            return answer
        if answer.status_code == 503 and "retry-after" in answer.headers:
            self._since = self._since or time.monotonic()
            self.tally.unavailable.append(f"{time.strftime('%X')} {what}: {answer.text[:200]}")
        elif answer.status_code == 401 and self._perhaps_out:
            self._forget_session()
        elif answer.status_code == 401 and self._signed_in:
            self.tally.wrong.append(f"{time.strftime('%X')} {what}: signed out: {answer.text[:200]}")
            self._forget_session()
        else:
            self.tally.failures.append(
                f"{time.strftime('%X')} {what}: {answer.status_code} {answer.text[:200]}"
            )
        raise NoAnswer
