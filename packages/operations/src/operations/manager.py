"""`operations manager`: looks, decides, does one step, again and again. Two at once do no harm: steps can be repeated."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .acl import revision_of
from .apply import Apply
from .describe import describe, is_loud
from .log import Log
from .metrics import Health, Metrics, serve
from .nodes import NodeError, Nodes, resolve
from .observe import Observer
from .observed import Observed
from .plan import next_step, stale_acl
from .settings import RedisSettings, redis_settings
from .steps import AddSlots, LoadAcl, Step, Wait
from .wanted import Wanted

AGAIN_SECONDS = 1.0  # a step takes the nodes a moment; a MEET that is repeated before is one more handshake
LOUD_SECONDS = 10.0  # what a restart or an election takes is no error
ACL_AGAIN_SECONDS = 10.0  # a mount lags behind its Secret by up to two minutes


@dataclass(frozen=True)
class _Due:
    """Since when a step is the answer."""

    step: Step
    since: float


class Manager:
    """``clock``: seconds that only grow. Not thread-safe."""

    def __init__(
        self,
        settings: RedisSettings,
        observer: Observer,
        apply: Apply,
        *,
        log: Log,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._observer = observer
        self._apply = apply
        self._log = log
        self._clock = clock
        self.metrics = Metrics()
        self.health = Health(clock)
        self._due: _Due | None = None
        self._done: _Due | None = None
        self._said: tuple[str, bool] = ("", False)
        self._heard = clock()
        self._acl_loaded = -ACL_AGAIN_SECONDS

    def turn(self) -> Step | None:
        """One look and at most one step; the step that it called for."""
        observed = self._observer.look(self._settings.wanted.pods, revision=self._revision())
        wanted = self._settings.wanted.smaller(observed.recorded)
        step = next_step(observed, wanted)
        self.metrics.show(observed, wanted, converged=step is None, now=time.time())
        self.health.turn(served=len(observed.served) == wanted.slots)
        self._follow_acl(observed)
        if step is None:
            self._say("as wanted", self._shape(observed, wanted))
            self._due = None
        elif isinstance(step, Wait):
            self._say(step.why, self._shape(observed, wanted), loud=step.loud)
            self._due = None
        elif self._is_due(step):
            self._do(step)
        return step

    def _revision(self) -> str:
        file = self._settings.acl_file
        return revision_of(file.read_text()) if file is not None else ""

    def _follow_acl(self, observed: Observed) -> None:
        step = stale_acl(observed)
        if step is not None and self._clock() - self._acl_loaded >= ACL_AGAIN_SECONDS:
            self._acl_loaded = self._clock()
            self._do(step)

    def _is_due(self, step: Step) -> bool:
        now = self._clock()
        if self._due is None or _kind(self._due.step) != _kind(step):
            self._due = _Due(step, now)
        if (
            self._done is not None
            and _kind(self._done.step) == _kind(step)
            and now - self._done.since < AGAIN_SECONDS
        ):
            return False
        return now - self._due.since >= step.patience

    def _do(self, step: Step) -> None:
        name = type(step).__name__
        say = self._log.error if is_loud(step) else self._log.info
        say(describe(step), step=name)
        self._said, self._done = ("", False), _Due(step, self._clock())
        try:
            self._apply(step)
        except NodeError as fault:
            self.metrics.failed.labels(name).inc()
            self._log.warning(
                "a node refused the step; the next look decides anew", step=name, fault=str(fault)
            )
            return
        self.metrics.steps.labels(name).inc()
        if isinstance(step, AddSlots) and step.lost:
            self.metrics.lost.inc(sum(len(slots) for _, slots in step.shares))

    def _say(self, event: str, fields: Mapping[str, object], *, loud: bool = False) -> None:
        """Once, until it is something else; as an error once it has lasted."""
        now = self._clock()
        if event != self._said[0]:
            self._heard = now
        loud = loud and now - self._heard >= LOUD_SECONDS
        if (event, loud) != self._said:
            self._said = event, loud
            (self._log.error if loud else self._log.info)(event, **fields)

    def _shape(self, observed: Observed, wanted: Wanted) -> dict[str, object]:
        fields: dict[str, object] = {
            "primaries": len(observed.primaries),
            "wanted": wanted.primaries,
            "answering": len(observed.members),
            "slots_served": len(observed.served),
            "shards_on_one_node": observed.shards_on_one_node,
        }
        if observed.silent:
            fields["silent"] = {
                ordinal: self._observer.reasons.get(ordinal, "") for ordinal in sorted(observed.silent)
            }
        return fields


def _kind(step: Step) -> tuple[object, ...]:
    """What makes it the same step at the next look: not the offsets and keys of its members."""
    members = (getattr(step, name, None) for name in ("member", "replica", "source"))
    return (type(step), getattr(step, "node", None), *(getattr(member, "id", None) for member in members))


def run(environment: Mapping[str, str]) -> int:
    """Until SIGTERM."""
    settings = redis_settings(environment)
    log = Log("redis-manager")
    nodes = Nodes(settings.access)
    manager = Manager(
        settings,
        Observer(nodes, settings.names, resolve),
        Apply(nodes, replica_password_file=settings.replica_password_file),
        log=log,
    )
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    server = serve(settings.bind, manager.metrics, manager.health)
    log.info("manages", primaries=settings.wanted.primaries, replicas=settings.wanted.replicas)
    while not stopping.is_set():
        step = manager.turn()
        quick = step is not None and not isinstance(step, (Wait, LoadAcl))
        stopping.wait(min(settings.every_seconds, 0.3) if quick else settings.every_seconds)
    server.shutdown()
    nodes.close()
    log.info("stopped")
    return 0
