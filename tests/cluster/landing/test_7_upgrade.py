"""Step 7: another release, and back."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from tests.cluster import kind, release, released
from tests.cluster.kind import ORIGIN
from tests.cluster.pods import Pods
from tests.cluster.traffic import Seen, traffic

NEXT = "next"
SERVICES = {f"{name}.image": f"polysession/{name}" for name in ("users", "orders", "shell")}


def retagged(running: Sequence[str], values: dict[str, str]) -> list[str]:
    """Values that name the same images otherwise: a template that differs rolls as a new image would."""
    words: list[str] = []
    for value, repository in values.items():
        kind.retag(next(one for one in running if one.startswith(f"{repository}:")), NEXT)
        words += ["--set", f"{value}.tag={NEXT}"]
    return words


def under_traffic(change: Callable[[], float], *, seed: int) -> tuple[float, Seen]:
    with traffic(ORIGIN, seed=seed) as seen:
        time.sleep(5)
        seconds = change()
        time.sleep(5)
    return seconds, seen


def install_released(commit: str) -> None:
    """In place of what is there; accounts, sessions and keys stay, as at any uninstall."""
    released.take_charts(commit)
    release.uninstall()
    released.provide_images()
    release.install(charts=released.CHARTS)


def test_upgrade_and_rollback_under_traffic(pods: Pods, measured: Callable[[object], None]) -> None:
    """From the charts that were released last; before there are any, from the same with another tag of the images."""
    commit = released.commit()
    if commit is None:
        measured("from the same chart with another image tag: there is no charts/RELEASED yet")
    else:
        install_released(commit)
        measured(f"from the charts of {commit:.12}")
    running, redis_before = release.images(), kind.revision_of_redis()
    first = release.revision()
    services = retagged(running, SERVICES)
    redis = retagged(running, {"redis.images.redis": "redis"})

    seconds, seen = under_traffic(lambda: release.upgrade(*services), seed=8)
    measured(f"upgrade of services and edge in {seconds:.0f} s: {seen}")
    if kind.revision_of_redis() == redis_before:
        seen.assert_strict()
    else:  # the charts differ in it
        seen.assert_store_grade()
    seconds, seen = under_traffic(lambda: release.upgrade(*services, *redis), seed=9)
    measured(f"upgrade of Redis in {seconds:.0f} s: {seen}")
    seen.assert_store_grade()
    seconds, seen = under_traffic(lambda: release.rollback(first), seed=10)
    measured(f"rollback of everything in {seconds:.0f} s: {seen}")
    seen.assert_store_grade()
    assert release.images() == running
    if commit is not None:
        release.upgrade()  # what the next step uninstalls is this checkout's
    pods.wait_ready(seconds=60)
