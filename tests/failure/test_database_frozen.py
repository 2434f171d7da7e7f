"""PostgreSQL that neither answers nor closes: who needs it gets 503 in bounded time, sessions are read all the same."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.failure.test_store_down import wait_until_signed_in
from tests.person import Person

BOUND_SECONDS = (
    12  # 6 s for an answer that a statement waits for, some for a connection; the edge gives up after 15
)


@contextmanager
def frozen(postmaster: int) -> Iterator[None]:
    """The server with each of its processes: a connection that is open is another process's."""
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    group = [postmaster, *map(int, children)]
    for pid in group:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in group:
            os.kill(pid, signal.SIGCONT)


def test_a_frozen_postgresql_is_503_in_bounded_time_and_sessions_are_read(
    person: Person, edge_url: str, platform, tell
):
    visitor = Person(edge_url)
    person.sign_in()
    token, csrf = str(person.cookie), person.csrf()
    for path in ("/api/users/me", "/api/orders/orders"):  # connections that are open, and then lead nowhere
        assert person.http.get(path).status_code == 200
    sign_in = {"username": person.name, "password": person.password}
    asked = [
        (person, "GET", "/api/users/me", None),
        (person, "GET", "/api/orders/orders", None),
        (person, "GET", "/api/orders/products", None),
        (visitor, "POST", "/api/users/sessions", sign_in),
    ] * 3
    fresh = {id(person): csrf, id(visitor): visitor.csrf()}

    def ask(one) -> httpx.Response:
        who, method, path, body = one
        headers = {"X-CSRF-Token": fresh[id(who)]}
        return who.http.request(method, path, json=body, headers=headers, timeout=30)

    (postmaster,) = (row.pid for row in platform.states() if row.program == "postgres")
    with frozen(postmaster), ThreadPoolExecutor(len(asked) + 1) as pool:
        waiting = [pool.submit(ask, one) for one in asked]
        reads = []
        until = time.monotonic() + 5
        while time.monotonic() < until:
            reads.append(person.http.get("/api/orders/cart"))  # empty: it needs the session only
            time.sleep(0.2)
        answers = [one.result() for one in waiting]
        again = [ask(one) for one in asked[:3]]
    longest = max(one.elapsed.total_seconds() for one in (*answers, *again))
    tell(f"{len(answers) + len(again)} answers while frozen, the longest after {longest:.1f} s")
    for answer in (*answers, *again):
        assert answer.status_code == 503, (answer.url, answer.text)
        assert int(answer.headers["retry-after"]) >= 1, answer.url
        assert answer.headers["content-type"] == "application/problem+json", answer.url
        assert "set-cookie" not in answer.headers
        assert answer.elapsed.total_seconds() < BOUND_SECONDS
    assert {read.status_code for read in reads} == {200}
    wait_until_signed_in(person)
    assert person.cookie == token
