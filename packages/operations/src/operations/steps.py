"""What the manager can do next. One step is safe to do twice: its target is named by node ID, and Redis refuses the rest."""

from __future__ import annotations

from dataclasses import dataclass

from .observed import Member

ELECTION_SECONDS = 15.0  # the node timeout of 5 s, and what an election takes
FORGET_SECONDS = 5.0
LOSS_SECONDS = 30.0  # somebody may still come back with a copy


@dataclass(frozen=True)
class Step:
    """One of those below."""

    @property
    def patience(self) -> float:
        """Seconds for which it must be the answer before it is done; Redis may settle it meanwhile."""
        return 0.0


@dataclass(frozen=True)
class Wait(Step):
    """Nothing to do now, but the cluster is not as wanted. ``loud``: somebody should read why."""

    why: str
    loud: bool = False


@dataclass(frozen=True)
class NumberEpochs(Step):
    """Else two new nodes may begin with one epoch, and settle it in their own time."""

    members: tuple[Member, ...]


@dataclass(frozen=True)
class Meet(Step):
    """(asked, met) pairs: the first learns where the second is now. Also how a node joins."""

    pairs: tuple[tuple[Member, Member], ...]


@dataclass(frozen=True)
class AddSlots(Step):
    """Slots that nobody has. ``lost``: they had an owner, whose data is gone."""

    shares: tuple[tuple[Member, frozenset[int]], ...]
    lost: bool


@dataclass(frozen=True)
class Replicate(Step):
    """The member becomes a replica of the primary, by a whole new copy."""

    member: Member
    primary: Member
    why: str


@dataclass(frozen=True)
class Failover(Step):
    """A replica in step takes its primary's place, with its consent: nothing is lost."""

    replica: Member
    why: str
    after: float = 0.0

    @property
    def patience(self) -> float:
        return self.after


@dataclass(frozen=True)
class TakeOver(Step):
    """A replica takes the place of a primary whose data is gone or whose cluster has no majority, without a vote."""

    replica: Member
    why: str
    after: float = ELECTION_SECONDS

    @property
    def patience(self) -> float:
        return self.after


@dataclass(frozen=True)
class Forget(Step):
    """By all who know it, within the minute after which gossip would bring it back. ``lost``: slots that go with it."""

    node: str
    members: tuple[Member, ...]
    why: str
    lost: int = 0

    @property
    def patience(self) -> float:
        return LOSS_SECONDS if self.lost else FORGET_SECONDS


@dataclass(frozen=True)
class MoveSlots(Step):
    """By atomic slot migration only: a slot's keys are never on two nodes."""

    source: Member
    target: Member
    slots: frozenset[int]


@dataclass(frozen=True)
class Reset(Step):
    """A pod that leaves, without slots: it comes back as a new node, if ever."""

    member: Member


@dataclass(frozen=True)
class LoadAcl(Step):
    """The mounted file is newer than what the member enforces."""

    members: tuple[Member, ...]
