"""A directive that Redis does not know: the pod that gets it first does not start, and no other pod gets it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.cluster import release
from tests.cluster.kind import ORIGIN
from tests.cluster.pods import Pods
from tests.cluster.shell import CommandFailed
from tests.cluster.traffic import traffic

BAD = ("--set", "redis.extraConfig.no-such-directive=yes")


def test_a_bad_redis_value_stops_at_one_pod_and_a_rollback_heals(
    on_redis: Pods, measured: Callable[[object], None]
) -> None:
    before = templates(on_redis)
    with traffic(ORIGIN, seed=22) as seen:
        time.sleep(5)
        with pytest.raises(CommandFailed):
            release.upgrade(*BAD, seconds=75)
    measured(f"the upgrade, given up by Helm after 75 s: {seen}")
    seen.assert_store_grade()

    with traffic(ORIGIN, seed=23) as seen:
        time.sleep(20)
    measured(f"one pod down: {seen}")
    seen.assert_strict()
    reached = {name for name, template in templates(on_redis).items() if template != before[name]}
    assert len(reached) == 1
    assert set(on_redis.unready()) == reached

    with traffic(ORIGIN, seed=24) as seen:
        time.sleep(5)
        seconds = release.rollback()
        on_redis.wait_ready(seconds=180)
        time.sleep(5)
    measured(f"rollback in {seconds:.0f} s: {seen}")
    seen.assert_store_grade()
    assert templates(on_redis) == before


def templates(pods: Pods) -> dict[str, Any]:
    """Which revision of the StatefulSet each Redis pod is of."""
    return {pod.metadata.name: pod.metadata.labels["controller-revision-hash"] for pod in pods.redis()}
