"""The Redis Cluster that tests share: nobody stops its nodes or empties it; each test has a key prefix of its own."""

from __future__ import annotations

import os
import secrets

import pytest


@pytest.fixture(scope="session")
def redis_nodes() -> tuple[tuple[str, int], ...]:
    """Nodes of the shared cluster, from TEST_REDIS_NODES (``host:port,host:port``)."""
    text = os.environ.get("TEST_REDIS_NODES", "")
    if not text:
        pytest.fail("TEST_REDIS_NODES is not set: `make test` starts a Redis Cluster and sets it")
    pairs = (entry.rsplit(":", 1) for entry in text.split(","))
    return tuple((host, int(port)) for host, port in pairs)


@pytest.fixture
def redis_prefix() -> str:
    return f"test-{secrets.token_hex(6)}"
