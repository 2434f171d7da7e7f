"""The story, told through the edge: one user on two devices, every hop printed, all of it one trace.

Told with more rounds than one, the devices stay signed in and order again and again, each round a trace of its own.
"""

import itertools
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from local.errors import LocalError
from local.layout import Layout
from local.otlp import Trace
from local.progress import Stopwatch, Terminal

_PATIENCE_SECONDS = 30.0
_SERVICES = {"demo", "edge", "django-users", "flask-orders"}
_LAPTOP = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
_PHONE = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36"


class StoryFailed(LocalError):
    """A hop was not answered as the story wants it."""


@dataclass
class Tally:
    """What the summary counts. `unavailable`: answers of 503, each tried again."""

    hops: int = 0
    orders: int = 0
    unavailable: int = 0
    carts_filled_again: int = 0


class Device:
    """A browser: its cookies, its CSRF token, its user agent."""

    def __init__(self, name: str, client: httpx.Client) -> None:
        self.name = name
        self.client = client
        self.csrf_token = ""
        self.session_id = ""


class Story:
    """Makes hops, prints them, counts them, and keeps their spans."""

    def __init__(self, terminal: Terminal, client: httpx.Client) -> None:
        """`client` sends the spans, through the edge as a browser does."""
        self._terminal = terminal
        self._client = client
        self.trace = _new_trace()
        self.tally = Tally()

    def close_trace(self) -> None:
        """Send the trace. What is asked afterwards needs a new one."""
        self.trace.send(self._client, "/telemetry/v1/traces")

    def begin_trace(self) -> None:
        """Send the trace, and begin another."""
        self.close_trace()
        self.trace = _new_trace()
        self._terminal.note(f"\n  trace {self.trace.trace_id}\n")

    def ask(
        self,
        device: Device,
        method: str,
        path: str,
        *,
        says: str,
        wanted: int,
        body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        done_before: int | None = None,
    ) -> httpx.Response:
        """One hop. A 503 is tried again for half a minute, after its Retry-After.

        `done_before` is the answer that a repeated request gets when the first try had worked after all.
        """
        deadline = time.monotonic() + _PATIENCE_SECONDS
        tried_again = False
        while True:
            answer, milliseconds = self._send(device, method, path, body=body, headers=headers or {})
            if answer.status_code != 503 or time.monotonic() > deadline:
                break
            tried_again = True
            self.tally.unavailable += 1
            self._line(
                device, method, path, answer.status_code, milliseconds, says="not available: tries again"
            )
            time.sleep(min(float(answer.headers.get("Retry-After", 1)), 2.0))
        self._line(device, method, path, answer.status_code, milliseconds, says=says)
        if answer.status_code != wanted and not (tried_again and answer.status_code == done_before):
            raise StoryFailed(
                f"{method} {path} was answered {answer.status_code}, not {wanted}.",
                f"Its trace: {self.trace.trace_id}. `make logs` shows what the services say.",
                evidence=answer.text.splitlines()[:5],
            )
        return answer

    def refresh_csrf(self, device: Device) -> None:
        """A token belongs to a session, so each new session needs a new one."""
        answer = self.ask(device, "GET", "/api/users/csrf", says="gets a CSRF token", wanted=200)
        device.csrf_token = answer.json()["csrf_token"]

    def _send(
        self,
        device: Device,
        method: str,
        path: str,
        *,
        body: Mapping[str, object] | None,
        headers: Mapping[str, str],
    ) -> tuple[httpx.Response, float]:
        watch = Stopwatch()
        with self.trace.client_span(f"{method} {path.partition('?')[0]}") as span:
            sent = {**headers, "traceparent": span.traceparent}
            if method != "GET":
                sent["X-CSRF-Token"] = device.csrf_token
            answer = device.client.request(method, path, json=body, headers=sent)
            span.attributes.update(
                {
                    "http.request.method": method,
                    "url.full": str(answer.request.url),
                    "http.response.status_code": answer.status_code,
                    **({"session.id": device.session_id} if device.session_id else {}),
                }
            )
        self.tally.hops += 1
        return answer, watch.seconds * 1000

    def _line(
        self, device: Device, method: str, path: str, status: int, milliseconds: float, *, says: str
    ) -> None:
        paint = self._terminal.paint
        colour = "33" if status == 503 else "32" if status < 400 else "35"
        shown = path if len(path) <= 46 else path[:45] + "…"
        self._terminal.note(
            f"  {device.name:<7} {method:<6} {shown:<46} {paint(str(status), colour)} "
            f"{milliseconds:6.0f} ms  {paint(self.trace.trace_id[:8], '2')}  {says}"
        )


