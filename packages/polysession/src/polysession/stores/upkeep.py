"""What the keeper asks of the Redis store: due sessions, outboxes, the public stream, the histories of the nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..core.record import END_REASONS, Address, EndReason
from ..core.store import Ended, OutboxEvent
from ..core.token import PARTITIONS
from . import scripts
from .census import Census, Primary, read_info
from .cluster import NoAnswerError
from .commands import Command
from .keys import events_slot, slot
from .operations import Operations
from .outbox import decode_event, public_fields
from .pool import Deadline

_ALL_SECONDS = 2.0  # 4,096 partitions
_DUE_AT_ONCE = 16
_EVENTS_AT_ONCE = 256
_PUBLISHED = 10_000  # events that the public stream keeps, about


class Upkeep(Operations):
    """The keeper's part of ``RedisStore``."""

    def refuse(self, address: Address, reason: EndReason = "revoked") -> None:
        keys = (self._keys.record(address),)
        arguments = (self._tombstone_ms, END_REASONS.index(reason))
        with self._operation("refuse", "EVALSHA", address.partition) as deadline:
            self._run(scripts.REFUSE, address.partition, keys, arguments, deadline)

    def end_due(self, partition: int) -> tuple[Ended, ...]:
        """As the port says. What is due is asked by our corrected clock, and judged by Redis' own."""
        command = Command.of(
            *("ZRANGEBYSCORE", self._keys.expiry(partition), "-inf", self.now()),
            *("LIMIT", 0, _DUE_AT_ONCE),
        )
        with self._operation("end_due", "EVALSHA", partition) as deadline:
            members = self._cluster.execute(slot(partition), command, deadline)
            return self._end_due(partition, members, deadline)

    def outbox(self, partition: int) -> tuple[OutboxEvent, ...]:
        key = self._keys.outbox(partition)
        command = Command.of("HRANDFIELD", key, _EVENTS_AT_ONCE, "WITHVALUES")
        with self._operation("outbox", "HRANDFIELD", partition) as deadline:
            pairs = self._cluster.execute(slot(partition), command, deadline)
        events = [decode_event(partition, event_id.decode(), data) for event_id, data in pairs]
        return tuple(sorted(events, key=lambda event: (event.at, event.event_id)))

    def acknowledge(self, partition: int, event_ids: Sequence[str]) -> None:
        if not event_ids:
            return
        command = Command.of("HDEL", self._keys.outbox(partition), *event_ids)
        with self._operation("acknowledge", "HDEL", partition) as deadline:
            self._cluster.execute(slot(partition), command, deadline)

    def pending(self) -> tuple[int, ...]:
        """As the port says. Partitions whose node gives no answer are left out: the others must go on."""
        now = self.now()
        commands = []
        for partition in range(PARTITIONS):
            number, expiry = slot(partition), self._keys.expiry(partition)
            commands.append((number, Command.of("ZCOUNT", expiry, "-inf", now)))
            commands.append((number, Command.of("EXISTS", self._keys.outbox(partition))))
        with self._operation("pending", "ZCOUNT", 0, seconds=max(_ALL_SECONDS, self._seconds)) as deadline:
            replies = self._cluster.execute_all(commands, deadline, partial=True)
        return tuple(
            partition
            for partition in range(PARTITIONS)
            if replies[2 * partition] or replies[2 * partition + 1]
        )

    def publish(self, event: OutboxEvent) -> None:
        command = Command.of(
            *("XADD", self._keys.events(), "MAXLEN", "~", _PUBLISHED, "*"), *public_fields(event)
        )
        with self._operation("publish", "XADD", event.partition) as deadline:
            self._cluster.execute(events_slot(), command, deadline)

    def epochs(self) -> Mapping[str, str]:
        """A primary's ``master_replid`` changes when it is promoted and when it restarts in place. A node that
        gives no answer, or is a replica by now, is left out.
        """
        found: dict[str, str] = {}
        info = Command.of("INFO", "replication")
        with self._operation("epochs", "INFO", 0, seconds=max(_ALL_SECONDS, self._seconds)) as deadline:
            for node, slots in self._cluster.owned(deadline).items():
                try:
                    text = self._cluster.execute(slots[0], info, deadline).decode()
                except NoAnswerError:
                    continue
                fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
                if fields["role"] == "master":
                    found[str(node)] = fields["master_replid"]
        return found

    def partitions_of(self, node: str) -> tuple[int, ...]:
        """Before the first ``epochs``, and for a node that is no primary: none."""
        owned = {str(one): frozenset(slots) for one, slots in self._cluster.known().items()}
        mine = owned.get(node, frozenset())
        return tuple(partition for partition in range(PARTITIONS) if slot(partition) in mine)

    def find(self, session_id: str) -> Address | None:
        commands = []
        for partition in range(PARTITIONS):
            record = self._keys.record(Address(partition, session_id))
            commands.append((slot(partition), Command.of("EXISTS", record)))
        with self._operation("find", "EXISTS", 0, seconds=max(_ALL_SECONDS, self._seconds)) as deadline:
            replies = self._cluster.execute_all(commands, deadline)
        return next(
            (Address(partition, session_id) for partition, there in enumerate(replies) if there), None
        )

    def census(self) -> Census:
        """For operators: asks every partition and every primary. Raises ``StoreUnavailable`` where one is away."""
        now, commands = self.now(), []
        for partition in range(PARTITIONS):
            number, expiry = slot(partition), self._keys.expiry(partition)
            commands.append((number, Command.of("ZCOUNT", expiry, f"({now}", "+inf")))
            commands.append((number, Command.of("ZCOUNT", expiry, "-inf", now)))
            commands.append((number, Command.of("HLEN", self._keys.outbox(partition))))
        with self._operation("census", "ZCOUNT", 0, seconds=max(_ALL_SECONDS, self._seconds)) as deadline:
            replies = self._cluster.execute_all(commands, deadline)
            live = dict(enumerate(replies[0::3]))
            primaries = [
                self._ask_primary(str(node), slots, live, deadline)
                for node, slots in self._cluster.owned(deadline).items()
            ]
        spread = {partition: count for partition, count in live.items() if count}
        return Census(sum(live.values()), sum(replies[1::3]), sum(replies[2::3]), spread, tuple(primaries))

    def _ask_primary(
        self, node: str, slots: Sequence[int], live: Mapping[int, int], deadline: Deadline
    ) -> Primary:
        info = read_info(self._cluster.execute(slots[0], Command.of("INFO"), deadline).decode())
        before = self._clock.now()
        seconds, microseconds = self._cluster.execute(slots[0], Command.of("TIME"), deadline)
        here = (before + self._clock.now()) // 2
        owned = frozenset(slots)
        own = [count for partition, count in live.items() if slot(partition) in owned]
        return Primary(
            node=node,
            partitions=len(own),
            sessions=sum(own),
            replicas=int(info.get("connected_slaves", 0)),
            memory=int(info.get("used_memory", 0)),
            memory_limit=int(info.get("maxmemory", 0)),
            skew_ms=int(seconds) * 1000 + int(microseconds) // 1000 - here,
            version=info.get("valkey_version") or info.get("redis_version", ""),
        )

    def count(self) -> int:
        now = self.now()
        with self._operation("count", "ZCOUNT", 0, seconds=max(_ALL_SECONDS, self._seconds)) as deadline:
            commands = [
                (slot(partition), Command.of("ZCOUNT", self._keys.expiry(partition), f"({now}", "+inf"))
                for partition in range(PARTITIONS)
            ]
            return sum(self._cluster.execute_all(commands, deadline))
