"""Who belongs to the cluster: members that moved are met, before nodes that are gone are forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .observed import Entry, Member, Observed
from .shards import find_home
from .steps import ELECTION_SECONDS, Forget, Meet, Replicate, Reset, Step, TakeOver, Wait
from .wanted import Wanted


def belongs(member: Member, observed: Observed, wanted: Wanted) -> bool:
    """A wanted pod, or one that leaves and is still known. One that left and was reset is not met again."""
    return (
        member.ordinal < wanted.pods
        or bool(member.slots)
        or any(member.id in other.table for other in observed.members if other.ordinal < wanted.pods)
    )


def meet(observed: Observed, wanted: Wanted) -> Step | None:
    """First a star around the member with most slots, which gossip completes; then each pair that it did not."""
    joined = [member for member in observed.members if belongs(member, observed, wanted)]
    hub = max(joined, key=lambda member: (len(member.slots), len(member.table), -member.ordinal))
    others = [member for member in joined if member is not hub]
    star = tuple((hub, other) for other in others if _is_stale(hub, other) or _is_stale(other, hub))
    if star:
        return Meet(star)
    rest = tuple(
        (one, other) for one in joined for other in joined if one is not other and _is_stale(one, other)
    )
    return Meet(rest) if rest else None


def _is_stale(one: Member, other: Member) -> bool:
    """`one` does not know `other`, or not where it is now."""
    entry = one.table.get(other.id)
    return entry is None or entry.address != other.address or not entry.connected


def point(observed: Observed, _: Wanted) -> Step | None:
    """A replica that learned its primary's new address by gossip may go on calling the old one, for ever. Where that
    primary has become a replica itself, it follows the one that took over: Redis refuses to replicate a replica.
    """
    for member in observed.members:
        primary = observed.by_id.get(member.primary_id or "")
        if primary is not None and not primary.is_primary:
            primary = observed.by_id.get(primary.primary_id or "")
        if primary is None or not primary.is_primary:
            continue
        if not member.synced and member.follows not in ("", primary.address):
            return Replicate(member, primary, "it follows an address that its primary had")
    return None


def forget(observed: Observed, wanted: Wanted) -> Step | None:
    """A node is gone when its pod answers as another one (its data was lost), or when it is dead and its pod is not
    wanted. Before it is forgotten, its slots and replicas are seen to.
    """
    for node, entries in observed.entries.items():
        ordinal = next((entry.ordinal for entry in entries if entry.ordinal is not None), None)
        replaced = ordinal in observed.by_ordinal
        unwanted = ordinal >= wanted.pods if ordinal is not None else not observed.silent
        if replaced or (unwanted and all(entry.failing for entry in entries)):
            return _see_off(node, ordinal, replaced, observed=observed, wanted=wanted)
    return None


def _see_off(node: str, ordinal: int | None, replaced: bool, *, observed: Observed, wanted: Wanted) -> Step:
    slots = observed.claimed_by_absent[node]
    replicas = observed.replicas_of(node)
    pod = f"pod {ordinal}" if ordinal is not None else "a node without a name"
    if slots and not replaced:
        return Wait(
            f"{pod} is not wanted and does not answer, but owns {len(slots)} slots: scale out again, so that it "
            "can hand them over, or delete its volume claim if they are lost.",
            loud=True,
        )
    if slots and replicas:
        return TakeOver(best_copy(replicas), f"{pod} came back without its data; a replica has a copy")
    if slots and _replica_may_return(node, observed):
        return Wait(f"{pod} came back without its data; its replica does not answer yet", loud=True)
    if replicas:
        return _rehouse(replicas, observed, wanted)
    knowing = tuple(member for member in observed.members if node in member.table)
    why = f"{pod} came back as another node" if replaced else f"{pod} is dead and not wanted"
    return Forget(node, knowing, why, lost=len(slots))


def best_copy(replicas: Sequence[Member]) -> Member:
    return max(replicas, key=lambda one: (one.offset, one.synced, -one.ordinal))


def _replica_may_return(node: str, observed: Observed) -> bool:
    """Somebody knows a replica of it whose pod is silent, hence may come back with a copy."""
    return any(
        entry.primary_id == node and (entry.ordinal is None or entry.ordinal in observed.silent)
        for entry in _entries(observed)
    )


def _entries(observed: Observed) -> Iterable[Entry]:
    return (entry for entries in observed.entries.values() for entry in entries)


def _rehouse(replicas: Sequence[Member], observed: Observed, wanted: Wanted) -> Step:
    """A replica cannot forget its primary, so it gets another one first."""
    member = replicas[0]
    home = find_home(member, observed.primaries, observed, wanted)
    if home is not None:
        return Replicate(member, home, "its primary is gone")
    if member.keys == 0:
        return Reset(member)
    return Wait(f"pod {member.ordinal} holds keys of a cluster that has no primary left", loud=True)


def absent_owner(observed: Observed, wanted: Wanted) -> Step | None:
    """Slots whose owner does not answer, and may come back: Redis elects a replica, or nobody can."""
    for node, slots in observed.claimed_by_absent.items():
        if not slots:
            continue
        replicas = observed.replicas_of(node)
        if replicas and wanted.takeover_seconds > 0:
            after = max(wanted.takeover_seconds, ELECTION_SECONDS)
            return TakeOver(best_copy(replicas), "its primary is silent and no election came", after=after)
        return Wait(
            f"{len(slots)} slots wait for the election of a replica, or for their primary's return", loud=True
        )
    return None
