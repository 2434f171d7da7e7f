"""Single decisions that the simulation meets too seldom, or cannot show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from operations.observed import VALKEY_MOVER, Entry, Member, Observed
from operations.plan import next_step, refuse_engine, refuse_resize, stale_acl
from operations.steps import Failover, Forget, Replicate, Reset, TakeOver, Wait
from operations.wanted import Wanted

WANTED = Wanted(3, 1, slots=9)


def cluster(*changed: Member, mover: str = VALKEY_MOVER) -> Observed:
    """Three shards of two, all as wanted, but for the members that are given."""
    given = {member.ordinal: member for member in changed}
    plain = [member(ordinal, mover=mover) for ordinal in range(6)]
    return know_each_other(
        [given.get(one.ordinal, one) for one in plain] + [one for one in changed if one.ordinal > 5]
    )


def member(ordinal: int, *, mover: str = VALKEY_MOVER) -> Member:
    is_primary = ordinal % 2 == 0
    first = ordinal // 2 * 3
    return Member(
        ordinal,
        f"10.0.0.{ordinal}:6379",
        f"n{ordinal}",
        primary_id=None if is_primary else f"n{ordinal - 1}",
        slots=frozenset(range(first, first + 3)) if is_primary and ordinal < 6 else frozenset(),
        epoch=ordinal + 1,
        synced=not is_primary,
        follows="" if is_primary else f"10.0.0.{ordinal - 1}:6379",
        placed_on="ab"[(ordinal + ordinal // 2) % 2],
        mover=mover,
    )


def know_each_other(members: Iterable[Member]) -> Observed:
    listed = list(members)
    entries = {
        one.id: Entry(one.id, one.address, one.ordinal, primary_id=one.primary_id, slots=one.slots)
        for one in listed
    }
    return Observed(
        tuple(
            replace(one, table={key: entry for key, entry in entries.items() if key != one.id})
            for one in listed
        )
    )


def without(observed: Observed, *ordinals: int) -> Observed:
    """They are silent; the others' tables keep them, as failing."""
    gone = {one.id for one in observed.members if one.ordinal in ordinals}

    def table(one: Member) -> dict[str, Entry]:
        return {
            key: replace(entry, flags=frozenset({"fail"}), connected=False) if key in gone else entry
            for key, entry in one.table.items()
        }

    left = tuple(replace(one, table=table(one)) for one in observed.members if one.id not in gone)
    return Observed(left, frozenset(ordinals))


def test_a_cluster_as_wanted_needs_nothing():
    assert next_step(cluster(), WANTED) is None


def test_a_primary_that_leaves_hands_over_to_a_replica_in_step_only():
    primary, replica = replace(member(4), ordinal=6, id="n4"), member(5)
    behind = replace(replica, synced=False)
    smaller = [one for one in cluster().members if one.ordinal not in (4, 5)]
    assert not isinstance(next_step(know_each_other([*smaller, primary, behind]), WANTED), Failover)
    step = next_step(know_each_other([*smaller, primary, replica]), WANTED)
    assert isinstance(step, Failover)
    assert step.replica.ordinal == 5


def test_a_replica_of_what_has_become_a_replica_follows_the_one_that_took_over():
    """Redis refuses to replicate a replica: met by Hypothesis after all pods had moved twice."""
    demoted = replace(member(2), primary_id="n0", slots=frozenset(), synced=True, follows="10.0.0.0:6379")
    took_over = replace(member(0), slots=frozenset(range(6)))
    stray = replace(member(3), synced=False, follows="10.0.9.9:6379")
    step = next_step(cluster(took_over, demoted, stray), WANTED)
    assert isinstance(step, Replicate)
    assert (step.member.ordinal, step.primary.ordinal) == (3, 0)


def test_a_replica_of_a_primary_that_moved_is_pointed_anew():
    late = replace(member(1), synced=False, follows="10.0.9.9:6379")
    step = next_step(cluster(late), WANTED)
    assert isinstance(step, Replicate)
    assert (step.member.ordinal, step.primary.ordinal) == (1, 0)
    syncing = replace(member(1), synced=False)
    assert isinstance(next_step(cluster(syncing), WANTED), Wait)


