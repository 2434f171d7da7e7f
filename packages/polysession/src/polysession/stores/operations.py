"""What every operation of the Redis store needs: cluster, keys, deadline, clock, and a script's way there and back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

from ..core.clock import Clock
from ..core.errors import StoreUnavailable
from ..core.events import Events
from ..core.record import Address
from ..core.store import Ended
from . import scripts
from .cluster import Cluster, NoAnswerError
from .commands import Command, Script
from .keys import Keyspace, session_id_of, slot
from .pool import Deadline
from .replies import read_ended


class Operation(Deadline):
    """The deadline of one operation; a span and a duration around it, if anybody listens; no answer is
    ``StoreUnavailable``, to the listener too. The node is the one expected: a redirect is not known before. (No
    generator, and one object: a layer costs half a microsecond beside a real Redis.)
    """

    __slots__ = ("_heard", "_name")

    def __init__(self, name: str, seconds: float, heard: AbstractContextManager[None] | None) -> None:
        # ``Deadline``'s own: to ask it would be one call more.
        self.seconds: float = seconds
        self._clock = time.monotonic
        self._ends = time.monotonic() + seconds
        self._name, self._heard = name, heard

    def __enter__(self) -> Deadline:
        if self._heard is not None:
            self._heard.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        unavailable = None
        if isinstance(error, NoAnswerError):
            unavailable = StoreUnavailable(self._name, str(error))
            unavailable.__cause__ = error
            kind, error = StoreUnavailable, unavailable
        if self._heard is not None:
            self._heard.__exit__(kind, error, trace)
        if unavailable is not None:
            raise unavailable


class Operations:
    """Base of the Redis store. Times in milliseconds."""

    def __init__(
        self,
        cluster: Cluster,
        keys: Keyspace,
        *,
        deadline_ms: int,
        tombstone_ms: int,
        unreturned_ms: int,
        confirm: bool,
        events: Events,
        clock: Clock,
    ) -> None:
        self._cluster = cluster
        self._keys = keys
        self._seconds = deadline_ms / 1000
        self._tombstone_ms = tombstone_ms
        self._unreturned_ms = unreturned_ms
        self._confirm = confirm
        self._events = events
        self._is_heard = type(events).operation is not Events.operation
        self._clock = clock
        self._offset = 0

    def now(self) -> int:
        return self._clock.now() + self._offset

    def ping(self) -> None:
        with self._operation("ping", "PING", 0) as deadline:
            self._cluster.ping(deadline)
            # A process that only reads hears of no script's time: by a slow clock of its own it would let in who has
            # idled out. Health checks come each few seconds.
            before = self._clock.now()
            seconds, microseconds = self._cluster.execute(0, Command.of("TIME"), deadline)
            self._correct(int(seconds) * 1000 + int(microseconds) // 1000, before, self._clock.now())

    def close(self) -> None:
        self._cluster.close()

    def _operation(
        self, name: str, command: str, partition: int, *, seconds: float | None = None
    ) -> Operation:
        if not self._is_heard:
            return Operation(name, seconds or self._seconds, None)
        node = self._cluster.likely(slot(partition))
        attributes: dict[str, str | int] = {
            "db.system.name": "redis",
            "db.operation.name": command,
            "server.address": node.host,
            "server.port": node.port,
        }
        return Operation(name, seconds or self._seconds, self._events.operation(name, attributes))

    def _run(
        self,
        script: Script,
        partition: int,
        keys: Sequence[str],
        arguments: Sequence[str | bytes | int],
        deadline: Deadline,
    ) -> Sequence[Any]:
        """The script's answer without Redis' time, by which our clock is corrected."""
        return self._run_confirmed(script, partition, keys, arguments, deadline, confirm=False)[0]

    def _run_confirmed(
        self,
        script: Script,
        partition: int,
        keys: Sequence[str],
        arguments: Sequence[str | bytes | int],
        deadline: Deadline,
        *,
        confirm: bool = True,
    ) -> tuple[Sequence[Any], bool]:
        """The same, and whether a replica has what it wrote. Only for scripts that always write."""
        before = self._clock.now()
        reply, confirmed = self._cluster.execute_confirmed(
            slot(partition), script.call(keys, arguments), deadline, confirm=confirm and self._confirm
        )
        self._correct(reply[0], before, self._clock.now())
        return reply[1:], confirmed

    def _correct(self, time: int, before: int, after: int) -> None:
        """The true offset is between ``time - after`` and ``time - before``: no slow answer moves the clock
        further.
        """
        self._offset = max(time - after, min(time - before, self._offset))
        self._events.clock_skew(self._offset / 1000)

    def _end_due(self, partition: int, members: Sequence[bytes], deadline: Deadline) -> tuple[Ended, ...]:
        """Ends what an earlier reply named as due, if it still is."""
        if not members:
            return ()
        keys = (*self._indexes(partition), *self._records(partition, members))
        arguments: tuple[str | bytes | int, ...] = (self._unreturned_ms, self._tombstone_ms, *members)
        return read_ended(self._run(scripts.END_DUE, partition, keys, arguments, deadline))

    def _indexes(self, partition: int) -> tuple[str, str, str]:
        keys = self._keys
        return keys.expiry(partition), keys.principals(partition), keys.outbox(partition)

    def _records(self, partition: int, members: Sequence[bytes]) -> tuple[str, ...]:
        return tuple(self._keys.record(Address(partition, session_id_of(one))) for one in members)
