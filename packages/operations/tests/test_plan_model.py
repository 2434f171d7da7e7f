"""`next_step` against a simulated cluster: whatever happens to the pods, its steps come to the wanted shape and never
lose the only copy of anything; the simulation refuses what is unsafe.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from operations.observed import count_on_one_node
from operations.plan import next_step
from operations.steps import Forget, Meet, MoveSlots, Step, Wait
from operations.wanted import Wanted

from .simulated import SLOTS, Cluster

PLACES = ("a", "b")
MOST_STEPS = 400


@dataclass(frozen=True)
class Event:
    kind: str
    ordinal: int
    place: str
    turns: int


EVENTS = st.builds(
    Event,
    kind=st.sampled_from(("restart", "stop", "lose", "restart all", "stop shard", "write", "move")),
    ordinal=st.integers(0, 7),
    place=st.sampled_from(PLACES),
    turns=st.integers(0, 6),
)
SHAPES = st.tuples(st.integers(1, 4), st.integers(0, 2)).map(lambda pair: Wanted(*pair, slots=SLOTS))


def begin(wanted: Wanted, *, atomic: bool = True) -> Cluster:
    cluster = Cluster(atomic=atomic)
    for ordinal in range(wanted.pods):
        cluster.start(ordinal, placed_on=PLACES[ordinal % 2])
    return cluster


def turn(cluster: Cluster, wanted: Wanted) -> Step | None:
    cluster.settle()
    observed = cluster.observe(wanted)
    step = next_step(observed, wanted)
    assert step == next_step(observed, wanted)  # pure
    if step is not None:
        cluster.apply(step)
    return step


def work(cluster: Cluster, wanted: Wanted) -> list[Step]:
    """To the end. A Wait that stays a Wait is one."""
    steps: list[Step] = []
    waits = 0
    for _ in range(MOST_STEPS):
        step = turn(cluster, wanted)
        if step is None:
            return steps
        waits = waits + 1 if isinstance(step, Wait) else 0
        if waits > 5:
            raise AssertionError(f"it waits for ever: {step}")
        steps.append(step)
    raise AssertionError(f"no end after {MOST_STEPS} steps: {steps[-4:]}")


def happen(cluster: Cluster, event: Event, wanted: Wanted) -> None:
    ordinal = event.ordinal % wanted.pods
    neighbours = [ordinal, ordinal ^ 1] if event.kind == "stop shard" else [ordinal]
    match event.kind:
        case "restart all":
            for one in range(wanted.pods):
                cluster.start(one, placed_on=PLACES[(one + len(event.place)) % 2])
        case "stop" | "stop shard":
            for one in neighbours:
                cluster.stop(one)
        case "lose":
            cluster.stop(ordinal)
            cluster.lose(ordinal)
        case "write":
            cluster.write()
        case _:
            cluster.start(ordinal, placed_on=event.place)


def assert_as_wanted(cluster: Cluster, wanted: Wanted) -> None:
    observed = cluster.observe(wanted)
    assert len(observed.served) == SLOTS
    assert {member.ordinal for member in observed.members} == set(range(wanted.pods))
    assert len(observed.primaries) == wanted.primaries
    assert all(len(shard.synced) == wanted.replicas for shard in observed.shards)
    assert not observed.entries


# The same runs at each landing; `make test-full` looks for new ones.
FULL = bool(os.environ.get("POLYSESSION_FULL"))
MODEL = settings(
    max_examples=1500 if FULL else 150,
    derandomize=not FULL,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@MODEL
@given(SHAPES)
def test_a_new_cluster_becomes_what_is_wanted_and_stays_so(wanted: Wanted):
    cluster = begin(wanted)
    work(cluster, wanted)
    assert_as_wanted(cluster, wanted)
    assert [turn(cluster, wanted) for _ in range(3)] == [None] * 3


@MODEL
@given(st.lists(EVENTS, max_size=12), st.booleans())
@example([Event("restart all", 0, "a", 0)], True)
@example([Event("lose", 0, "a", 0), Event("lose", 1, "a", 0)], True)
@example([Event("lose", 0, "a", 3), Event("restart", 0, "a", 3), Event("stop", 1, "a", 2)], False)
def test_whatever_happens_the_shape_comes_back_and_no_copy_is_lost(events: list[Event], atomic: bool):
    wanted = Wanted(3, 1, slots=SLOTS)
    cluster = begin(wanted, atomic=atomic)
    work(cluster, wanted)
    cluster.write()
    for event in events:
        happen(cluster, event, wanted)
        for _ in range(event.turns):
            turn(cluster, wanted)
    kept = cluster.recoverable()
    for ordinal in range(wanted.pods):
        if ordinal not in cluster.up:
            cluster.start(ordinal, placed_on=PLACES[ordinal % 2])
    work(cluster, wanted)
    assert len(cluster.observe(wanted).served) == SLOTS
    assert kept & cluster.written <= cluster.recoverable()
    if atomic:
        assert_as_wanted(cluster, wanted)


@MODEL
@given(SHAPES, SHAPES, st.lists(EVENTS, max_size=4))
def test_from_every_shape_to_every_shape_with_every_key(before: Wanted, after: Wanted, events: list[Event]):
    cluster = begin(before)
    work(cluster, before)
    cluster.write()
    for ordinal in range(before.pods, after.pods):
        cluster.start(ordinal, placed_on=PLACES[ordinal % 2])
    for event in events:
        if event.kind in ("restart", "restart all", "move", "write"):
            happen(cluster, event, after if after.pods < before.pods else before)
        for _ in range(event.turns):
            turn(cluster, after)
    work(cluster, after)
    assert_as_wanted(cluster, after)
    assert cluster.recoverable() >= cluster.written
    for ordinal in range(after.pods, before.pods):  # now the StatefulSet may shrink
        cluster.stop(ordinal)
        cluster.lose(ordinal)
    work(cluster, after)
    assert_as_wanted(cluster, after)


@MODEL
@given(st.permutations(range(6)), st.integers(2, 3))
def test_no_shard_stays_on_one_node_that_can_be_parted(order: list[int], places: int):
    wanted = Wanted(3, 1, slots=SLOTS)
    cluster = Cluster()
    for number, ordinal in enumerate(order):
        cluster.start(ordinal, placed_on="abc"[number % places])
    work(cluster, wanted)
    assert count_on_one_node(cluster.observe(wanted).shards) == 0


def test_primaries_do_not_stay_together_on_one_node():
    wanted = Wanted(3, 1, slots=SLOTS)
    cluster = begin(wanted)
    work(cluster, wanted)
    for ordinal in (1, 3, 5):  # each shard's other pod is on "b": all its primaries go there
        cluster.stop(ordinal - 1)
        cluster.settle()
        cluster.start(ordinal - 1, placed_on="a")
        cluster.settle()
    work(cluster, wanted)
    places = [shard.primary.placed_on for shard in cluster.observe(wanted).shards]
    assert sorted(Counter(places).values()) == [1, 2]


def test_a_shard_that_cannot_be_parted_is_left_and_counted():
    wanted = Wanted(3, 1, slots=SLOTS)
    cluster = Cluster()
    for ordinal in range(6):
        cluster.start(ordinal, placed_on="a" if ordinal < 4 else "b")
    work(cluster, wanted)
    assert cluster.observe(wanted).shards_on_one_node == 1


def test_slots_do_not_move_where_that_is_not_atomic():
    before, after = Wanted(3, 1, slots=SLOTS), Wanted(4, 1, slots=SLOTS)
    cluster = begin(before, atomic=False)
    work(cluster, before)
    for ordinal in range(6, 8):
        cluster.start(ordinal, placed_on="a")
    with pytest.raises(AssertionError, match=r"it waits for ever: .*3 primaries cannot become 4"):
        work(cluster, after)
    assert len(cluster.observe(after).primaries) == 3


def test_nobody_is_forgotten_before_those_that_moved_are_met():
    wanted = Wanted(3, 1, slots=SLOTS)
    cluster = begin(wanted)
    work(cluster, wanted)
    cluster.stop(1)
    cluster.lose(1)
    for ordinal in range(6):
        cluster.start(ordinal, placed_on="a" if ordinal % 2 else "b")
    steps = [type(step) for step in work(cluster, wanted)]
    assert steps.index(Forget) > max(
        index for index, kind in enumerate(steps[: steps.index(Forget)]) if kind is Meet
    )


def test_a_new_cluster_never_begins_over_data():
    wanted = Wanted(3, 1, slots=SLOTS)
    cluster = begin(wanted)
    cluster.pods[2].copies = {5}
    with pytest.raises(AssertionError, match="pod 2 hold keys but no slots: no new cluster over data"):
        work(cluster, wanted)
    cluster = begin(wanted)
    cluster.stop(4)
    with pytest.raises(AssertionError, match="pod 4 not yet"):
        work(cluster, wanted)
    assert not cluster.observe(wanted).claimed


def test_a_resize_moves_no_more_slots_than_it_must():
    before, after = Wanted(3, 1, slots=SLOTS), Wanted(4, 1, slots=SLOTS)
    cluster = begin(before)
    work(cluster, before)
    for ordinal in range(6, 8):
        cluster.start(ordinal, placed_on=PLACES[ordinal % 2])
    moved = sum(len(step.slots) for step in work(cluster, after) if isinstance(step, MoveSlots))
    assert moved == SLOTS // 4
