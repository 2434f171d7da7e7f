"""`operations guard`: before an upgrade or a rollback. It refuses with a sentence, or makes a smaller cluster possible.

It works towards the shape that is to come, in the same steps as the manager. That shape is recorded in the cluster, so
that the manager of the running release goes along; if draining fails, the record is put back, and the manager undoes it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from .apply import Apply
from .describe import describe
from .errors import OperationsError
from .log import Log
from .nodes import NodeError, Nodes, resolve
from .observe import Observer
from .observed import Observed, Shard
from .plan import next_step, refuse_engine, refuse_resize
from .settings import GuardSettings, RedisSettings, guard_settings, redis_settings
from .shards import name
from .steps import Step, Wait
from .wanted import Shape

SETTLE_SECONDS = 0.5
# A replica that restarted is in step within seconds, a node that lost its majority has it back; a hook that refuses at
# the first look would be a nuisance. The Job's deadline has room for it three times: replicas, record, putting it back.
PATIENCE_SECONDS = 30.0


class Refused(OperationsError):
    """The upgrade or rollback must not go on; says why, and what to do."""


class Guard:
    """``clock``: seconds that only grow."""

    def __init__(
        self,
        redis: RedisSettings,
        guard: GuardSettings,
        observer: Observer,
        apply: Apply,
        *,
        log: Log,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._wanted = redis.wanted
        self._guard = guard
        self._observer = observer
        self._apply = apply
        self._log = log
        self._clock = clock
        self._sleep = sleep

    def check(self) -> None:
        """Raises ``Refused``; nothing has changed then."""
        observed = self._wait_for_replicas()
        if observed is None:
            return
        for why in (
            refuse_engine(observed, self._guard.engine),
            refuse_resize(observed, self._wanted),
        ):
            if why is not None:
                raise Refused(why)
        if self._has_leavers(observed):
            self._drain(observed)
        elif observed.unread:  # of a rollback, which may be what heals the cluster
            self._log.warning(
                "what an earlier upgrade recorded cannot be read, and stays", why=observed.unread
            )
        elif observed.recorded is not None:
            self._record(self._shape, observed)

    @property
    def _shape(self) -> Shape:
        return Shape(self._wanted.primaries, self._wanted.replicas)

    def _look(self) -> Observed:
        return self._observer.look(self._wanted.pods)

    def _wait_for_replicas(self) -> Observed | None:
        """``None``: there is no cluster yet, so nothing can be lost."""
        until = self._clock() + PATIENCE_SECONDS
        while True:
            observed = self._look()
            if observed.members and not observed.claimed:
                self._log.info("there is no cluster yet: nothing to guard")
                return None
            why = self._risk(observed)
            if why is None:
                return observed
            if self._clock() >= until:
                break
            self._sleep(SETTLE_SECONDS)
        if not self._guard.override:
            raise Refused(why)
        self._log.warning("goes on, as guard.override says", risk=why)
        return observed if observed.members else None

    def _risk(self, observed: Observed) -> str | None:
        if not observed.members:
            if self._guard.hook == "rollback":
                self._log.warning("no pod answers: the rollback may be what heals them")
                return None
            return "no Redis pod answers, so their replicas cannot be seen. Heal them, or set guard.override=true."
        unserved = self._wanted.slots - len(observed.served)
        if unserved and self._guard.hook == "upgrade":
            return f"{unserved} slots have no primary that answers. Heal the cluster first, or set guard.override=true."
        if observed.unread and self._guard.hook == "upgrade":
            return (
                f"what an earlier upgrade recorded cannot be read ({observed.unread}). "
                "Heal the cluster first, or set guard.override=true."
            )
        for shard in observed.shards:
            if (
                not shard.synced
                and self._replicas_wanted(observed)
                and not self._heals_first(shard, observed)
            ):
                return (
                    f"the shard of pod {shard.primary.ordinal} has no replica in step ({_seen(shard, observed)}): its pod's "
                    "restart would lose it. Wait until the manager has healed it, or set guard.override=true."
                )
        return None

    def _replicas_wanted(self, observed: Observed) -> bool:
        """Also of the shape that runs: a cluster without replicas has nothing to wait for."""
        return self._wanted.replicas > 0 and any(shard.replicas for shard in observed.shards)

    def _heals_first(self, shard: Shard, observed: Observed) -> bool:
        """A rollback restarts pods from the top and waits for each: what is broken above the shard's last copy is healed
        before that is touched. So a bad value that stopped at one pod can be rolled back.
        """
        if self._guard.hook != "rollback":
            return False
        broken = [*observed.silent, *(one.ordinal for one in shard.replicas if not one.synced)]
        return bool(broken) and min(broken) > shard.primary.ordinal

    def _has_leavers(self, observed: Observed) -> bool:
        known = {entry.ordinal for entries in observed.entries.values() for entry in entries}
        ordinals = {member.ordinal for member in observed.members if not member.knows_nobody} | known
        return any(ordinal is not None and ordinal >= self._wanted.pods for ordinal in ordinals)

    def _drain(self, observed: Observed) -> None:
        before = observed.recorded
        self._log.info("drains", to=self._wanted.pods, recorded=before)
        try:
            self._record(self._shape, observed)
            self._work()
        except OperationsError as why:
            self._put_back(before, why)
            raise

    def _record(self, shape: Shape | None, observed: Observed) -> None:
        """Write down ``shape``, or that there is none. A cluster that is down for a moment (a node without a majority
        says CLUSTERDOWN) is looked at and asked again. Raises ``Refused``.
        """
        until = self._clock() + PATIENCE_SECONDS
        while True:
            try:
                if shape is None:
                    self._apply.erase(observed)
                else:
                    self._apply.record(shape, observed)
            except NodeError as fault:
                if self._clock() >= until:
                    raise Refused(
                        f"the cluster did not take down what its manager shall obey, for {PATIENCE_SECONDS:.0f} s: {fault}. "
                        "The release stays as it is. Heal the cluster, then try again."
                    ) from fault
                self._log.warning("the cluster did not take it down; asks again", fault=str(fault))
            else:
                return
            self._sleep(SETTLE_SECONDS)
            observed = self._look()

    def _work(self) -> None:
        until = self._clock() + self._guard.drain_seconds
        due: tuple[type[Step], float] | None = None
        step: Step | None = None
        while self._clock() < until:
            observed = self._look()
            step = next_step(observed, self._wanted)
            if step is None and not self._has_leavers(observed):
                self._log.info("drained", pods=len(observed.members))
                return
            now = self._clock()
            if step is not None and (due is None or due[0] is not type(step)):
                due = (type(step), now)
            if (
                step is not None
                and not isinstance(step, Wait)
                and due is not None
                and now - due[1] >= step.patience
            ):
                self._do(step)
            self._sleep(SETTLE_SECONDS)
        why = describe(step) if step is not None else "pods that leave are still known"
        raise Refused(
            f"the pods above {self._wanted.pods - 1} were not drained within {self._guard.drain_seconds:.0f} s: {why}. "
            "The release stays as it is; the manager moves back what was moved."
        )

    def _do(self, step: Step) -> None:
        self._log.info(describe(step), step=type(step).__name__)
        try:
            self._apply(step)
        except NodeError as fault:
            self._log.warning("a node refused the step; the next look decides anew", fault=str(fault))

    def _put_back(self, before: Shape | None, why: OperationsError) -> None:
        observed = self._look()
        if not observed.unread and observed.recorded == before:
            return
        try:
            self._record(before, observed)
        except Refused as fault:
            raise Refused(
                f"{why} Nor could be put back what was recorded before ({before}): {fault} "
                f"Until then the manager may drain the pods above {self._wanted.pods - 1}."
            ) from why


def _seen(shard: Shard, observed: Observed) -> str:
    behind = [one.ordinal for one in shard.replicas]
    if behind:
        return f"{name(behind)} {'is' if len(behind) == 1 else 'are'} behind"
    return f"{name(observed.silent)} not answering" if observed.silent else "none is there"


def run(environment: Mapping[str, str]) -> int:
    """Once."""
    redis, guard = redis_settings(environment), guard_settings(environment)
    log = Log("guard")
    nodes = Nodes(redis.access)
    try:
        Guard(redis, guard, Observer(nodes, redis.names, resolve), Apply(nodes), log=log).check()
    finally:
        nodes.close()
    log.info("may go on", hook=guard.hook)
    return 0
