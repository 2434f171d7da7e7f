"""A worker stops: nothing on it answers, and nobody tells the others."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import httpx
import pytest

from tests.cluster import release
from tests.cluster.kind import ORIGIN
from tests.cluster.landing.test_6_frozen_primary import is_primary
from tests.cluster.pods import Pods
from tests.cluster.shell import NODES, run
from tests.cluster.traffic import traffic
from tests.person import Person

STOPPED_SECONDS = 100  # Kubernetes takes forty to see it; from then on nobody is sent there
ANSWERS_WITHIN = 5.0


@pytest.fixture(scope="module")
def spread(pods: Pods) -> Pods:
    """Newly installed: both workers have primaries."""
    release.renew()
    pods.wait_ready(seconds=180)
    return pods


def test_sessions_are_served_without_a_worker_and_nobody_is_signed_out(
    spread: Pods, measured: Callable[[object], None]
) -> None:
    """The worker with fewer primaries: the others are a majority, and elect. Requests that it had are lost with it."""
    people = [Person(ORIGIN).sign_up().sign_in() for _ in range(12)]
    tokens = [(person, person.csrf()) for person in people]
    primaries = Counter(pod.spec.node_name for pod in spread.redis() if is_primary(pod))
    assert set(primaries) == set(NODES)
    node = min(primaries, key=lambda one: primaries[one])
    names = sorted(pod.metadata.name for pod in spread.all() if pod.spec.node_name == node)
    measured(
        f"{node} stopped for {STOPPED_SECONDS} s, with {primaries[node]} of 3 primaries: {' '.join(names)}"
    )
    with traffic(ORIGIN, seed=25) as seen:
        time.sleep(5)
        with paused(node):
            after = seconds_until_served(tokens)
        measured(f"every session is read {after:.0f} s after it stopped")
        spread.wait_ready(seconds=240)
        time.sleep(5)
    measured(seen)
    assert seen.wrong == []
    assert after < STOPPED_SECONDS
    assert is_served(tokens)


def seconds_until_served(tokens: Sequence[tuple[Person, str]]) -> float:
    """From when on each look found every session, up to ``STOPPED_SECONDS``; as many if the last one did not."""
    started, since = time.monotonic(), float(STOPPED_SECONDS)
    while (now := time.monotonic() - started) < STOPPED_SECONDS:
        since = min(since, now) if is_served(tokens) else STOPPED_SECONDS
        time.sleep(1)
    return since


def is_served(tokens: Sequence[tuple[Person, str]]) -> bool:
    """By a request that needs no PostgreSQL, and is refused where the token is not of the session."""
    path = "/api/orders/cart/items/moon-map"
    try:
        return all(
            person.http.delete(path, headers={"X-CSRF-Token": token}, timeout=ANSWERS_WITHIN).status_code
            == 200
            for person, token in tokens
        )
    except httpx.TransportError:
        return False


@contextmanager
def paused(node: str) -> Iterator[None]:
    """Its container: the kubelet, the runtime and every pod stand still, connections stay open."""
    run("docker", "pause", node)
    try:
        yield
    finally:
        run("docker", "unpause", node)
