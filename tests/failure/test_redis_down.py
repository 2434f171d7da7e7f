"""All of Redis down for 30 s under traffic: 503, no cookie touched, nobody signed out, back within a second."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import redis

from tests.person import Person

DOWN_SECONDS = 30
BACK_SECONDS = 1.0  # after the cluster's own recovery
EVERY = 0.2  # seconds between one browser's requests

PAGE = {"Sec-Fetch-Mode": "navigate", "Accept": "text/html"}  # only such an answer may clear a stale cookie
READS = (
    ("GET", "/api/users/me", {}),
    ("GET", "/api/orders/orders", {}),
    ("GET", "/api/users/sessions/current", PAGE),
    ("GET", "/api/orders/cart", PAGE),
    ("GET", "/api/users/me", PAGE),
)
ANONYMOUS_READS = READS[2:4]


@dataclass
class Browser:
    """One browser that goes on asking. It sends the cookie it has, whatever the answers say."""

    person: Person
    requests: tuple[tuple[str, str, dict[str, str]], ...]
    answers: list[tuple[float, httpx.Response]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cookies = dict(self.person.http.cookies)
        self.csrf = self.person.csrf()

    def ask(self, number: int) -> None:
        method, path, headers = self.requests[number % len(self.requests)]
        body = {"quantity": 2} if method == "PUT" else None
        sent = time.monotonic()
        answer = self.person.http.request(
            method, path, json=body, headers={"X-CSRF-Token": self.csrf, **headers}
        )
        self.answers.append((sent, answer))


@contextmanager
def traffic(browsers: list[Browser]) -> Iterator[None]:
    """Steady, from all at once, until the block ends."""
    over = threading.Event()

    def go_on(browser: Browser, number: int) -> None:
        while not over.wait(EVERY):
            browser.ask(number := number + 1)

    threads = [threading.Thread(target=go_on, args=(one, n)) for n, one in enumerate(browsers)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def wait_until_recovered(nodes: list[tuple[str, int]], start: Callable[[], Any]) -> float:
    """Starts the nodes. The moment from which three primaries say that every slot is served."""
    clients = [
        redis.Redis(host=host, port=port, socket_timeout=0.5, decode_responses=True) for host, port in nodes
    ]
    recovered: list[float] = []

    def primaries() -> int:
        whole = [one.execute_command("CLUSTER INFO")["cluster_state"] == "ok" for one in clients]
        roles = [one.info("replication")["role"] for one in clients]
        return sum(ok and role == "master" for ok, role in zip(whole, roles, strict=True))

    def watch() -> None:
        deadline = time.monotonic() + 60
        while not recovered and time.monotonic() < deadline:
            with suppress(redis.RedisError):
                if primaries() == 3:
                    recovered.append(time.monotonic())
            time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    start()
    watcher.join()
    for client in clients:
        client.close()
    assert recovered, "the cluster itself did not come back"
    return recovered[0]


def test_30_s_without_redis_change_no_cookie_and_sign_nobody_out(
    edge_url: str, platform, kill, redis_nodes, redis_programs, tell
):
    signed_in = [Person(edge_url).sign_up().sign_in() for _ in range(4)]
    visitors = [Person(edge_url) for _ in range(3)]
    for person in (*signed_in, *visitors):
        assert person.put_in_cart("steel-rule", 3).status_code == 200
    write = (("PUT", "/api/orders/cart/items/steel-rule", {}),)
    browsers = [Browser(one, READS) for one in signed_in[:3]] + [Browser(signed_in[3], write)]
    browsers += [Browser(one, ANONYMOUS_READS) for one in visitors[:2]] + [Browser(visitors[2], write)]
    newcomer = Browser(Person(edge_url), write)  # has no session, and must not be given one
    time.sleep(2)  # kill -9 loses what the append-only files do not have yet, and that is another test's
    with traffic([*browsers, newcomer]):
        for program in redis_programs:
            kill(program, "KILL")
        down = time.monotonic()
        time.sleep(DOWN_SECONDS)
        up = wait_until_recovered(redis_nodes, platform.start)
        time.sleep(2 * BACK_SECONDS + 3 * EVERY)

    everyone = [answer for browser in (*browsers, newcomer) for _, answer in browser.answers]
    while_down = [
        answer
        for browser in (*browsers, newcomer)
        for sent, answer in browser.answers
        if down < sent < down + DOWN_SECONDS - 5
    ]
    refused = [answer for answer in everyone if answer.status_code == 503]
    last = max(
        sent for one in (*browsers, newcomer) for sent, answer in one.answers if answer.status_code == 503
    )
    tell(
        f"{DOWN_SECONDS} s down: {len(while_down)} answers {dict(Counter(a.status_code for a in while_down))};"
        f" in all {len(everyone)}, 503 to {len(refused)}; last 503 sent {last - up:+.2f} s after the recovery"
    )
    assert {answer.status_code for answer in while_down} == {503}
    assert {answer.status_code for answer in everyone} <= {200, 503}
    for answer in refused:
        assert int(answer.headers["retry-after"]) >= 1, answer.url
        assert answer.headers["content-type"] == "application/problem+json", answer.url
    for browser in browsers:
        changed = [a.headers["set-cookie"] for _, a in browser.answers if "set-cookie" in a.headers]
        assert changed == []
        assert dict(browser.person.http.cookies) == browser.cookies
    assert not any("session=" in a.headers.get("set-cookie", "") for a in refused)
    assert last - up < BACK_SECONDS
    assert [one.http.get("/api/users/me").json().get("username") for one in signed_in] == [
        one.name for one in signed_in
    ]
    assert {one.http.get("/api/orders/orders").status_code for one in signed_in} == {200}
    assert {tuple(one.cart()) for one in (*signed_in, *visitors)} == {("steel-rule",)}
    tell(
        f"0 of {len(browsers)} cookies changed, 0 of {len(signed_in)} signed out, {len(visitors)} carts kept"
    )
