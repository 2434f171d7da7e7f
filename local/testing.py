"""pytest fixtures: the running platform, its users, its traces, its metrics, and the ways to break it.

Loaded by `pytest_plugins = ["local.testing"]` or `-p local.testing`. Everything runs on free ports with a
state folder of its own, so it works beside `make up`, and is stopped at the end of the session.
"""

import json
import os
import random
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from local import layout as layouts
from local.layout import Layout
from local.parts.redis_cluster import connect
from local.platform import Platform

ROOT = Path(__file__).resolve().parent.parent
KEEP = "POLYSESSION_TEST_KEEP"
"""Set: the state folder of the tests, logs included, is kept and named."""


class TraceStore:
    """Asks the trace store by Jaeger's query API."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, trace_id: str) -> dict[str, Any] | None:
        """The trace as Jaeger's JSON has it; none when there is no span of it."""
        answer = httpx.get(f"{self.url}/api/traces/{trace_id}", trust_env=False, timeout=10)
        if answer.status_code == 404:
            return None
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["data"]
        return found[0] if found else None

    def spans(self, trace_id: str) -> list[dict[str, Any]]:
        """Its spans, each with `service` and with its tags as the mapping `attributes`."""
        trace = self.get(trace_id)
        if trace is None:
            return []
        return [
            {
                **span,
                "service": trace["processes"][span["processID"]]["serviceName"],
                "attributes": {tag["key"]: tag["value"] for tag in span.get("tags", [])},
            }
            for span in trace["spans"]
        ]

    def wait(
        self, trace_id: str, *, until: Callable[[list[dict[str, Any]]], bool], seconds: float = 10
    ) -> list[dict[str, Any]]:
        """Its spans as soon as they satisfy the condition; services send theirs each half second."""
        deadline = time.monotonic() + seconds
        while not until(spans := self.spans(trace_id)):
            if time.monotonic() > deadline:
                seen = sorted((span["service"], span["operationName"]) for span in spans)
                raise AssertionError(f"trace {trace_id} did not become as awaited; seen: {seen}")
            time.sleep(0.1)
        return spans

    def wait_for_services(
        self, trace_id: str, services: Sequence[str], **kwargs: Any
    ) -> list[dict[str, Any]]:
        """Its spans once each of these services has sent one."""
        return self.wait(
            trace_id, until=lambda spans: {s["service"] for s in spans} >= set(services), **kwargs
        )

    def find(
        self, service: str, tags: Mapping[str, str] | None = None, limit: int = 20
    ) -> list[dict[str, Any]]:
        """Traces with a span of that service that has these tags."""
        query: dict[str, str | int] = {"service": service, "limit": limit}
        if tags:
            query["tags"] = json.dumps(dict(tags))
        answer = httpx.get(f"{self.url}/api/traces", params=query, trust_env=False, timeout=10)
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["data"]
        return found


class PrometheusAPI:
    """Asks Prometheus."""

    def __init__(self, url: str) -> None:
        self.url = url

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """An instant query's result: labels and value of each series."""
        answer = httpx.get(
            f"{self.url}/api/v1/query", params={"query": expression}, trust_env=False, timeout=10
        )
        answer.raise_for_status()
        return [(row["metric"], float(row["value"][1])) for row in answer.json()["data"]["result"]]

    def value(self, expression: str) -> float:
        """The one value of an expression; 0 when there is no series yet."""
        rows = self.query(expression)
        if len(rows) > 1:
            raise AssertionError(f"{expression} has {len(rows)} series: aggregate it")
        return rows[0][1] if rows else 0.0

    def wait(self, expression: str, *, until: Callable[[float], bool], seconds: float = 15) -> float:
        """The value once it satisfies the condition; scrapes come each 2 s."""
        deadline = time.monotonic() + seconds
        while not until(value := self.value(expression)):
            if time.monotonic() > deadline:
                raise AssertionError(f"{expression} is {value}, not as awaited")
            time.sleep(0.25)
        return value


@dataclass
class User:
    """A signed-in user and the browser they are signed in with."""

    username: str
    password: str
    email: str
    account_id: str
    session_id: str
    client: httpx.Client

    @property
    def csrf(self) -> dict[str, str]:
        """The header that unsafe requests carry: asked for anew, as a session may have been rotated."""
        return csrf_header(self.client)


