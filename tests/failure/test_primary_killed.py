"""kill -9 of a primary: the platform goes on after the failover, and nobody signs in anew."""

from __future__ import annotations

import time

import redis

from tests.person import Person


def holder(nodes: list[tuple[str, int]], session_id: str) -> int:
    """Which of the nodes is the primary that has this session's record."""
    for number, (host, port) in enumerate(nodes):
        with redis.Redis(host=host, port=port) as node:
            is_primary = node.info("replication")["role"] == "master"
            if is_primary and any(node.scan_iter(match=f"*{session_id}*", count=1000)):
                return number
    raise AssertionError("no primary has the session")


def test_people_go_on_after_a_primary_was_killed(edge_url: str, redis_nodes, redis_programs, kill):
    people = [Person(edge_url).sign_up().sign_in() for _ in range(9)]
    for person in people:
        person.put_in_cart("field-notebook")
    time.sleep(1)  # attribute writes are not confirmed: let the replicas have them
    tokens = [person.cookie for person in people]
    kill(redis_programs[holder(redis_nodes, people[0].current()["id"])], "KILL")
    waiting, deadline, refused = set(range(len(people))), time.monotonic() + 60, 0
    while waiting and time.monotonic() < deadline:
        for number in sorted(waiting):
            answers = [people[number].http.get(path) for path in ("/api/users/me", "/api/orders/cart")]
            assert {a.status_code for a in answers} <= {200, 503}, [a.text for a in answers]
            assert not any("set-cookie" in a.headers for a in answers)
            refused += sum(a.status_code == 503 for a in answers)
            if all(a.status_code == 200 for a in answers):
                waiting.discard(number)
        time.sleep(0.1)
    assert not waiting, f"{len(waiting)} never came back"
    assert refused, "the killed primary held nobody: the test proved nothing"
    assert [person.cookie for person in people] == tokens
    for person in people:
        assert person.cart() == {"field-notebook": 1}
        assert person.put_in_cart("steel-rule").status_code == 200
        assert person.order().status_code == 201
