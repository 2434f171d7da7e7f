"""Step 6: a primary neither answers nor dies. Frozen from its node: a process that is killed restarts in place, before
anybody could fail over.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.cluster.kind import ORIGIN
from tests.cluster.pods import Pods
from tests.cluster.shell import NAMESPACE, kubectl, run
from tests.cluster.traffic import traffic

SERVES_WITHIN = 15
FROZEN_SECONDS = 25


def test_its_replica_serves_soon(pods: Pods, measured: Callable[[object], None]) -> None:
    primary = next(pod for pod in pods.redis() if is_primary(pod))
    with traffic(ORIGIN, seed=7) as seen:
        time.sleep(5)
        with frozen(primary):
            time.sleep(FROZEN_SECONDS)
        pods.wait_ready(seconds=120)
        time.sleep(5)
    measured(f"{primary.metadata.name} frozen for {FROZEN_SECONDS} s")
    measured(seen)
    seen.assert_store_grade()
    assert 0 < seen.longest_outage < SERVES_WITHIN


def is_primary(pod: Any) -> bool:
    """By its own notes: it needs no user for that."""
    words = (
        "exec",
        pod.metadata.name,
        "--namespace",
        NAMESPACE,
        "-c",
        "redis",
        "--",
        "cat",
        "/data/nodes.conf",
    )
    mine = next(line for line in kubectl(*words).splitlines() if "myself" in line)
    return "master" in mine.split()[2]


@contextmanager
def frozen(pod: Any) -> Iterator[None]:
    container = next(one for one in pod.status.container_statuses if one.name == "redis").container_id
    task = ("docker", "exec", pod.spec.node_name, "ctr", "-n", "k8s.io", "tasks")
    run(*task, "pause", container.removeprefix("containerd://"))
    try:
        yield
    finally:
        run(*task, "resume", container.removeprefix("containerd://"))
