"""The keeper: ends what is due, carries events to the ledger and the public stream, repeats what no replica has, and
applies the ledger again to a primary whose history changed.

Any number may run: every step may be repeated, by any of them, at any time. A lease in the ledger's database saves
work; exactness comes from the scripts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from threading import Event
from typing import TypeVar

from .core.clock import Clock, SystemClock
from .core.ending import end_due
from .core.errors import PolysessionError, StoreUnavailable
from .core.events import Events
from .core.record import EndReason, Record, Tombstone
from .core.store import Absent, Conflicted, Ended, OutboxEvent, Rotation, Store
from .core.timeouts import timeouts_of
from .stores import ledger
from .stores.ledger import Connection, Row

T = TypeVar("T")
Database = Callable[[], AbstractContextManager[Connection]]

REAPPLY_MS = 10 * 60_000  # more than the node timeout times the replica validity factor
SETTLE_MS = 1_000  # so long an end is in the hands of who ended it
SHARE_MS = 500  # of a pass, for each of the steps that talk to the store row by row
LEASE_MS = 5_000
PURGE_EVERY_MS = 3_600_000
KEPT_MS = 90 * 24 * 3_600_000

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass did. ``leading``: the lease was ours. ``failed``: the steps that got no answer; they are tried
    again in the next pass.
    """

    leading: bool
    ended: int = 0
    carried: int = 0
    confirmed: int = 0
    seen: int = 0
    reapplied: int = 0
    purged: int = 0
    failed: tuple[str, ...] = ()


