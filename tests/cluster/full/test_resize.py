"""Valkey moves slots atomically: a fourth shard comes, goes and comes again while people are signed in."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
import pytest

from tests.cluster import release, store
from tests.cluster.kind import ORIGIN
from tests.cluster.pods import REDIS, Pods, wait
from tests.cluster.ports import NoForward, forwarded
from tests.cluster.traffic import traffic
from tests.person import Person


@pytest.fixture(scope="module")
def people(on_valkey: Pods) -> list[Person]:
    """Signed in before the first resize, with a cart each; nobody of them does anything but look."""
    found = [Person(ORIGIN).sign_up().sign_in() for _ in range(10)]
    for quantity, person in enumerate(found, start=1):
        assert person.put_in_cart("moon-map", quantity).status_code == 200
    return found


@pytest.mark.parametrize(("step", "primaries"), [(1, 4), (2, 3), (3, 4)])
def test_a_shard_comes_and_goes_and_nothing_is_lost(
    step: int, primaries: int, on_valkey: Pods, people: list[Person], measured: Callable[[object], None]
) -> None:
    if len(on_valkey.redis()) == primaries * 2:
        pytest.fail(f"there are {primaries} primaries already: the steps are one story, run all of them")
    store.plant()
    with traffic(ORIGIN, seed=30 + step) as seen:
        time.sleep(5)
        seconds = release.upgrade(*release.VALKEY, "--set", f"redis.primaries={primaries}")
        more = wait(lambda: is_whole(primaries), f"{primaries} primaries, as wanted", seconds=300, pause=2)
        on_valkey.wait_ready(seconds=120)
        time.sleep(5)
    measured(f"helm upgrade {seconds:.0f} s, as wanted {more:.0f} s later: {seen}")
    seen.assert_store_grade()
    lost = store.lost()
    measured(f"{lost} of {store.KEYS} planted keys lost")
    assert lost == 0
    for quantity, person in enumerate(people, start=1):
        assert person.current()["account"]["username"] == person.name
        assert person.cart() == {"moon-map": quantity}
    assert len(on_valkey.redis()) == primaries * 2
    assert on_valkey.redis_volumes() == {f"data-{REDIS}-{ordinal}" for ordinal in range(primaries * 2)}


def is_whole(primaries: int) -> bool:
    """By the manager's own metrics; it may be restarting."""
    try:
        with forwarded("redis-manager", 9400) as manager:
            lines = manager.get("/metrics").text.splitlines()
    except (NoForward, httpx.TransportError):
        return False
    now = {name: float(value) for name, _, value in (one.rpartition(" ") for one in lines if one[0] != "#")}
    wanted = {
        "redis_primaries": primaries,
        "redis_primaries_wanted": primaries,
        "redis_pods_answering": primaries * 2,
        "redis_manager_converged": 1,
        "redis_slots_unserved": 0,
        "redis_shards_lacking_replicas": 0,
    }
    return all(now.get(name) == value for name, value in wanted.items())
