"""A step and a look in words and numbers: for the log and for the metrics."""

from __future__ import annotations

from .observed import Observed, ranges
from .steps import (
    AddSlots,
    Failover,
    Forget,
    LoadAcl,
    Meet,
    MoveSlots,
    NumberEpochs,
    Replicate,
    Reset,
    Step,
    TakeOver,
    Wait,
)
from .wanted import Wanted


def describe(step: Step) -> str:
    """One line."""
    match step:
        case Wait(why):
            return why
        case NumberEpochs(members):
            return f"numbers the epochs of {len(members)} new nodes"
        case Meet(pairs):
            return "; ".join(
                f"pod {one.ordinal} meets pod {other.ordinal} at {other.address}" for one, other in pairs
            )
        case AddSlots(shares, lost):
            given = "; ".join(f"pod {member.ordinal} gets {_ranges(slots)}" for member, slots in shares)
            return f"the data of these slots is LOST, they begin empty: {given}" if lost else given
        case Replicate(member, primary, why):
            return f"pod {member.ordinal} becomes a replica of pod {primary.ordinal}: {why}"
        case Failover(replica, why):
            return f"pod {replica.ordinal} takes its primary's place: {why}"
        case TakeOver(replica, why):
            return f"pod {replica.ordinal} takes its primary's place without a vote: {why}"
        case Forget(node, _, why, lost):
            return f"node {node} is forgotten: {why}" + (
                f"; the data of {lost} slots is LOST" if lost else ""
            )
        case MoveSlots(source, target, slots):
            return f"pod {source.ordinal} hands {_ranges(slots)} to pod {target.ordinal}"
        case Reset(member):
            return f"pod {member.ordinal} is reset"
        case LoadAcl(members):
            return f"pods {', '.join(str(member.ordinal) for member in members)} read their ACL file again"
    raise AssertionError(f"a step without words: {step!r}")


def is_loud(step: Step) -> bool:
    """Data is lost, or somebody must act."""
    match step:
        case Wait(_, loud):
            return loud
        case AddSlots(_, lost):
            return lost
        case Forget(lost=lost):
            return bool(lost)
    return isinstance(step, TakeOver)


def lacking(observed: Observed, wanted: Wanted) -> int:
    """Shards with fewer replicas in step than wanted."""
    return sum(len(shard.synced) < wanted.replicas for shard in observed.shards)


def _ranges(slots: frozenset[int]) -> str:
    parts = [f"{first}-{last}" if first != last else str(first) for first, last in ranges(slots)]
    shown = ", ".join(parts[:8]) + (", …" if len(parts) > 8 else "")
    return f"{len(slots)} slots ({shown})"