def test_a_silent_primary_is_waited_for_unless_a_value_says_otherwise():
    silent = without(cluster(), 0)
    step = next_step(silent, WANTED)
    assert isinstance(step, Wait)
    assert step.loud
    bold = next_step(silent, replace(WANTED, takeover_seconds=20.0))
    assert isinstance(bold, TakeOver)
    assert (bold.replica.ordinal, bold.patience) == (1, 20.0)


def test_a_pod_that_is_silent_is_neither_forgotten_nor_replaced():
    step = next_step(without(cluster(), 1), WANTED)
    assert isinstance(step, Wait)
    assert "pod 1 does not answer" in step.why


def test_a_shard_whose_primary_lost_its_data_is_taken_over_by_its_copy_not_given_out():
    fresh = Member(0, "10.0.0.77:6379", "fresh", mover=VALKEY_MOVER)
    seen = without(cluster(), 0)
    members = [
        replace(one, table={**one.table, "fresh": Entry("fresh", fresh.address, 0)}) for one in seen.members
    ]
    table = {one.id: Entry(one.id, one.address, one.ordinal) for one in members}
    step = next_step(Observed((replace(fresh, table=table), *members)), WANTED)
    assert isinstance(step, TakeOver)
    assert step.replica.ordinal == 1


def test_slots_that_nobody_has_a_copy_of_are_forgotten_late_and_loudly():
    fresh = [
        Member(ordinal, f"10.0.0.7{ordinal}:6379", f"fresh{ordinal}", mover=VALKEY_MOVER)
        for ordinal in (0, 1)
    ]
    seen = without(cluster(), 0, 1)
    own = {one.id: Entry(one.id, one.address, one.ordinal) for one in (*fresh, *seen.members)}
    members = [
        replace(one, table={**one.table, **{key: own[key] for key in own if key != one.id}})
        for one in seen.members
    ]
    joined = [replace(one, table={key: own[key] for key in own if key != one.id}) for one in fresh]
    step = next_step(Observed((*joined, *members)), WANTED)
    assert isinstance(step, Forget)
    assert (step.node, step.lost, step.patience) == ("n0", 3, 30.0)


def test_a_replica_that_leaves_stays_until_its_shard_has_another():
    leaving = replace(member(1), ordinal=6)
    step = next_step(
        know_each_other([*[one for one in cluster().members if one.ordinal != 1], leaving]), WANTED
    )
    assert not isinstance(step, Reset)


def test_a_server_without_atomic_migration_is_named():
    old = cluster(mover="")
    assert refuse_resize(old, WANTED) is None
    assert "3 primaries cannot become 4" in (refuse_resize(old, Wanted(4, 1, slots=9)) or "")
    assert refuse_resize(cluster(), Wanted(4, 1, slots=9)) is None


def test_nodes_whose_acl_is_old_read_it_again():
    stale = replace(member(3), acl_stale=True)
    step = stale_acl(cluster(stale))
    assert step is not None
    assert [one.ordinal for one in step.members] == [3]
    assert stale_acl(cluster()) is None


def test_pods_of_another_engine_cannot_take_the_place_of_those_with_slots():
    def of(version: str) -> Observed:
        return cluster(*(replace(member(ordinal), version=version) for ordinal in range(6)))

    why = refuse_engine(of("Redis 8.0.2"), "valkey")
    assert why is not None
    assert "runs Redis 8.0.2, and the release wants valkey" in why
    assert "Set `engine` back. To change it: helm uninstall" in why
    assert refuse_engine(of("Valkey 9.1.2"), "redis") is not None
    assert refuse_engine(of("Valkey 9.1.2"), "valkey") is None
    assert refuse_engine(of("Redis 8.0.2"), "redis") is None
    assert refuse_engine(of("Redis 8.0.2"), "") is None
    # What a rollback heals: one pod that came up with the other engine, and got no slots.
    stray = replace(member(5), version="Valkey 9.1.2")
    others = (replace(member(ordinal), version="Redis 8.0.2") for ordinal in range(5))
    assert refuse_engine(cluster(*others, stray), "redis") is None