def tell(layout: Layout, terminal: Terminal, *, rounds: int = 1) -> int:
    """Tell it once, with so many orders; `StoryFailed` when a hop goes wrong. Returns the exit code."""
    watch = Stopwatch()
    with _browser(layout, "laptop", _LAPTOP) as laptop, _browser(layout, "phone", _PHONE) as phone:
        story = Story(terminal, laptop.client)
        terminal.note(f"\n{terminal.paint('One session, end to end', '1')}, through {layout.public_url}\n")
        terminal.note(f"  trace {story.trace.trace_id}\n")
        try:
            _live(story, laptop, phone, rounds=rounds)
        finally:
            # Also of a story that failed: its trace is what one looks at then.
            story.close_trace()
    _summarise(layout, terminal, story, watch)
    return 0


def _live(story: Story, laptop: Device, phone: Device, *, rounds: int) -> None:
    name = f"demo-{uuid.uuid4().hex[:8]}"
    password = f"{uuid.uuid4()}"
    begin_as_nobody(story, laptop)
    sign_up(story, laptop, name=name, password=password)
    sign_in(story, laptop, name=name, password=password)
    sign_in(story, phone, name=name, password=password)
    for number in range(rounds):
        if number:
            story.begin_trace()
        order_id = order(story, laptop, number=number)
        see_it_elsewhere(story, phone, order_id)
    sign_out_everywhere(story, laptop, phone)


def begin_as_nobody(story: Story, device: Device) -> None:
    """A first article in the cart starts an anonymous session."""
    story.refresh_csrf(device)
    fill_cart(story, device, number=0)


def sign_up(story: Story, device: Device, *, name: str, password: str) -> None:
    """An account."""
    story.refresh_csrf(device)
    body = {"username": name, "email": f"{name}@example.com", "password": password}
    says = f"signs up as {name}"
    story.ask(device, "POST", "/api/users/accounts", says=says, wanted=201, body=body, done_before=409)


def sign_in(story: Story, device: Device, *, name: str, password: str) -> None:
    """A signed-in session; what was in the cart is still in it."""
    if not device.csrf_token:
        story.refresh_csrf(device)
    body = {"username": name, "password": password}
    answer = story.ask(device, "POST", "/api/users/sessions", says="signs in", wanted=201, body=body).json()
    device.csrf_token, device.session_id = answer["csrf_token"], answer["id"]
    cart = story.ask(device, "GET", "/api/orders/cart", says="looks into the cart", wanted=200).json()
    if device.name == "laptop" and cart["count"] == 0:
        raise StoryFailed("The cart did not survive the sign-in.", f"Look at trace {story.trace.trace_id}.")


def fill_cart(story: Story, device: Device, *, number: int) -> Mapping[str, Any]:
    """One article that is in stock; the cart as it is then."""
    answer = story.ask(device, "GET", "/api/orders/products", says="looks at the shop", wanted=200)
    articles = [article for article in answer.json()["items"] if article["stock"] > 0]
    if not articles:
        raise StoryFailed(
            "Nothing is in stock any more.", "`make reset`, then `make up`, fills the shop again."
        )
    article = articles[number % len(articles)]
    path = f"/api/orders/cart/items/{article['sku']}"
    says = f"puts in: {article['name'][:30]}"
    cart: Mapping[str, Any] = story.ask(
        device, "PUT", path, says=says, wanted=200, body={"quantity": 1}
    ).json()
    return cart


