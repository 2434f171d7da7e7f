"""The store on a Redis Cluster: ``core.store``'s port. Each operation is one script, or one HGETALL, on one
slot's owner.

The scripts get every key by name. Where a key's name is only known to Redis (what is due, what a principal
has), an earlier reply names it and the next script checks it again. Whatever may have happened to an
operation that got no answer, it can be repeated: no script applies twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..core import base64url
from ..core.clock import Clock, SystemClock
from ..core.codec import HEADER_FIELD, decode_record, encode_attribute, encode_record, keep_flags
from ..core.errors import StoreUnavailable
from ..core.events import Events
from ..core.peek import judge_from_outside
from ..core.record import END_REASONS, Address, EndReason, Header, Record, Timeouts, Tombstone
from ..core.store import (
    Absent,
    Change,
    Conflicted,
    Created,
    Ended,
    EndedPrincipal,
    Exists,
    Full,
    Limit,
    Listed,
    Offer,
    Offered,
    Outdated,
    Rotation,
    Written,
)
from . import scripts
from .cluster import Cluster, NoAnswerError
from .commands import Command, pack_command
from .keys import Keyspace, member, slot
from .pool import Credentials, Deadline
from .replies import read_ended, read_listed, read_outcome
from .upkeep import Upkeep

_UNCONFIRMED_MS = 1000


class RedisStore(Upkeep):
    """Thread-safe and fork-safe; makes no connection before the first operation.

    ``nodes``: any nodes of the cluster. ``deadline_ms``: one operation, redirects and retries included.
    ``unreturned_ms``: how long an anonymous session lives whose cookie never came back (``SessionSettings``).
    ``tombstone_ms``: how long the mark of an ended session stays. ``pool_size``: connections a node.
    ``username_file``, ``password_file``: read at each new connection. ``tls``: verified against ``ca_file``, or the
    system's authorities. ``confirm``: sign-ins, rotations and ends wait up to 100 ms until a replica has them;
    ``False`` (a cluster without replicas) leaves them unconfirmed.
    """

    cluster_type: type[Cluster] = Cluster

    def __init__(
        self,
        nodes: Sequence[tuple[str, int]],
        *,
        prefix: str = "ps",
        deadline_ms: int = 250,
        tombstone_ms: int = 3_600_000,
        unreturned_ms: int = 3_600_000,
        username: str | None = None,
        password: str | None = None,
        username_file: Path | None = None,
        password_file: Path | None = None,
        tls: bool = False,
        ca_file: Path | None = None,
        confirm: bool = True,
        pool_size: int = 32,
        events: Events | None = None,
        clock: Clock | None = None,
    ) -> None:
        credentials = Credentials(username, password, username_file, password_file, tls, ca_file)
        super().__init__(
            self.cluster_type(nodes, pool_size=pool_size, credentials=credentials),
            Keyspace(prefix),
            deadline_ms=deadline_ms,
            tombstone_ms=tombstone_ms,
            unreturned_ms=unreturned_ms,
            confirm=confirm,
            events=events or Events(),
            clock=clock or SystemClock(),
        )
        self._unconfirmed_until = 0

    def read(self, address: Address) -> Record | Tombstone | None:
        with self._operation("read", "HGETALL", address.partition) as deadline:
            command = Command(pack_command(("HGETALL", self._keys.record(address))))
            fields: dict[bytes, bytes] = self._cluster.execute(slot(address.partition), command, deadline)
        return decode_record(fields)

    def peek(self, address: Address) -> Record | Tombstone | None:
        return judge_from_outside(self.read(address), now=self.now(), unreturned=self._unreturned_ms)

    def create(
        self, address: Address, record: Record, *, limit: Limit | None = None
    ) -> Created | Exists | Outdated | Full:
        confirm = bool(record.header.principal_key)
        with self._operation("create", "EVALSHA", address.partition) as deadline:
            return self._create(address, record, limit, deadline, confirm=confirm)

    def restore(self, address: Address, record: Record) -> Created | Exists | Outdated:
        """Asks no replica: the ledger has it. After a failover there may be none, and a principal has up to a hundred."""
        with self._operation("restore", "EVALSHA", address.partition) as deadline:
            outcome = self._create(address, record, None, deadline, confirm=False)
        assert not isinstance(outcome, Full)  # without a limit
        return outcome

    def _create(
        self, address: Address, record: Record, limit: Limit | None, deadline: Deadline, *, confirm: bool
    ) -> Created | Exists | Outdated | Full:
        partition, principal_key = address.partition, record.header.principal_key
        header, *fields = _flat(encode_record(record))
        keys = [self._keys.record(address), *self._indexes(partition)]
        if principal_key:
            keys.append(self._keys.generation(partition, principal_key))
        head = (member(address.session_id), self._unreturned_ms, self._tombstone_ms, header)
        limits = (limit.sessions, int(limit.policy == "refuse")) if limit and principal_key else (0, 0)
        names: Sequence[bytes] = ()
        older: tuple[Ended, ...] = ()
        while True:  # until the deadline: each round somebody's sign-in succeeds
            (status, *rest), confirmed = self._run_confirmed(
                scripts.CREATE,
                partition,
                (*keys, *self._records(partition, names)),
                (*head, *limits, len(names), *names, *fields),
                deadline,
                confirm=confirm,
            )
            if status == b"older":
                older += self._end_older(partition, record.header, rest[0], deadline)
            elif status == b"unnamed":
                names = rest[0]
            else:
                break
        match status:
            case b"exists":
                return Exists()
            case b"outdated":
                return Outdated(int(rest[0]))
            case b"full":
                return Full()
        replaced = read_ended(rest[1], confirmed=confirmed)
        try:
            due = self._end_due(partition, rest[0], deadline)
        except NoAnswerError:
            due = ()  # the session is there; what was due still is
        return Created(older + due + replaced, confirmed)

    def write(
        self, address: Address, changes: Mapping[str, Change], *, touch: bool = False
    ) -> Written | Conflicted | Tombstone | Absent:
        keys = [self._keys.record(address)]
        if touch:
            keys.append(self._keys.expiry(address.partition))
        own = member(address.session_id) if touch else b""
        arguments: list[str | bytes | int] = [own, self._unreturned_ms]
        for name, change in changes.items():
            value = encode_attribute(change.attribute) if change.attribute else b""
            arguments += (name, change.expected or b"", value)
        with self._operation("write", "EVALSHA", address.partition) as deadline:
            status, *rest = self._run(scripts.WRITE, address.partition, keys, arguments, deadline)
            if status == b"expired":
                return self._expire(address, rest[0], deadline)
        return read_outcome(status, rest)

    def retime(
        self, address: Address, timeouts: Timeouts, *, principal_key: str = ""
    ) -> Written | Tombstone | Absent:
        partition = address.partition
        keys = [self._keys.record(address), self._keys.expiry(partition), self._keys.principals(partition)]
        if principal_key:
            keys.append(self._keys.generation(partition, principal_key))
        arguments = (
            *(member(address.session_id), self._unreturned_ms, base64url.decode(principal_key)),
            *(timeouts.idle, timeouts.absolute_at, keep_flags(timeouts.keep)),
        )
        with self._operation("retime", "EVALSHA", address.partition) as deadline:
            status, *rest = self._run(scripts.RETIME, address.partition, keys, arguments, deadline)
            outcome = (
                self._expire(address, rest[0], deadline)
                if status == b"expired"
                else read_outcome(status, rest)
            )
        if isinstance(outcome, Conflicted):
            raise StoreUnavailable("retime", "the session was touched while it expired")
        return outcome

    def rotate(self, address: Address, rotation: Rotation) -> Written | Tombstone | Absent | Conflicted:
        arguments: tuple[str | bytes | int, ...] = (
            self._unreturned_ms,
            rotation.expected_hash,
            rotation.secret_hash,
            rotation.pepper_id,
            rotation.rotation_count,
            rotation.previous_until,
            rotation.generation,
            rotation.tail,
        )
        keys = (self._keys.record(address), self._keys.outbox(address.partition))
        again = rotation.previous_until == 0  # the ledger repeats what it has: no replica is asked
        with self._operation("rotate", "EVALSHA", address.partition) as deadline:
            (status, *rest), confirmed = self._run_confirmed(
                scripts.ROTATE, address.partition, keys, arguments, deadline, confirm=not again
            )
            if status == b"expired":
                return self._expire(address, rest[0], deadline)
        outcome = read_outcome(status, rest)
        return replace(outcome, confirmed=confirmed) if isinstance(outcome, Written) else outcome

    def offer(self, address: Address, offer: Offer) -> Offered | Tombstone | Absent | Conflicted:
        """``confirmed`` also where the store was told to ask no replica."""
        keys = (self._keys.record(address), self._keys.outbox(address.partition))
        arguments = (
            self._unreturned_ms,
            offer.expected_hash,
            offer.successor_hash,
            offer.nonce,
            offer.rotation_count,
        )
        # An offer can wait: while replicas are away, not every request pays for finding that out.
        asks = self._clock.now() >= self._unconfirmed_until
        with self._operation("offer", "EVALSHA", address.partition) as deadline:
            (status, *rest), confirmed = self._run_confirmed(
                scripts.OFFER, address.partition, keys, arguments, deadline, confirm=asks
            )
            if status == b"expired":
                return self._expire(address, rest[0], deadline)
        if status != b"offered":
            outcome = read_outcome(status, rest)
            assert not isinstance(outcome, Written)
            return outcome
        if asks and self._confirm and not confirmed:
            self._unconfirmed_until = self._clock.now() + _UNCONFIRMED_MS
        nonce, successor_hash, drawn = rest
        return Offered(nonce, successor_hash, bool(drawn), confirmed or not self._confirm)

    def end(
        self,
        address: Address,
        reason: EndReason,
        *,
        principal_key: str = "",
        if_tags: Mapping[str, bytes] | None = None,
        successor: str = "",
        confirm: bool = True,
    ) -> Ended | Tombstone | Absent | Conflicted:
        with self._operation("end", "EVALSHA", address.partition) as deadline:
            return self._end(
                address,
                reason,
                deadline,
                principal_key=principal_key,
                if_tags=if_tags,
                successor=successor,
                confirm=confirm,
            )

    def end_principal(
        self,
        partition: int,
        principal_key: str,
        reason: EndReason,
        *,
        generation: int,
        keep: str | None = None,
    ) -> EndedPrincipal:
        """As the port says. What is created between its two scripts has the new generation, and lives."""
        keys = (*self._indexes(partition), self._keys.generation(partition, principal_key))
        kept = (member(keep),) if keep else ()
        arguments = (
            base64url.decode(principal_key),
            self._unreturned_ms,
            self._tombstone_ms,
            END_REASONS.index(reason),
            generation,
            *(kept or (b"",)),
        )
        ended: list[Ended] = []
        with self._operation("end_principal", "EVALSHA", partition) as deadline:
            # The first script ends nothing that it cannot name, but from it on no older generation is created.
            # The second is confirmed, and the first with it: a replica gets all that a node wrote, in order.
            missing: Sequence[bytes] = ()
            for last in (False, True):
                ids = (*kept, *missing)
                records = self._records(partition, ids)
                reply, confirmed = self._run_confirmed(
                    scripts.END_PRINCIPAL,
                    partition,
                    (*keys, *records),
                    (*arguments, *ids),
                    deadline,
                    confirm=last,
                )
                ended += read_ended(reply[0], confirmed=confirmed)
                missing = reply[1]
        return EndedPrincipal(tuple(ended), confirmed)

    def list(self, partition: int, principal_key: str) -> tuple[tuple[Listed, ...], tuple[Ended, ...]]:
        keys = (self._keys.expiry(partition), self._keys.principals(partition))
        arguments = (base64url.decode(principal_key), self._unreturned_ms)
        with self._operation("list", "EVALSHA", partition) as deadline:
            names, due, _ = self._run(scripts.LIST, partition, keys, arguments, deadline)
            ended = self._end_due(partition, due, deadline)
            live: Sequence[bytes] = ()
            if names:
                records = self._records(partition, names)
                *_, live = self._run(
                    scripts.LIST, partition, (*keys, *records), (*arguments, *names), deadline
                )
        return read_listed(live), ended

    def _end(
        self,
        address: Address,
        reason: EndReason,
        deadline: Deadline,
        *,
        principal_key: str = "",
        if_tags: Mapping[str, bytes] | None = None,
        successor: str = "",
        confirm: bool = True,
    ) -> Ended | Tombstone | Absent | Conflicted:
        partition = address.partition
        keys = (self._keys.record(address), *self._indexes(partition))
        arguments: list[str | bytes | int] = [
            member(address.session_id),
            self._unreturned_ms,
            self._tombstone_ms,
            END_REASONS.index(reason),
            base64url.decode(principal_key),
            0 if if_tags is None else 1,
            successor,
        ]
        for name, tag in (if_tags or {}).items():
            arguments += (name, tag)
        (status, *rest), confirmed = self._run_confirmed(
            scripts.END, partition, keys, arguments, deadline, confirm=confirm
        )
        if status == b"ended":
            return Ended(address.session_id, END_REASONS[rest[0]], confirmed)
        outcome = read_outcome(status, rest)
        if isinstance(outcome, Written):
            raise TypeError("a script that ends cannot have written")
        return replace(outcome, confirmed=confirmed) if isinstance(outcome, Tombstone) else outcome

    def _expire(
        self, address: Address, principal_key: bytes, deadline: Deadline
    ) -> Tombstone | Absent | Conflicted:
        """Ends a record that a script found expired, now with all its keys declared."""
        key = base64url.encode(principal_key)
        outcome = self._end(address, "idle", deadline, principal_key=key, confirm=False)
        if isinstance(outcome, Ended):
            return Tombstone(outcome.reason, self.now(), placed=True)
        return outcome

    def _end_older(
        self, partition: int, header: Header, names: Sequence[bytes], deadline: Deadline
    ) -> tuple[Ended, ...]:
        """Ends these sessions of the principal and raises its generation, before the first session that has it."""
        key, generation = header.principal_key, header.generation
        keys = (*self._indexes(partition), self._keys.generation(partition, key))
        head = (base64url.decode(key), self._unreturned_ms, self._tombstone_ms, END_REASONS.index("revoked"))
        records = self._records(partition, names)
        reply = self._run(
            scripts.END_PRINCIPAL, partition, (*keys, *records), (*head, generation, b"", *names), deadline
        )
        return read_ended(reply[0])


def _flat(fields: Mapping[bytes, bytes]) -> list[bytes]:
    """The header, then name, attribute, …"""
    flat = [fields[HEADER_FIELD]]
    for name, value in fields.items():
        if name != HEADER_FIELD:
            flat += (name, value)
    return flat
