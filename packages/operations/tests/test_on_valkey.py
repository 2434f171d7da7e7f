"""Resizing on a real server that can: Valkey 9, in containers."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis
from operations.guard import Guard
from operations.log import Log
from operations.settings import GuardSettings
from operations.wanted import Shape, Wanted
from redis.cluster import ClusterNode
from redis.exceptions import RedisClusterException

from .nodes_for_tests import Operator, Pods, is_whole, keys_of

IMAGE = "valkey/valkey:9.1"
THREE, FOUR = Wanted(3, 1), Wanted(4, 1)


def has_image() -> bool:
    try:
        found = subprocess.run(
            ["docker", "image", "inspect", IMAGE], capture_output=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return found.returncode == 0


pytestmark = pytest.mark.skipif(not has_image(), reason=f"needs a Docker engine with {IMAGE}")


@pytest.fixture
def pods(tmp_path: Path) -> Iterator[Pods]:
    # Nobody fails here: a node that gets no processor for two seconds shall not count as failed.
    pods = Pods(tmp_path, 6, image=IMAGE, node_timeout_milliseconds=15_000)
    yield pods
    pods.stop()


def connect(port: int, *, seconds: float = 120) -> redis.RedisCluster:
    """A client; a node that began a moment ago, on a busy machine, may not answer the first question."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return redis.RedisCluster(
                startup_nodes=[ClusterNode("127.0.0.1", port)],
                decode_responses=True,
                dynamic_startup_nodes=False,
            )
        except (redis.RedisError, RedisClusterException):  # the second is no RedisError
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


class Writer(threading.Thread):
    """Adds to a script's two keys of one slot, as the store does, while slots move under it."""

    SCRIPT = "redis.call('HINCRBY', KEYS[1], 'n', 1) return redis.call('HINCRBY', KEYS[2], 'n', 1)"

    def __init__(self, port: int) -> None:
        super().__init__()
        self._client = connect(port)
        self.stopping = threading.Event()
        self.written = 0
        self.faults: list[str] = []

    def run(self) -> None:
        while not self.stopping.is_set():
            tag = self.written % 500
            try:
                first = self._client.eval(self.SCRIPT, 2, f"{{w{tag}}}:a", f"{{w{tag}}}:b")
            except (redis.RedisError, RedisClusterException) as fault:
                self.faults.append(f"{type(fault).__name__}: {fault}")
                continue
            if first != self.written // 500 + 1:
                self.faults.append(f"{tag}: {first}, not {self.written // 500 + 1}")
            self.written += 1

    def wait_for(self, number: int, *, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while self.written < number and time.monotonic() < deadline:
            time.sleep(0.1)

    def stop(self) -> None:
        self.stopping.set()
        if self.ident is not None:
            self.join()
        self._client.close()


@pytest.fixture
def start_writer(pods: Pods) -> Iterator[Callable[[], Writer]]:
    """Stopped before the pods are, whatever the test came to."""
    with ExitStack() as stack:

        def start() -> Writer:
            writer = Writer(pods[0].port)
            stack.callback(writer.stop)
            writer.start()
            return writer

        yield start


def test_three_primaries_become_four_and_three_again_with_every_key_and_every_write(
    pods: Pods, log: Log, start_writer: Callable[[], Writer]
):
    three = Operator(pods, THREE, log)
    total = pods.fill(three.work())
    writer = start_writer()

    pods.grow(8)
    four = Operator(pods, FOUR, log)
    observed = four.work()
    assert is_whole(observed, FOUR)
    assert {len(observed.owned(member)) for member in observed.primaries} == {4096}

    settings = GuardSettings(hook="upgrade", override=False, drain_seconds=300)
    Guard(three.settings, settings, three.observer, three.apply, log=log).check()
    observed = three.look()
    assert is_whole(observed, THREE)
    assert observed.recorded == Shape(3, 1)
    assert {member.ordinal for member in observed.members} == set(range(6))
    writer.wait_for(501)  # each of its 500 pairs of keys is there, and the first was added to twice
    writer.stop()
    assert writer.faults == []
    assert writer.written > 500
    assert keys_of(three.look()) == total + 2 * 500 + 1

    assert four.manager.turn() is None  # of the release that still runs: it obeys what is recorded
    for operator in (three, four):
        operator.close()
