"""A primary that neither answers nor dies: 503 soon for its own people, and nobody else waits for them."""

from __future__ import annotations

import threading
import time
from statistics import median

import httpx

from tests.failure.test_primary_killed import holder
from tests.failure.test_store_down import wait_until_signed_in
from tests.person import Person

SOON = 2.5  # seconds: not hung. Two store operations of 250 ms on a machine that may be busy


def test_a_frozen_primary_is_503_for_its_people_and_starves_no_others(
    edge_url: str, redis_nodes, redis_programs, platform
):
    people = [Person(edge_url).sign_up().sign_in() for _ in range(9)]
    held = [holder(redis_nodes, person.current()["id"]) for person in people]
    victim, spared = people[0], [one for one, node in zip(people, held, strict=True) if node != held[0]]
    assert spared, "all on one primary: draw again"
    token, over = str(victim.cookie), threading.Event()

    def insist(path: str, found: list[httpx.Response]) -> None:
        with httpx.Client(base_url=edge_url, cookies={"session": token}, trust_env=False, timeout=20) as tab:
            while not over.is_set():
                found.append(tab.get(path))

    answers: list[httpx.Response] = []
    tabs = [
        threading.Thread(target=insist, args=(path, answers))
        for path in ("/api/users/me", "/api/orders/orders")
        for _ in range(6)
    ]
    platform.kill(redis_programs[held[0]], "STOP")
    try:
        for tab in tabs:
            tab.start()
        others, deadline = [], time.monotonic() + 1.5  # less than the cluster needs for a failover
        while time.monotonic() < deadline:
            others += [spared[0].http.get(path) for path in ("/api/users/me", "/api/orders/orders")]
    finally:
        over.set()
        platform.kill(redis_programs[held[0]], "CONT")
        for tab in tabs:
            tab.join()
    assert {one.status_code for one in others} == {200}
    assert median(one.elapsed.total_seconds() for one in others) < 0.5
    assert 503 in {one.status_code for one in answers}
    assert {one.status_code for one in answers} <= {200, 503}
    assert max(one.elapsed.total_seconds() for one in answers) < SOON
    assert not any("set-cookie" in one.headers for one in answers)
    wait_until_signed_in(victim)
    assert victim.cookie == token
