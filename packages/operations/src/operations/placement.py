"""No shard on one Kubernetes node, as far as replicas can be swapped, and primaries spread: no affinity can say either."""

from __future__ import annotations

from collections import Counter

from .observed import Observed, Shard, count_on_one_node
from .steps import Failover, Replicate, Step

# Not between two pods of a rollout: each restart moves a primary, and most come back by themselves.
SPREAD_SECONDS = 60.0


def part(observed: Observed) -> Step | None:
    """The first half of a swap: a replica joins another shard, which then has one too many and gives one back.

    A primary is never moved, and each swap leaves fewer shards on one node, so it ends.
    """
    shards = observed.shards
    for together in shards:
        if not together.on_one_node:
            continue
        for other in shards:
            if other is not together and (step := _swap(together, other)) is not None:
                return step
    return None


def _swap(together: Shard, other: Shard) -> Step | None:
    before = count_on_one_node((together, other))
    for mine in together.replicas:
        for theirs in other.replicas:
            after = (
                Shard(together.primary, tuple(theirs if one is mine else one for one in together.replicas)),
                Shard(other.primary, tuple(mine if one is theirs else one for one in other.replicas)),
            )
            if count_on_one_node(after) < before:
                why = f"the shard of pod {together.primary.ordinal} is on one node, {mine.placed_on}"
                return Replicate(mine, other.primary, why)
    return None


def spread(observed: Observed) -> Step | None:
    """A replica elsewhere takes over from a primary on the node that has most of them: whoever loses that node loses
    the fewest shards at once, and with three nodes the majority that elects replicas is left.
    """
    shards = observed.shards
    here = Counter(shard.primary.placed_on for shard in shards)
    if "" in here:
        return None
    for shard in shards:
        fullest = here[shard.primary.placed_on]
        for replica in shard.synced:
            if fullest == max(here.values()) and here[replica.placed_on] + 1 < fullest:
                why = f"{fullest} of {len(shards)} primaries are on {shard.primary.placed_on}"
                return Failover(replica, why, after=SPREAD_SECONDS)
    return None
