"""Step 4: workloads are restarted under traffic."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.cluster.kind import ORIGIN
from tests.cluster.pods import REDIS, Pods
from tests.cluster.shell import RELEASE
from tests.cluster.traffic import traffic
from tests.cluster.usage import table, usage


def test_nobody_notices_that_services_and_edge_restart(
    pods: Pods, measured: Callable[[object], None]
) -> None:
    with traffic(ORIGIN, seed=4) as seen:
        time.sleep(15)
        measured(table(usage()))
        for name in ("users", "orders", "edge"):
            pods.restart("deployment", f"{RELEASE}-{name}")
            measured(f"{name} in {pods.wait_rolled('deployment', f'{RELEASE}-{name}', seconds=240):.0f} s")
        time.sleep(5)
    measured(seen)
    seen.assert_strict()


def test_no_session_is_lost_while_redis_restarts(pods: Pods, measured: Callable[[object], None]) -> None:
    with traffic(ORIGIN, seed=5) as seen:
        time.sleep(5)
        pods.restart("statefulset", REDIS)
        measured(f"redis in {pods.wait_rolled('statefulset', REDIS, seconds=400):.0f} s")
        time.sleep(5)
    measured(seen)
    seen.assert_store_grade()