def csrf_header(client: httpx.Client) -> dict[str, str]:
    """A CSRF token that fits this browser's present session, as a header."""
    answer = client.get("/api/users/csrf")
    answer.raise_for_status()
    return {"X-CSRF-Token": answer.json()["csrf_token"]}


def sign_in(client: httpx.Client, username: str, password: str) -> dict[str, Any]:
    """Sign in with this browser; the answer's body."""
    answer = client.post(
        "/api/users/sessions", json={"username": username, "password": password}, headers=csrf_header(client)
    )
    answer.raise_for_status()
    body: dict[str, Any] = answer.json()
    return body


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """Everything, ready. Its layout names each part's port."""
    with running() as started:
        yield started


class running:  # noqa: N801 - used like a function, as contextlib's own are
    """A whole platform of its own for a `with` block; `tls=True` serves it by https."""

    def __init__(self, *, tls: bool = False) -> None:
        self._tls = tls

    def __enter__(self) -> Platform:
        state = Path(tempfile.mkdtemp(prefix="polysession-test-", dir="/var/tmp"))
        self._platform = Platform(layouts.for_tests(ROOT, state, choose=random.SystemRandom(), tls=self._tls))
        try:
            self._platform.start()
        except BaseException:
            self._clean_up()
            raise
        return self._platform

    def __exit__(self, *_: object) -> None:
        self._platform.stop()
        self._clean_up()

    def _clean_up(self) -> None:
        state = self._platform.layout.state
        if os.environ.get(KEEP):
            print(f"kept: {state}")
        else:
            shutil.rmtree(state)


@pytest.fixture(scope="session")
def layout(platform: Platform) -> Layout:
    """Ports, folders and secrets of the running platform."""
    return platform.layout


@pytest.fixture(scope="session")
def edge_url(platform: Platform) -> str:
    """The origin that browsers use."""
    return platform.layout.public_url


@pytest.fixture(scope="session")
def traces(platform: Platform) -> TraceStore:
    """The trace store."""
    return TraceStore(platform.layout.url(platform.layout.ports.traces))


@pytest.fixture(scope="session")
def prometheus(platform: Platform) -> PrometheusAPI:
    """Prometheus."""
    return PrometheusAPI(platform.layout.url(platform.layout.ports.prometheus))


@pytest.fixture
def redis_nodes(platform: Platform) -> Iterator[dict[str, "redis.Redis"]]:
    """A client of each Redis node, by the name of its program (`redis-1`, …)."""
    nodes = {f"redis-{n}": connect(port) for n, port in enumerate(platform.layout.ports.redis, start=1)}
    yield nodes
    for node in nodes.values():
        node.close()


@pytest.fixture
def kill(platform: Platform) -> Iterator[Callable[..., None]]:
    """`kill("redis-1")`, `kill("users", "TERM")`: what it ended runs again after the test."""
    yield platform.kill
    platform.start()


@pytest.fixture
def start(platform: Platform) -> Callable[[str], None]:
    """`start("redis-1")`: starts a program that was killed and waits until its part is ready."""
    return platform.start_program


@pytest.fixture
def new_browser(edge_url: str) -> Iterator[Callable[..., httpx.Client]]:
    """`new_browser()`: an httpx client with cookies of its own, at the edge's address."""
    with ExitStack() as stack:

        def make(**options: Any) -> httpx.Client:
            client = httpx.Client(base_url=edge_url, trust_env=False, timeout=20, **options)
            return stack.enter_context(client)

        yield make


@pytest.fixture
def new_user(new_browser: Callable[..., httpx.Client]) -> Callable[..., User]:
    """`new_user()`: signs up somebody new and signs them in."""

    def make(**options: Any) -> User:
        client = new_browser(**options)
        username = f"user-{uuid.uuid4().hex[:12]}"
        password, email = str(uuid.uuid4()), f"{username}@example.com"
        answer = client.post(
            "/api/users/accounts",
            json={"username": username, "email": email, "password": password},
            headers=csrf_header(client),
        )
        answer.raise_for_status()
        session = sign_in(client, username, password)
        return User(
            username=username,
            password=password,
            email=email,
            account_id=answer.json()["id"],
            session_id=session["id"],
            client=client,
        )

    return make
