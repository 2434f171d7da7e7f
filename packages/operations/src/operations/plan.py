"""`next_step`: from what was observed to what is wanted, a step at a time. Pure: the whole of the manager's judgement.

Rules that no step breaks: over data nothing is bootstrapped; a member that moved is met before anybody is forgotten; a
slot's only copy is never given up, but where its data is gone already; slots move atomically or not at all.
"""

from __future__ import annotations

from .membership import absent_owner, belongs, forget, meet, point
from .observed import Member, Observed
from .placement import part, spread
from .shards import (
    can_move_slots,
    choose_primaries,
    find_home,
    give_slots,
    level_replicas,
    move_slots,
    name,
    staying,
)
from .steps import Failover, LoadAcl, NumberEpochs, Replicate, Reset, Step, Wait
from .wanted import Wanted

NO_RESIZE = (
    "{now} primaries cannot become {wanted}: this server ({version}) cannot move slots atomically, and the older way "
    "splits a slot's keys, so that a revocation would miss sessions. Use Valkey 9 (`engine: valkey`) or Redis 8.4 to resize."
)

NO_OTHER_ENGINE = (
    "the cluster runs {version}, and the release wants {engine}: neither reads the other's files, nor its replication. Set "
    "`engine` back. To change it: helm uninstall, delete the volumes of Redis' pods, install again; what sessions hold is "
    "lost, who is signed in comes back from the ledger."
)


def next_step(observed: Observed, wanted: Wanted) -> Step | None:
    """``None``: everything is as wanted."""
    if not observed.members:
        return Wait("no pod answers")
    for rule in (_bootstrap, meet, point, forget, absent_owner, give_slots, _shape):
        if (step := rule(observed, wanted)) is not None:
            return step
    return None


def stale_acl(observed: Observed) -> LoadAcl | None:
    """Beside the steps: it must not wait for them, nor hold them up while a mount lags behind."""
    stale = tuple(member for member in observed.members if member.acl_stale)
    return LoadAcl(stale) if stale else None


def refuse_resize(observed: Observed, wanted: Wanted) -> str | None:
    """Why this server cannot have as many primaries as wanted; ``None``: it has, or it can."""
    holders = observed.primaries
    if not holders or can_move_slots(observed) or len(holders) == wanted.primaries:
        return None
    version = next((member.version for member in observed.members if not member.atomic), "")
    return NO_RESIZE.format(now=len(holders), wanted=wanted.primaries, version=version)


def refuse_engine(observed: Observed, engine: str) -> str | None:
    """Why pods of this engine cannot take the place of those with slots; ``None``: they can, or none is named."""
    others = [one.version for one in observed.primaries if one.version.split(" ")[0].lower() != engine]
    return NO_OTHER_ENGINE.format(version=others[0], engine=engine) if engine and others else None


def _bootstrap(observed: Observed, _: Wanted) -> Step | None:
    """Before a new cluster's first slots: everybody must be there, and hold nothing."""
    if observed.claimed:
        return None
    if observed.silent:
        return Wait(f"a new cluster begins when every pod answers: {name(observed.silent)} not yet")
    filled = [member.ordinal for member in observed.members if member.keys]
    if filled:
        return Wait(f"{name(filled)} hold keys but no slots: no new cluster over data", loud=True)
    if len(observed.members) > 1 and all(one.knows_nobody and not one.epoch for one in observed.members):
        return NumberEpochs(observed.members)
    return None


def _shape(observed: Observed, wanted: Wanted) -> Step | None:
    kept = choose_primaries(observed, wanted)
    for rule in (_enough_primaries, _homes, _level, _in_step, _slots, _leave):
        if (step := rule(observed, wanted, kept)) is not None:
            return step
    if (why := refuse_resize(observed, wanted)) is not None:
        return Wait(why, loud=True)
    return part(observed) or spread(observed)


def _enough_primaries(observed: Observed, wanted: Wanted, kept: tuple[Member, ...]) -> Step | None:
    """A primary that leaves hands over to its replica that stays; else a replica that is spare begins anew."""
    leaving = [member for member in observed.primaries if member.ordinal >= wanted.pods]
    holders = [member for member in observed.primaries if member.ordinal < wanted.pods]
    if len(holders) < wanted.primaries:
        for primary in leaving:
            for replica in observed.shard(primary).synced:
                if replica.ordinal < wanted.pods:
                    return Failover(replica, f"pod {primary.ordinal} leaves")
    if len(kept) >= wanted.primaries or observed.silent or not can_move_slots(observed):
        return None
    for shard in sorted(observed.shards, key=lambda one: -len(one.synced)):
        spare = [replica for replica in shard.replicas if replica.ordinal < wanted.pods]
        for replica in spare:
            if len([one for one in shard.synced if one is not replica]) >= wanted.replicas:
                return Reset(replica)
    return None


def _homes(observed: Observed, wanted: Wanted, kept: tuple[Member, ...]) -> Step | None:
    """A member without slots that is no primary becomes a replica; so does one whose primary was drained."""
    ids = {member.id for member in kept}
    for member in staying(observed, wanted):
        if member.id in ids or observed.owned(member):
            continue
        if member.is_primary and member.keys:
            return Wait(
                f"pod {member.ordinal} has keys but no slots; it drops what it handed over", loud=True
            )
        primary = observed.by_id.get(member.primary_id or "")
        drained = primary is not None and primary.id not in ids and not observed.owned(primary)
        if not member.is_primary and not drained:
            continue
        home = find_home(member, kept, observed, wanted)
        if home is not None:
            return Replicate(
                member, home, "it has no primary" if member.is_primary else "its primary was drained"
            )
    return None


def _level(observed: Observed, wanted: Wanted, kept: tuple[Member, ...]) -> Step | None:
    """Not while somebody is silent: a replica that restarts is not missing."""
    if observed.silent:
        return None
    pair = level_replicas(observed, wanted, kept)
    if pair is None:
        return None
    replica, primary = pair
    return Replicate(replica, primary, f"pod {primary.ordinal} has too few replicas")


def _in_step(observed: Observed, wanted: Wanted, _: tuple[Member, ...]) -> Step | None:
    """What follows moves data or pods: only in a cluster that is whole."""
    if observed.silent:
        return Wait(f"{name(observed.silent)} {'does' if len(observed.silent) == 1 else 'do'} not answer")
    behind = [
        member.ordinal for member in staying(observed, wanted) if not member.is_primary and not member.synced
    ]
    if behind:
        return Wait(f"{name(behind)} not in step with the primary yet")
    if any(member.moving for member in observed.members):
        return Wait("slots are on their way")
    return None


def _slots(observed: Observed, wanted: Wanted, kept: tuple[Member, ...]) -> Step | None:
    return move_slots(observed, wanted, kept) if can_move_slots(observed) else None


def _leave(observed: Observed, wanted: Wanted, _: tuple[Member, ...]) -> Step | None:
    """Pods that are not wanted are reset, once nothing depends on them."""
    going = [member for member in observed.members if member.ordinal >= wanted.pods]
    for member in going:
        if not belongs(member, observed, wanted) or observed.owned(member):
            continue
        if member.is_primary and member.keys:
            return Wait(f"pod {member.ordinal} drops what it handed over")
        primary = observed.by_id.get(member.primary_id or "")
        if primary is not None and observed.owned(primary):
            others = [one for one in observed.shard(primary).synced if one.ordinal < wanted.pods]
            if len(others) < wanted.replicas:
                return Wait(
                    f"pod {member.ordinal} leaves when pod {primary.ordinal} has another replica", loud=True
                )
        return Reset(member)
    return None
