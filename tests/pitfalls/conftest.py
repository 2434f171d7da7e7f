"""What the programs run on: the shared Redis Cluster, and a plain Redis for stacks that cannot use a cluster."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping

import pytest
import redis


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 10
    with redis.Redis(port=port, socket_timeout=1) as client:
        while True:
            try:
                client.ping()
                return
            except redis.ConnectionError:
                assert process.poll() is None, f"redis-server ended with {process.returncode}"
                assert time.monotonic() < end, "redis-server does not answer within 10 s"
                time.sleep(0.02)


@pytest.fixture(scope="session")
def plain_redis_url() -> Iterator[str]:
    port = _free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            _wait_for(port, process)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def program_environment(plain_redis_url: str) -> Mapping[str, str]:
    if not os.environ.get("TEST_REDIS_NODES"):
        pytest.fail(
            "TEST_REDIS_NODES is not set: `make test ONLY=pitfalls` starts a Redis Cluster and sets it"
        )
    return {**os.environ, "PITFALLS_REDIS_URL": plain_redis_url}
