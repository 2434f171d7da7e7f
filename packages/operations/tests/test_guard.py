"""The guard's patience, without a cluster and without waiting."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest
from operations.apply import Apply
from operations.guard import PATIENCE_SECONDS, Guard, Refused
from operations.log import Log
from operations.nodes import Access, NodeError
from operations.observe import Observer
from operations.observed import Observed
from operations.settings import GuardSettings, RedisSettings
from operations.steps import Step
from operations.wanted import Shape

from .conftest import Lines
from .nodes_for_tests import NAMES
from .test_plan import WANTED, cluster, know_each_other, member

FOUR, THREE = Shape(4, 1), Shape(3, 1)
DOWN = "HSET operations:target at 10.0.0.0:6379: CLUSTERDOWN The cluster is down"
NEVER = range(0)


class Faulty:
    """A cluster as its observer and its `Apply` show it, with a clock of its own. One pod too many, that is drained as
    soon as the smaller shape is recorded. ``refused``: the writes that meet a cluster without a majority, counted from
    0; ``unread``: the looks that do. Nothing else fails.
    """

    def __init__(
        self,
        *,
        refused: range = NEVER,
        unread: range = NEVER,
        recorded: Shape | None = None,
        leaves: bool = True,
        leaver: bool = True,
    ) -> None:
        self.now = 0.0
        self.recorded = recorded
        self._refused, self._unread = refused, unread
        self._leaves, self._leaver = leaves, leaver
        self.writes = self.looks = 0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def look(self, _pods: int) -> Observed:
        is_down = self.looks in self._unread
        self.looks += 1
        drained = not self._leaver or (self._leaves and self.recorded == THREE)
        spare = replace(member(7), primary_id="n0", follows="10.0.0.0:6379")
        seen = cluster() if drained else know_each_other([*cluster().members, spare])
        return replace(seen, recorded=self.recorded, unread=DOWN if is_down else "")

    def __call__(self, _step: Step) -> None:
        pass

    def record(self, shape: Shape | None, _observed: Observed) -> None:
        self.writes += 1
        if self.writes - 1 in self._refused:
            raise NodeError(DOWN)
        self.recorded = shape

    def erase(self, observed: Observed) -> None:
        self.record(None, observed)


def guard(
    faulty: Faulty, log: Log, *, hook: str = "upgrade", engine: str = "", override: bool = False
) -> Guard:
    redis = RedisSettings(
        names=NAMES,
        wanted=WANTED,
        access=Access(),
        acl_file=None,
        replica_password_file=None,
        bind=("127.0.0.1", 0),
        every_seconds=1,
    )
    return Guard(
        redis,
        GuardSettings(hook=hook, override=override, drain_seconds=60, engine=engine),
        cast("Observer", faulty),
        cast("Apply", faulty),
        log=log,
        clock=faulty.clock,
        sleep=faulty.sleep,
    )


FOR_EVER = range(10**6)


def test_a_moment_without_a_majority_is_waited_out_before_pods_are_drained(log: Log, lines: Lines):
    faulty = Faulty(refused=range(9), recorded=FOUR)
    guard(faulty, log).check()
    assert (faulty.recorded, faulty.writes) == (THREE, 10)
    assert faulty.looks >= faulty.writes  # anew before each try: another node may have the slot by now
    assert "the cluster did not take it down; asks again" in lines.events


def test_it_is_waited_out_where_nothing_is_drained_too(log: Log):
    faulty = Faulty(refused=range(9), recorded=FOUR, leaver=False)
    guard(faulty, log).check()
    assert faulty.recorded == THREE


@pytest.mark.parametrize("recorded", [None, FOUR])
def test_a_cluster_that_stays_without_a_majority_is_refused_with_a_sentence_and_nothing_has_changed(
    log: Log, recorded: Shape | None
):
    faulty = Faulty(refused=FOR_EVER, recorded=recorded)
    with pytest.raises(
        Refused, match=r"30 s: .*CLUSTERDOWN.*\. The release stays as it is\. Heal the cluster"
    ):
        guard(faulty, log).check()
    assert faulty.recorded == recorded
    assert PATIENCE_SECONDS <= faulty.now <= 2 * PATIENCE_SECONDS


@pytest.mark.parametrize("recorded", [None, FOUR])
def test_what_was_recorded_is_put_back_as_patiently(log: Log, recorded: Shape | None):
    faulty = Faulty(refused=range(1, 9), recorded=recorded, leaves=False)
    with pytest.raises(Refused, match="were not drained within 60 s") as caught:
        guard(faulty, log).check()
    assert (faulty.recorded, faulty.writes) == (recorded, 10)
    assert "put back" not in str(caught.value)


def test_what_cannot_be_put_back_is_told_with_what_the_manager_may_do(log: Log):
    faulty = Faulty(refused=range(1, 10**6), recorded=FOUR, leaves=False)
    with pytest.raises(
        Refused,
        match=r"were not drained within 60 s.*Nor could be put back .*primaries=4.*may drain the pods above 5",
    ):
        guard(faulty, log).check()


def test_a_record_that_cannot_be_read_is_waited_for_and_never_taken_for_none(log: Log):
    faulty = Faulty(unread=range(9), recorded=FOUR, leaver=False)
    guard(faulty, log).check()
    assert (faulty.looks, faulty.recorded) == (10, THREE)
    with pytest.raises(Refused, match=r"recorded cannot be read .*CLUSTERDOWN.*guard\.override=true"):
        guard(Faulty(unread=FOR_EVER, recorded=FOUR, leaver=False), log).check()


def test_a_rollback_goes_on_where_the_record_cannot_be_read_for_it_may_heal_the_cluster(
    log: Log, lines: Lines
):
    faulty = Faulty(unread=FOR_EVER, recorded=FOUR, leaver=False)
    guard(faulty, log, hook="rollback").check()
    assert (faulty.recorded, faulty.writes, faulty.now) == (FOUR, 0, 0.0)
    assert lines.level("recorded cannot be read") == "warning"


@pytest.mark.parametrize("hook", ["upgrade", "rollback"])
def test_another_engine_is_refused_before_anything_changes_and_not_even_an_override_gets_it(
    hook: str, log: Log
):
    faulty = Faulty(leaver=False)  # of members whose version nobody filled in: of no engine
    with pytest.raises(Refused, match="the release wants valkey"):
        guard(faulty, log, hook=hook, engine="valkey", override=True).check()
    assert faulty.writes == 0
