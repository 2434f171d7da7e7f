"""A node is drained, and PostgreSQL is away: what is lost meanwhile, and what is not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.cluster.kind import ORIGIN
from tests.cluster.pods import Pods, wait
from tests.cluster.shell import NAMESPACE, NODES, RELEASE, kubectl
from tests.cluster.traffic import traffic
from tests.person import Person

POSTGRES = f"{RELEASE}-postgres"
DRAINED_WITHIN = 300


@pytest.fixture
def uncordoned() -> Iterator[None]:
    yield
    kubectl("uncordon", *NODES)


def test_a_drained_node_costs_nobody_the_session(
    on_redis: Pods, uncordoned: None, measured: Callable[[object], None]
) -> None:
    """The node with PostgreSQL on it. Its pods move, and their volumes with them."""
    node = next(pod for pod in on_redis.all() if pod.metadata.name == f"{POSTGRES}-0").spec.node_name
    with traffic(ORIGIN, seed=20) as seen:
        time.sleep(5)
        started = time.monotonic()
        words = ("--ignore-daemonsets", "--delete-emptydir-data", "--timeout", f"{DRAINED_WITHIN}s")
        kubectl("drain", node, *words)
        measured(f"{node} drained in {time.monotonic() - started:.0f} s")
        measured(f"all Ready {on_redis.wait_ready(seconds=240):.0f} s later")
        time.sleep(5)
    measured(seen)
    seen.assert_store_grade()
    assert node not in {pod.spec.node_name for pod in on_redis.all()}


def test_sessions_are_read_and_nobody_signs_in_while_postgresql_is_away(
    on_redis: Pods, measured: Callable[[object], None]
) -> None:
    """What a session holds is read and changed; what accounts and products hold is 503, and nobody is signed out."""
    person, other = Person(ORIGIN).sign_up().sign_in(), Person(ORIGIN).sign_up()
    assert person.put_in_cart("moon-map", 2).status_code == 200
    token = person.csrf()
    with away(on_redis):
        for _ in range(20):
            assert person.csrf()
        # Refused with 403 where the token is not of the session, hence where that is not read.
        answer = person.ask("DELETE", "/api/orders/cart/items/moon-map", headers={"X-CSRF-Token": token})
        assert (answer.status_code, answer.json()["items"]) == (200, [])
        assert_unavailable(person.http.get("/api/users/me"))
        assert person.cookie is not None
        body = {"username": other.name, "password": other.password}
        assert_unavailable(other.ask("POST", "/api/users/sessions", json=body))
        assert other.cookie is None
    took = wait(lambda: signs_in(other), "people sign in again", seconds=60)
    measured(f"a cart emptied, sign-in 503; 201 again {took:.0f} s after PostgreSQL was Ready")
    assert person.current()["account"]["username"] == person.name
    assert person.cart() == {}


def assert_unavailable(answer: httpx.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert "retry-after" in answer.headers


def signs_in(person: Person) -> bool:
    body = {"username": person.name, "password": person.password}
    return person.ask("POST", "/api/users/sessions", json=body).status_code == 201


@contextmanager
def away(pods: Pods) -> Iterator[None]:
    """Without a pod of PostgreSQL; Ready again afterwards."""
    words = ("scale", f"statefulset/{POSTGRES}", "--namespace", NAMESPACE)
    kubectl(*words, "--replicas", "0")
    try:
        space = ("--namespace", NAMESPACE, "--timeout", "120s")
        kubectl("wait", "--for=delete", f"pod/{POSTGRES}-0", *space)
        yield
    finally:
        kubectl(*words, "--replicas", "1")
        pods.wait_ready(seconds=180)
