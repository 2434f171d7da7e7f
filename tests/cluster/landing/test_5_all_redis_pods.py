"""Step 5: all six Redis pods are gone at once, and come back with other addresses."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.cluster.kind import ORIGIN
from tests.cluster.pods import Pods, wait
from tests.cluster.traffic import traffic

ANSWERS_WITHIN = 60


def test_the_platform_answers_again_and_nobody_is_signed_out(
    pods: Pods, measured: Callable[[object], None]
) -> None:
    before = [pod.metadata.uid for pod in pods.redis()]
    assert len(before) == 6
    with traffic(ORIGIN, seed=6) as seen:
        time.sleep(5)
        pods.delete([pod.metadata.name for pod in pods.redis()])
        wait(lambda: _all_new(pods, before), "six new Redis pods are Ready", seconds=180)
        time.sleep(10)
    measured(seen)
    seen.assert_store_grade()
    assert 0 < seen.longest_outage < ANSWERS_WITHIN


def _all_new(pods: Pods, before: list[str]) -> bool:
    now = pods.redis()
    return len(now) == 6 and not {pod.metadata.uid for pod in now} & set(before) and not pods.unready()
