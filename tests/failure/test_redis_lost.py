"""What Redis loses, PostgreSQL knows: who was signed in goes on, who signed out stays out."""

from __future__ import annotations

import time

import httpx
import redis

from tests.failure.test_primary_killed import holder
from tests.person import Person


def empty(nodes: list[tuple[str, int]]) -> int:
    """Every primary forgets everything. How many keys that were."""
    lost = 0
    for host, port in nodes:
        with redis.Redis(host=host, port=port) as node:
            if node.info("replication")["role"] == "master":
                lost += node.dbsize()
                node.flushall()
    return lost


def status_of(origin: str, token: str, path: str) -> int:
    return httpx.get(origin + path, cookies={"session": token}, trust_env=False, timeout=20).status_code


def wait_until_signed_in(person: Person, path: str, seconds: float = 20) -> httpx.Response:
    deadline = time.monotonic() + seconds
    while (answer := person.http.get(path)).status_code == 503 and time.monotonic() < deadline:
        time.sleep(0.1)
    return answer


def test_with_all_of_redis_emptied_nobody_is_signed_out_and_nobody_comes_back(edge_url: str, redis_nodes):
    in_django, in_flask = (Person(edge_url).sign_up().sign_in() for _ in range(2))
    gone = Person(edge_url).sign_up().sign_in()
    token = str(gone.cookie)
    assert gone.ask("DELETE", "/api/users/sessions/current").status_code in (202, 204)
    cookies = [in_django.cookie, in_flask.cookie]
    assert empty(redis_nodes) > 0
    assert wait_until_signed_in(in_flask, "/api/orders/orders").status_code == 200
    assert wait_until_signed_in(in_django, "/api/users/me").status_code == 200
    for person in (in_django, in_flask):
        assert person.http.get("/api/users/me").json()["username"] == person.name
        assert person.http.get("/api/orders/orders").status_code == 200
        assert person.put_in_cart("steel-rule").status_code == 200
    assert [in_django.cookie, in_flask.cookie] == cookies
    for path in ("/api/orders/orders", "/api/users/me"):
        assert status_of(edge_url, token, path) == 401


def test_a_sign_out_that_was_answered_204_is_dead_2_s_after_the_promotion(
    edge_url: str, redis_nodes, redis_programs, kill
):
    staying = Person(edge_url).sign_up().sign_in()
    leaving = [Person(edge_url).sign_up().sign_in() for _ in range(9)]
    victim = redis_programs[holder(redis_nodes, leaving[0].current()["id"])]
    tokens = [str(person.cookie) for person in leaving]
    answers = [person.ask("DELETE", "/api/users/sessions/current").status_code for person in leaving]
    kill(victim, "KILL")
    assert answers[0] == 204
    confirmed = [token for token, answer in zip(tokens, answers, strict=True) if answer == 204]
    deadline = time.monotonic() + 60
    for token in confirmed:
        while status_of(edge_url, token, "/api/users/me") == 503 and time.monotonic() < deadline:
            time.sleep(0.1)
    time.sleep(2)
    for path in ("/api/users/me", "/api/orders/orders"):
        assert {status_of(edge_url, token, path) for token in confirmed} == {401}
    assert wait_until_signed_in(staying, "/api/users/me").status_code == 200
