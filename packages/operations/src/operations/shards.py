"""Which members are primaries, which primary a replica goes to, and how many slots each has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from .observed import Member, Observed, Shard
from .steps import AddSlots, MoveSlots, Step, Wait
from .wanted import Wanted

TOLERANCE = 0.02  # of an even share: less is not worth moving


def staying(observed: Observed, wanted: Wanted) -> tuple[Member, ...]:
    return tuple(member for member in observed.members if member.ordinal < wanted.pods)


def can_move_slots(observed: Observed) -> bool:
    return bool(observed.members) and all(member.atomic for member in observed.members)


def choose_primaries(observed: Observed, wanted: Wanted) -> tuple[Member, ...]:
    """Who shall be: where slots cannot be moved, whoever has some, for good."""
    if observed.primaries and not can_move_slots(observed):
        return observed.primaries
    return choose_owners(observed, wanted)


def choose_owners(observed: Observed, wanted: Wanted) -> tuple[Member, ...]:
    """Those with slots as far as they stay, the fullest first; then empty ones, spread over Kubernetes nodes."""
    holders = observed.primaries
    fullest = sorted(holders, key=lambda member: (-len(observed.owned(member)), member.ordinal))
    kept = [member for member in fullest if member.ordinal < wanted.pods][: wanted.primaries]
    empty = [
        member
        for member in staying(observed, wanted)
        if member.is_primary and not observed.owned(member) and not member.keys
    ]
    while len(kept) < wanted.primaries and empty:
        taken = Counter(member.placed_on for member in kept)
        first = min(
            empty,
            key=lambda member: (
                taken[member.placed_on],
                member.ordinal % (1 + wanted.replicas),
                member.ordinal,
            ),
        )
        empty.remove(first)
        kept.append(first)
    return tuple(sorted(kept, key=lambda member: member.ordinal))


def find_home(
    member: Member, primaries: Iterable[Member], observed: Observed, wanted: Wanted
) -> Member | None:
    """The primary that needs the member most: fewest replicas, then on another Kubernetes node, then its neighbour."""
    others = [primary for primary in primaries if primary.id != member.id]
    group = member.ordinal // (1 + wanted.replicas)

    def need(primary: Member) -> tuple[int, bool, bool, int]:
        return (
            count_replicas(primary, observed, without=member),
            bool(member.placed_on) and primary.placed_on == member.placed_on,
            primary.ordinal // (1 + wanted.replicas) != group,
            primary.ordinal,
        )

    return min(others, key=need) if others else None


def count_replicas(primary: Member, observed: Observed, *, without: Member | None = None) -> int:
    """Those that answer, and those that are known and may come back."""
    here = [one for one in observed.replicas_of(primary.id) if without is None or one.id != without.id]
    absent = {
        entry.id
        for entries in observed.entries.values()
        for entry in entries
        if entry.primary_id == primary.id
    }
    return len(here) + len(absent)


def give_slots(observed: Observed, wanted: Wanted) -> Step | None:
    """Slots without an owner in anybody's view: all of them in a new cluster, some after a shard lost its data.

    Not before every wanted pod answers: one that is missing may own them.
    """
    missing = frozenset(range(wanted.slots)) - observed.claimed
    if not missing:
        return None
    if observed.silent:
        return Wait(
            f"{len(missing)} slots have no owner, and get none before every pod answers: {name(observed.silent)} "
            f"{'does' if len(observed.silent) == 1 else 'do'} not",
            loud=bool(observed.claimed),
        )
    holders = sorted(choose_owners(observed, wanted), key=lambda member: len(observed.owned(member)))
    if not holders:
        return Wait(f"{len(missing)} slots have no owner, and no pod can be their primary", loud=True)
    shares = _share_out(sorted(missing), {member.id: len(observed.owned(member)) for member in holders})
    return AddSlots(
        tuple((member, shares[member.id]) for member in holders if shares[member.id]),
        lost=bool(observed.claimed),
    )


def _share_out(missing: Sequence[int], have: Mapping[str, int]) -> Mapping[str, frozenset[int]]:
    """Runs of slots, such that all have as many as can be."""
    goals = _even((sum(have.values()) + len(missing)), list(have))
    wants = {node: max(0, goals[node] - have[node]) for node in have}
    shares: dict[str, frozenset[int]] = {}
    at = 0
    for index, node in enumerate(have):
        last = index == len(have) - 1
        end = len(missing) if last else min(len(missing), at + wants[node])
        shares[node] = frozenset(missing[at:end])
        at = end
    return shares


def _even(total: int, nodes: Sequence[str]) -> Mapping[str, int]:
    base, more = divmod(total, len(nodes))
    return {node: base + (index < more) for index, node in enumerate(nodes)}


def move_slots(observed: Observed, wanted: Wanted, kept: Sequence[Member]) -> Step | None:
    """From who has most above its share to who has least; from primaries that are not kept, everything."""
    if not kept:
        return None
    have = {member.id: len(observed.owned(member)) for member in (*observed.primaries, *kept)}
    order = sorted((member.id for member in kept), key=lambda node: -have[node])
    goals = _even(wanted.slots, order)
    surplus = {node: count - goals.get(node, 0) for node, count in have.items()}
    source, target = (
        max(surplus, key=lambda node: surplus[node]),
        min(surplus, key=lambda node: surplus[node]),
    )
    drained = all(node in goals for node, count in have.items() if count)
    slack = max(1, int(wanted.slots / len(kept) * TOLERANCE))
    if drained and max(surplus[source], -surplus[target]) <= slack:
        return None
    if not drained:
        source = max((node for node in have if node not in goals), key=lambda node: (have[node], node))
    # The last slots of a drained primary go somewhere, also when nobody has room by a slot.
    count = have[source] if source not in goals else surplus[source]
    count = min(count, max(1, -surplus[target]))
    slots = sorted(observed.owned(observed.by_id[source]))[-count:]
    return MoveSlots(observed.by_id[source], observed.by_id[target], frozenset(slots))


def level_replicas(
    observed: Observed, wanted: Wanted, kept: Sequence[Member]
) -> tuple[Member, Member] | None:
    """(replica, primary): one of a shard with too many, for a shard with too few; the shard that gives keeps enough."""
    shards = [observed.shard(primary) for primary in kept]
    poor = [shard for shard in shards if len(_stay(shard, wanted)) < wanted.replicas]
    for shard in poor:
        spare = [
            (replica, giver)
            for giver in shards
            for replica in _stay(giver, wanted)
            if giver is not shard
            and len([one for one in giver.synced if one.ordinal < wanted.pods and one is not replica])
            >= wanted.replicas
        ]
        if spare:
            replica, _ = min(
                spare, key=lambda pair: (_together_after(pair[0], pair[1], shard), pair[0].ordinal)
            )
            return replica, shard.primary
    return None


def _stay(shard: Shard, wanted: Wanted) -> tuple[Member, ...]:
    return tuple(replica for replica in shard.replicas if replica.ordinal < wanted.pods)


def _together_after(replica: Member, giver: Shard, taker: Shard) -> int:
    left = Shard(giver.primary, tuple(one for one in giver.replicas if one is not replica))
    return left.on_one_node + Shard(taker.primary, (*taker.replicas, replica)).on_one_node


def name(ordinals: Iterable[int]) -> str:
    """`pod 3`, `pods 3, 4`."""
    listed = sorted(ordinals)
    return f"pod{'s' if len(listed) > 1 else ''} {', '.join(map(str, listed))}"