class Keeper:
    """``database``: opens a transaction on the ledger's database, and commits it at its end. ``faults``: the errors of
    that database which mean that it gave no answer. One thread.
    """

    def __init__(
        self,
        store: Store,
        database: Database,
        *,
        holder: str,
        faults: tuple[type[Exception], ...] = (),
        events: Events | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._store = store
        self._database = database
        self._holder = holder
        self._faults: tuple[type[Exception], ...] = (StoreUnavailable, *faults)
        self._events = events or Events()
        self._clock = clock or SystemClock()
        self._epochs: dict[str, str] = {}
        self._purged_at = 0

    def run(self, stop: Event, *, every: float = 1.0, hear: Callable[[Pass], None] | None = None) -> None:
        """A pass each ``every`` seconds, until ``stop``; the pass under way is finished."""
        while not stop.is_set():
            started = self._clock.now()
            done = self.work()
            if done.failed:
                _log.warning("keeper_step_failed", extra={"steps": ",".join(done.failed)})
            if hear is not None:
                hear(done)
            stop.wait(max(0.05, every - (self._clock.now() - started) / 1000))

    def work(self) -> Pass:
        """One pass. Raises nothing that means "no answer": see ``Pass.failed``."""
        failed: list[str] = []
        leading = self._step("lease", self._lead, failed)
        if leading is False:
            return Pass(leading=False)
        # Without the ledger's database sessions still end when they are due; events wait in their outboxes.
        counts: dict[str, int] = {"ended": self._step("due", self._end_due, failed) or 0}
        if leading:
            counts["reapplied"] = self._step("failover", self._reapply, failed) or 0
            counts["carried"] = self._step("outbox", self._carry, failed) or 0
            counts["confirmed"] = self._step("confirm", self._confirm, failed) or 0
            counts["seen"] = self._step("seen", self._see, failed) or 0
            counts["purged"] = self._step("purge", self._purge, failed) or 0
        return Pass(leading=bool(leading), failed=tuple(failed), **counts)

    def _step(self, name: str, step: Callable[[], T], failed: list[str]) -> T | None:
        try:
            return step()
        except self._faults:
            failed.append(name)
            return None

    def _lead(self) -> bool:
        now = self._clock.now()
        with self._database() as connection:
            return ledger.take_lease(connection, "keeper", self._holder, now=now, until=now + LEASE_MS)

    def release(self) -> None:
        """At a clean stop: another keeper need not wait for the lease to run out."""
        try:
            with self._database() as connection:
                ledger.give_lease(connection, "keeper", self._holder)
        except self._faults:
            _log.info("keeper_lease_not_released")

    # --- What is due

    def _end_due(self) -> int:
        return end_due(self._store, self._events)

    # --- What happened

    def _carry(self) -> int:
        """To the ledger, to the stream, then out of the outbox: an event is carried once more rather than not at all."""
        total = 0
        for partition in self._store.pending():
            events = self._store.outbox(partition)
            if not events:
                continue
            with self._database() as connection:
                for event in events:
                    _record(connection, event)
            for event in events:
                self._store.publish(event)
            self._store.acknowledge(partition, [event.event_id for event in events])
            total += len(events)
        return total

    # --- What a replica may not have

    def _confirm(self) -> int:
        """Ends that only the ledger has for certain are repeated until a replica of the store has them."""
        now = self._clock.now()
        with self._database() as connection:
            rows = ledger.unconfirmed(connection, before=now - SETTLE_MS, alive_at=now)
        done = [row.session_id for row in self._within_share(rows) if self._end_again(row)]
        if done:
            with self._database() as connection:
                ledger.confirm(connection, done)
        return len(done)

    def _end_again(self, row: Row, *, confirm: bool = True) -> bool:
        """``True``: a replica has it. A record that is not there gets a tombstone, so that nothing under way, neither
        a sign-in nor a restore, can bring it in.
        """
        reason = row.end_reason or "revoked"

        def end(why: EndReason) -> Ended | Tombstone | Absent | Conflicted:
            return self._store.end(row.address, why, principal_key=row.principal_key, confirm=confirm)

        outcome = end(reason)
        if isinstance(outcome, Conflicted):  # it expired by the ledger, not by the store's clock
            outcome = end("revoked")
        if isinstance(outcome, Absent):
            self._store.refuse(row.address, reason)
            outcome = end(reason)
        if isinstance(outcome, Ended):
            self._events.ended(outcome.reason)
        return isinstance(outcome, Ended | Tombstone) and outcome.confirmed

    # --- After a failover

    def _reapply(self) -> int:
        """The ledger's last ten minutes, to the partitions of each primary whose history is not the one last seen; so
        also once at start. A history counts as seen when all was applied.
        """
        total = 0
        for node, epoch in self._store.epochs().items():
            if self._epochs.get(node) == epoch:
                continue
            partitions = frozenset(self._store.partitions_of(node))
            with self._database() as connection:
                rows = ledger.recent(connection, since=self._clock.now() - REAPPLY_MS)
            for row in rows:
                if row.partition in partitions:
                    self._apply(row)
                    total += 1
            if self._epochs:
                _log.info("keeper_reapplied", extra={"node": node, "rows": total})
            self._epochs[node] = epoch
        return total

    def _apply(self, row: Row) -> None:
        """Waits for no replica: right after a failover there is none, and 100 ms a row would break the promise of 2 s."""
        if row.ended_at is not None:
            self._end_again(row, confirm=False)
        elif row.rotation_count and row.previous_hash:
            rotation = Rotation(
                expected_hash=row.previous_hash,
                secret_hash=row.secret_hash,
                pepper_id=row.pepper_id,
                rotation_count=row.rotation_count,
                previous_until=0,
                generation=row.generation,
            )
            self._store.rotate(row.address, rotation)

    # --- Last seen

    def _see(self) -> int:
        """Copied each quarter of the idle timeout, each hour at least, with the timeouts that the session has by then. A
        row whose session the store has ended ends here, too: its event may have been lost with a primary.
        """
        now = self._clock.now()
        with self._database() as connection:
            rows = ledger.unseen(connection, now=now)
        found = [(row, self._read(row)) for row in self._within_share(rows)]
        if found:
            with self._database() as connection:
                for row, record in found:
                    if isinstance(record, Tombstone):
                        at, reason = record.ended_at, record.reason
                        ledger.end(connection, row.session_id, reason, at=at, confirmed=True)
                    else:
                        seen = record.header.last_seen_at if isinstance(record, Record) else 0
                        ledger.see(connection, row.session_id, now=now, last_seen_at=seen)
                        if isinstance(record, Record) and record.header.principal_key == row.principal_key:
                            # Who has no ledger at hand set them in the store alone.
                            timeouts = timeouts_of(record.header)
                            ledger.retime(connection, row.session_id, timeouts, principal=row.principal)
        return len(found)

    def _read(self, row: Row) -> Record | Tombstone | None:
        try:
            return self._store.read(row.address)
        except StoreUnavailable:
            raise
        except PolysessionError:  # of a later release, or damaged: no reason to stop for all others
            return None

    def _purge(self) -> int:
        now = self._clock.now()
        if now < self._purged_at + PURGE_EVERY_MS:
            return 0
        with self._database() as connection:
            purged = ledger.purge(connection, before=now - KEPT_MS)
        self._purged_at = now
        return purged

    def _within_share(self, rows: Sequence[Row]) -> Iterable[Row]:
        """As many as fit into the step's share of the pass; the rest is found again by the next one."""
        until = self._clock.now() + SHARE_MS
        for row in rows:
            yield row
            if self._clock.now() >= until:
                return


def _record(connection: Connection, event: OutboxEvent) -> None:
    if not event.principal_key:
        return  # anonymous: the ledger has no row of it
    if event.kind == "ended" and event.reason is not None:
        ledger.end(connection, event.session_id, event.reason, at=event.at, confirmed=True)
    elif event.kind == "rotated":
        ledger.rotate(
            connection,
            event.session_id,
            secret_hash=event.secret_hash,
            pepper_id=event.pepper_id,
            previous_hash=event.previous_hash,
            rotation_count=event.rotation_count,
            generation=event.generation,
            at=event.at,
        )
