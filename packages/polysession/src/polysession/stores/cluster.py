"""A thin Redis Cluster client: slot table, redirects, deadlines. It sends one command, or many, to the
owner of a slot.

redis-py's own cluster client can neither pipeline a script nor send it and ``WAIT`` on one connection, and
it retries without a deadline. Source of the rules: Redis Cluster specification, "Redirection and
resharding".
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from redis.exceptions import (
    AskError,
    ClusterDownError,
    ConnectionError,
    MovedError,
    NoPermissionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TimeoutError,
    TryAgainError,
)

from .breaker import Breaker
from .commands import Command, pack_command
from .complaints import Complaints
from .pool import ANSWERS, Credentials, Deadline, Node, OutOfTimeError, Pool
from .slots import read_slots, target

_REDIRECTS = 5
_TRY_AGAIN_SECONDS = 0.005
_REFRESH_SECONDS = 0.1  # at most one refresh in this time: an outage must not become a storm of CLUSTER SLOTS
_WAIT_MS = 100  # fits twice into a deadline of 250 ms
_ASKING: bytes = pack_command((b"ASKING",))
_SLOTS: bytes = pack_command((b"CLUSTER", b"SLOTS"))  # type: ignore[arg-type,unused-ignore]  # hiredis' stub says one word

# Error replies that say nothing of the session: the store is unknown, not the program wrong.
_UNKNOWN_ERRORS = (OutOfMemoryError, ReadOnlyError, NoPermissionError)
_UNKNOWN_CODES = ("BUSY ", "MISCONF ", "NOREPLICAS ", "UNBLOCKED ", "NOAUTH ", "OOM ")


class NoAnswerError(Exception):
    """The cluster gave no answer in time. Whether the command took effect is unknown. Raised ``from`` its
    cause.
    """


@dataclass(slots=True)
class State:
    """What belongs to one process: sockets and locks must not cross a fork. (And to one event loop: see
    ``asynchronous``.)
    """

    pid: int
    breaker: Breaker
    owners: list[Node | None] = field(default_factory=list)  # by slot; empty: not learned yet
    nodes: tuple[Node, ...] = ()  # primaries and replicas, as last learned
    suspects: set[Node] = field(default_factory=set)  # failed, and has not answered since
    pools: dict[Node, Pool] = field(default_factory=dict)
    refreshing: Lock = field(default_factory=Lock)
    refreshed_at: float = float("-inf")
    turn: int = 0
    pool_type: type[Pool] = Pool


class Cluster:
    """Thread-safe and fork-safe. Makes no socket before the first call."""

    def __init__(
        self,
        seeds: Sequence[tuple[str, int]],
        *,
        pool_size: int = 32,
        credentials: Credentials | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not seeds:
            raise ValueError("a Redis Cluster needs at least one node to ask")
        self._seeds = tuple(Node(host, port) for host, port in seeds)
        self._pool_size = pool_size
        self._credentials = credentials or Credentials()
        self._monotonic = monotonic
        self._sleep = sleep
        self._complaints = Complaints(monotonic)
        self._state = self._new_state()

    def deadline(self, seconds: float) -> Deadline:
        return Deadline(seconds, self._monotonic)

    def likely(self, slot: int) -> Node:
        """The node that will probably be asked, for telemetry. No IO."""
        owners = self._here().owners
        return (owners[slot] if owners else None) or self._seeds[0]

    def execute(self, slot: int, command: Command, deadline: Deadline) -> Any:
        """The owner's reply. Raises ``NoAnswerError``; ``RuntimeError`` for a command or a script that is
        wrong.
        """
        try:
            return self._execute(slot, command, deadline, False)[0]
        except RedisError as error:
            raise self._told(slot, error) from error

    def execute_confirmed(
        self, slot: int, command: Command, deadline: Deadline, *, confirm: bool = True
    ) -> tuple[Any, bool]:
        """The owner's reply, and whether a replica has what the command wrote.

        Command and ``WAIT`` go out as one packed write on one connection: ``WAIT`` counts what its own connection
        wrote. A command that wrote nothing is confirmed by nothing: give only commands that always write. ``False``
        says that no replica answered in time, or that the node was demoted meanwhile. Raises as ``execute`` does.
        """
        try:
            return self._execute(slot, command, deadline, confirm)
        except RedisError as error:
            raise self._told(slot, error) from error

    def execute_all(
        self, commands: Sequence[tuple[int, Command]], deadline: Deadline, *, partial: bool = False
    ) -> list[Any]:
        """One reply a command (with its slot), in order: one write a node. What a node redirects or
        refuses, and what an absent node leaves open, is asked again one by one. ``partial``: ``None`` in place of
        an answer that does not come.
        """
        state = self._here()
        by_node: dict[Node | None, list[int]] = {}
        replies: list[Any] = [None] * len(commands)
        again: list[int] = []
        try:
            for index, (slot, _) in enumerate(commands):
                by_node.setdefault(self._owner(state, slot, deadline), []).append(index)
        except RedisError as error:
            raise NoAnswerError(f"{type(error).__name__}: {error}") from error
        for node, indexes in by_node.items():
            packed = b"".join(commands[index][1].packed for index in indexes)
            try:
                # Half of the time: a frozen node must leave some for the others.
                part = deadline.part(0.5)
                answers = self._pool(state, node).exchange(packed, len(indexes), part) if node else []
            except RedisError:
                answers = []
            if not answers:
                again += indexes
            for index, answer in zip(indexes, answers, strict=False):
                replies[index] = answer
                if isinstance(answer, ResponseError):
                    again.append(index)
        for index in again:
            try:
                replies[index] = self.execute(*commands[index], deadline)
            except NoAnswerError:
                if not partial:
                    raise
                replies[index] = None
        return replies

    def owned(self, deadline: Deadline) -> dict[Node, list[int]]:
        """The slots of each primary, as the cluster says now (at most 100 ms ago). Raises ``NoAnswerError``."""
        state = self._here()
        try:
            self._refresh(state, deadline)
        except RedisError as error:
            raise NoAnswerError(f"{type(error).__name__}: {error}") from error
        return self.known()

    def known(self) -> dict[Node, list[int]]:
        """The slots of each primary, as last learned. No IO."""
        slots: dict[Node, list[int]] = {}
        for slot, node in enumerate(self._here().owners):
            if node is not None:
                slots.setdefault(node, []).append(slot)
        return slots

    def ping(self, deadline: Deadline) -> None:
        """Raises ``NoAnswerError`` unless every slot has an owner and every owner answers."""
        state = self._here()
        try:
            if not state.owners or None in state.owners or state.suspects:
                self._refresh(state, deadline)
        except RedisError as error:
            raise NoAnswerError(f"{type(error).__name__}: {error}") from error
        if None in state.owners:
            raise NoAnswerError(f"{state.owners.count(None)} slots of the Redis Cluster have no owner")
        first_slot = {node: slot for slot, node in reversed(list(enumerate(state.owners)))}
        key_less = Command.of(b"PING")
        for slot in first_slot.values():
            self.execute(slot, key_less, deadline)

    def close(self) -> None:
        """Closes idle connections. A later call opens new ones."""
        for pool in tuple(self._here().pools.values()):
            pool.clear()

    def _here(self) -> State:
        state = self._state
        if state.pid != os.getpid():
            # After a fork: the parent's sockets are not ours, and its locks may be held for ever.
            state = self._state = self._new_state()
        return state

    def _new_state(self) -> State:
        return State(os.getpid(), Breaker(self._monotonic))

    def _pool(self, state: State, node: Node) -> Pool:
        pool = state.pools.get(node)
        if pool is None:
            made = state.pool_type(node, size=self._pool_size, credentials=self._credentials)
            pool = state.pools.setdefault(node, made)
        return pool

    def _execute(self, slot: int, command: Command, deadline: Deadline, confirm: bool) -> tuple[Any, bool]:
        state = self._here()
        node = state.owners[slot] if state.owners and not state.suspects else None
        node = node or self._owner(state, slot, deadline)
        if node is None:
            raise NoAnswerError(f"slot {slot} of the Redis Cluster has no owner")
        asking = False
        redirects = 0
        while True:
            if state.breaker.failures and not state.breaker.admits(node):
                raise NoAnswerError(f"{node} gave no answer lately and is not asked at the moment")
            try:
                return self._ask(state, node, command, asking, deadline, confirm)
            except TryAgainError:
                # A moving slot holds only some of the keys: until the move is over, or the time.
                self._sleep(min(_TRY_AGAIN_SECONDS, deadline.remaining()))
            except AskError as error:  # MovedError is one
                redirects += 1
                pointed = target(error.host, error.port, node)
                if redirects > _REDIRECTS or pointed is None:
                    raise NoAnswerError(f"{node} redirects without end or to an unknown node") from error
                if isinstance(error, MovedError):
                    self._refresh(state, deadline)
                    state.owners[slot] = pointed
                asking = not isinstance(error, MovedError)
                node = pointed
            except OutOfTimeError:
                raise
            except (ConnectionError, TimeoutError, ClusterDownError) as error:
                state.suspects.add(node)
                self._complaints.about(node, error)
                if not isinstance(error, (ClusterDownError, *ANSWERS)):
                    state.breaker.failed(node)
                successor = self._successor(state, slot, node, deadline)
                if successor is None:
                    raise NoAnswerError(f"{node} gave no answer: {error}") from error
                node, asking = successor, False
                redirects += 1

    def _ask(
        self,
        state: State,
        node: Node,
        command: Command,
        asking: bool,
        deadline: Deadline,
        confirm: bool = False,
    ) -> tuple[Any, bool]:
        pool = state.pools.get(node) or self._pool(state, node)
        if confirm or asking:
            reply, confirmed = self._exchange(pool, command.packed, asking, deadline, confirm)
        else:
            reply, confirmed = pool.exchange(command.packed, 1, deadline)[0], False
        if isinstance(reply, NoScriptError) and command.in_full:
            in_full = pack_command(command.in_full)
            reply, confirmed = self._exchange(pool, in_full, asking, deadline, confirm)
        if state.suspects:
            state.suspects.discard(node)
        if state.breaker.failures:
            state.breaker.answered(node)
        if isinstance(reply, ResponseError):
            raise reply
        return reply, confirmed

    def _told(self, slot: int, error: RedisError) -> NoAnswerError | RuntimeError:
        """As the callers know it."""
        if isinstance(error, ResponseError) and not (
            isinstance(error, _UNKNOWN_ERRORS) or str(error).startswith(_UNKNOWN_CODES)
        ):
            return RuntimeError(f"Redis refused a command of the session store: {error}")
        self._complaints.about(self.likely(slot), error)
        return NoAnswerError(f"{type(error).__name__}: {error}")

    @staticmethod
    def _exchange(
        pool: Pool, packed: bytes, asking: bool, deadline: Deadline, confirm: bool
    ) -> tuple[Any, bool]:
        """The command's reply, and ``WAIT``'s judgement. After an error reply ``WAIT`` means nothing."""
        if asking:
            packed = _ASKING + packed
        if not confirm:
            return pool.exchange(packed, 1 + asking, deadline)[-1], False
        # Less than half of what is left: a node looks at its waiting clients each 1/hz s only.
        patience = max(1, min(_WAIT_MS, int(deadline.remaining() * 450)))
        packed += pack_command((b"WAIT", 1, patience))
        reply, *rest = pool.exchange(packed, 2 + asking, deadline, spare=1)[asking:]
        waited = rest[0] if rest else None
        return reply, not isinstance(reply, ResponseError) and isinstance(waited, int) and waited > 0

    def _owner(self, state: State, slot: int, deadline: Deadline) -> Node | None:
        node = state.owners[slot] if state.owners else None
        if node is None or (state.suspects and node in state.suspects):
            self._refresh(state, deadline)
            node = state.owners[slot]
        return node

    def _successor(self, state: State, slot: int, failed: Node, deadline: Deadline) -> Node | None:
        """Who owns the slot now, if it is another node than the one that failed and there is time to ask
        it.
        """
        try:
            deadline.remaining()
            self._refresh(state, deadline)
        except (RedisError, NoAnswerError):
            return None
        owner = state.owners[slot]
        return None if owner == failed else owner

    def _refresh(self, state: State, deadline: Deadline) -> None:
        """Learns the slot table again, unless somebody does so now or just did. Raises ``NoAnswerError``
        only where there is no table at all; an old one is better than none: a wrong owner redirects or
        fails.
        """
        missing = not state.owners
        if not state.refreshing.acquire(blocking=missing, timeout=deadline.remaining() if missing else -1):
            if missing:
                raise NoAnswerError("another thread was still learning the slots of the Redis Cluster")
            return
        try:
            if state.owners and self._monotonic() - state.refreshed_at < _REFRESH_SECONDS:
                return
            cause = self._learn(state, deadline)
        finally:
            state.refreshing.release()
        if not state.owners:
            raise NoAnswerError(f"no node of the Redis Cluster knows its slots: {cause}") from cause

    def _learn(self, state: State, deadline: Deadline) -> RedisError | None:
        state.turn += 1
        known = list(dict.fromkeys((*state.nodes, *self._seeds)))
        turn = state.turn % len(known)
        candidates = sorted(known[turn:] + known[:turn], key=state.suspects.__contains__)
        cause: RedisError | None = None
        try:
            for node in candidates:
                part = deadline.part(0.5)  # a frozen node must leave time for the next
                try:
                    reply, _ = self._ask(state, node, Command(_SLOTS), False, part)
                except RedisError as error:
                    state.suspects.add(node)
                    self._complaints.about(node, error)
                    cause = error
                    continue
                owners, nodes = read_slots(reply, node)
                if any(owners):
                    self._adopt(state, owners, nodes)
                    return None
                cause = ClusterDownError(f"{node} knows no slots")
        finally:
            state.refreshed_at = self._monotonic()
        return cause

    def _adopt(self, state: State, owners: list[Node | None], nodes: tuple[Node, ...]) -> None:
        state.owners, state.nodes = owners, nodes
        kept = {*nodes, *self._seeds}
        state.suspects &= kept
        for node in [node for node in state.pools if node not in kept]:
            state.pools.pop(node).clear()