def order(story: Story, device: Device, *, number: int) -> str:
    """Order what is in the cart. A failover may lose its last write: then the cart is filled again."""
    key = str(uuid.uuid4())
    for attempt in itertools.count():
        cart = fill_cart(story, device, number=number)
        items = [{"sku": line["sku"], "quantity": line["quantity"]} for line in cart["items"]]
        try:
            answer = story.ask(
                device,
                "POST",
                "/api/orders/orders",
                says="orders it",
                wanted=201,
                body={"items": items},
                headers={"Idempotency-Key": key},
            )
        except StoryFailed as failure:
            if attempt or "answered 409" not in failure.what:
                raise
            key = str(uuid.uuid4())  # another body needs another key
            story.tally.carts_filled_again += 1
            continue
        story.tally.orders += 1
        return str(answer.json()["id"])
    raise AssertionError("unreachable")


def see_it_elsewhere(story: Story, device: Device, order_id: str) -> None:
    """The other device of the same user sees the order at its next request."""
    story.ask(device, "GET", f"/api/orders/orders/{order_id}", says="sees the order", wanted=200)


def sign_out_everywhere(story: Story, here: Device, there: Device) -> None:
    """Both services refuse both devices at the next request."""
    answer = story.ask(there, "GET", "/api/users/sessions", says="sees both devices", wanted=200)
    ids = {row["id"] for row in answer.json()["items"]}
    if ids != {here.session_id, there.session_id}:
        raise StoryFailed(f"{len(ids)} sessions are listed, not these two.", "Look at the trace.")
    path, says = "/api/users/sessions?scope=all", "signs out everywhere"
    story.ask(there, "DELETE", path, says=says, wanted=204, done_before=401)
    for device in (here, there):
        for path in ("/api/users/me", "/api/orders/orders"):
            story.ask(device, "GET", path, says="is signed out", wanted=401)


def _new_trace() -> Trace:
    return Trace(service="demo", root="demo: one session, end to end")


@contextmanager
def _browser(layout: Layout, name: str, agent: str) -> Iterator[Device]:
    with httpx.Client(
        base_url=layout.public_url,
        headers={"User-Agent": agent, "Accept": "application/json"},
        timeout=20,
        trust_env=False,  # no proxy of the caller's shell
    ) as client:
        yield Device(name, client)


def _summarise(layout: Layout, terminal: Terminal, story: Story, watch: Stopwatch) -> None:
    tally = story.tally
    count, services = _seen(layout, story.trace.trace_id)
    terminal.note(
        f"\n  {terminal.paint('✓', '32')} {tally.hops} hops, {tally.orders} "
        f"order{'s' if tally.orders != 1 else ''}, two devices signed out, {watch.seconds:.1f} s. "
        f"Answers of 503, tried again: {tally.unavailable}."
    )
    if tally.carts_filled_again:
        terminal.note(f"    Carts filled again after a failover: {tally.carts_filled_again}.")
    which = "One" if tally.orders == 1 else "The last"
    terminal.note(f"    {which} trace of {count} spans: {', '.join(sorted(services))}")
    terminal.note(
        f"    {terminal.paint(f'{layout.url(layout.ports.traces)}/trace/{story.trace.trace_id}', '36')}\n"
    )


def _seen(layout: Layout, trace_id: str) -> tuple[int, set[str]]:
    """Spans and services of the trace, once every service has sent its own or five seconds are over."""
    address = f"{layout.url(layout.ports.traces)}/api/traces/{trace_id}"
    services: set[str] = set()
    count = 0
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        answer = httpx.get(address, trust_env=False)
        if answer.status_code == 200:
            trace = answer.json()["data"][0]
            before, count = count, len(trace["spans"])
            services = {process["serviceName"] for process in trace["processes"].values()}
            if services >= _SERVICES and count == before:
                break
        time.sleep(0.6)  # the services send each half second
    return count, services
