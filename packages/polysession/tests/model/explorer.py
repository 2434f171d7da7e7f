"""Every interleaving of a few requests, on the real core and the memory store.

A process (a request, the reaper) is an ordinary function that reaches the world by calls: store operations, taking a
cookie, giving an answer. All else that it does depends on nothing but the answers it got (time and randomness come
in), so it needs no thread to be interleaved: it is run again from its start with the answers it got so far, and is
cut off at the next call. What a process has come to is thus a value (its `Node`), and so is the whole world (its
`State`): the explorer walks all reachable states once, each call of each process in each order, with each fault.

A request that dies is one that is never run on; every promise is checked in every state, so in each one that a death
can leave. A store operation that gets no answer is in one of three ways without one: it was lost before it took
effect, or after it, or is still under way and takes effect later, perhaps after it was sent again (a frozen primary).
"""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from polysession.core.codec import encode_record
from polysession.core.cookie import Cookie
from polysession.core.errors import StoreUnavailable
from polysession.core.manager import SessionManager
from polysession.core.record import Address, Record, Tombstone
from polysession.core.session import Session
from polysession.core.settings import SessionSettings
from polysession.core.token import Keys
from polysession.stores.memory import MemoryStore
from polysession.testing import START, FakeClock, RecordedEvents, make_keys

IDLE = 1800
SETTINGS = SessionSettings(idle=IDLE, anonymous_idle=IDLE, anonymous_unreturned=IDLE, tombstone=4 * IDLE)
OPERATIONS = ("read", "create", "write", "retime", "rotate", "end", "end_principal", "list")
Fault = Literal["lost before", "lost after", "late"]
FAULTS: tuple[Fault, ...] = ("lost before", "lost after", "late")
Entry = Record | Tombstone
Name = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    args: tuple[Any, ...]
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """An answer, and the time from which the process goes on."""

    time: int
    answer: Any


class Cut(BaseException):  # no Exception: nothing of the core may catch it
    def __init__(self, call: Call) -> None:
        super().__init__(call.name)
        self.call = call


# --- one process


class Told:
    """The store and the clock of one run: answers as recorded, then `Cut`."""

    def __init__(self, history: Sequence[Step]) -> None:
        self._steps = iter(history)
        self._time = START

    def ask(self, name: str, *args: Any, **options: Any) -> Any:
        step = next(self._steps, None)
        if step is None:
            raise Cut(Call(name, args, options))
        self._time = step.time
        if isinstance(step.answer, StoreUnavailable):
            raise StoreUnavailable(name, "no answer")
        return step.answer

    def now(self) -> int:
        return self._time

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in OPERATIONS:
            raise AttributeError(name)
        return lambda *args, **options: self.ask(name, *args, **options)


class Hands:
    """What a process can do. One browser's cookie jar is shared by all."""

    def __init__(self, name: str, keys: Keys, history: Sequence[Step]) -> None:
        self._told = Told(history)
        self._name, self._drawn = name, 0
        self.events = RecordedEvents()
        self.store: Any = self._told
        self.manager = SessionManager(
            self.store, keys, settings=SETTINGS, clock=self._told, random=self._random, events=self.events
        )

    def _random(self, size: int) -> bytes:
        self._drawn += 1
        return hashlib.shake_128(f"{self._name} {self._drawn}".encode()).digest(size)

    def cookie(self) -> str | None:
        """Of the browser's jar, when the request leaves."""
        return self._told.ask("cookie")  # type: ignore[no-any-return]

    def answer(self, taken: str | None, session: Session, wrote: Sequence[str] = ()) -> None:
        """The answer reaches the browser: its cookie, and that the keys ``wrote`` are in the cart."""
        self._told.ask("answer", taken, session.cookie, frozenset((session.token, key) for key in wrote))

    def pass_time(self, seconds: int) -> None:
        self._told.ask("pass time", seconds)

    def due(self) -> tuple[tuple[Address, str], ...]:
        """What the expiry sets name: the address and principal key of each."""
        return self._told.ask("due")  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Process:
    """``run`` returns its outcome in a word. ``steady``: it always gets its answers."""

    name: str
    run: Callable[[Hands], str]
    steady: bool = False


class Node:
    """What a process has come to: the call that it waits at, or its outcome."""

    def __init__(self, process: Process, keys: Keys, history: tuple[Step, ...] = ()) -> None:
        self.process, self._keys, self._history = process, keys, history
        self.waiting: Call | None = None
        self.outcome: str | None = None
        self._next: dict[str, Node] = {}
        hands: Hands | None = None
        try:
            hands = Hands(process.name, keys, history)
            self.outcome = process.run(hands)
        except Cut as cut:
            self.waiting = cut.call
        self.ended = tuple(hands.events.ended_reasons) if hands else ()
        self.conflicts = tuple(hands.events.conflicts) if hands else ()

    def go_on(self, step: Step) -> Node:
        name = repr(step)
        if name not in self._next:
            self._next[name] = Node(self.process, self._keys, (*self._history, step))
        return self._next[name]


# --- the world


@dataclass(frozen=True, slots=True)
class State:
    entries: Mapping[Address, Entry]
    last: Mapping[Address, Record]  # what each ended session was when it ended
    generations: Mapping[tuple[int, str], int]
    now: int
    jar: str | None
    replaced: frozenset[str]  # tokens of which an answer said that they are over
    acknowledged: frozenset[tuple[str, str]]  # token, cart key
    nodes: tuple[Node, ...]
    faults: int  # that may still happen
    under_way: tuple[Call, ...] = ()

    @property
    def finished(self) -> bool:
        return not self.under_way and all(node.waiting is None for node in self.nodes)


class Snapshot(MemoryStore):
    """A memory store that can be put into any state."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        super().__init__(
            clock=self.clock,
            tombstone_ms=SETTINGS.tombstone * 1000,
            unreturned_ms=SETTINGS.anonymous_unreturned * 1000,
        )

    def put(self, state: State) -> None:
        self._entries, self._generations = dict(state.entries), dict(state.generations)
        self.clock.advance(milliseconds=state.now - self.clock.now())

    def take(self, state: State) -> State:
        last = dict(state.last)
        for address, entry in state.entries.items():
            if isinstance(entry, Record) and isinstance(self._entries.get(address), Tombstone):
                last[address] = entry
        return replace(state, entries=dict(self._entries), generations=dict(self._generations), last=last)

    def due(self) -> tuple[tuple[Address, str], ...]:
        return tuple(
            (address, entry.header.principal_key)
            for address, entry in self._entries.items()
            if isinstance(entry, Record) and self._expiry(entry.header)
        )


@dataclass(frozen=True, slots=True)
class Transition:
    before: State
    label: str
    call: Call
    answer: Any  # the store's, whether or not it arrived
    after: State


class Violation(AssertionError):
    def __init__(self, promise: str, path: Sequence[str]) -> None:
        super().__init__(
            "\n".join((promise, *(f"  {number}. {label}" for number, label in enumerate(path, 1))))
        )
        self.promise = promise


@dataclass(frozen=True, slots=True)
class Promise:
    """Each returns what is wrong, or ``None``."""

    name: str
    of_state: Callable[[World, State], str | None] = lambda _world, _state: None
    of_transition: Callable[[World, Transition], str | None] = lambda _world, _transition: None


@dataclass
class Explored:
    states: int = 0
    transitions: int = 0
    finals: Counter[tuple[str | None, ...]] = field(default_factory=Counter)


class World:
    """``store``: the class of the store, so that a broken one can be shown to be found out."""

    def __init__(self, *, store: Callable[[], Snapshot] = Snapshot) -> None:
        self.keys = make_keys()
        self._store = store()
        self._numbers: dict[int, tuple[Entry | Call, int]] = {}
        self._forms: dict[str, int] = {}

    def start(self, *prepare: Callable[[Hands], str]) -> State:
        """Runs each in turn, alone; time begins after it."""
        state = State({}, {}, {}, START, None, frozenset(), frozenset(), (), 0)
        for number, run in enumerate(prepare):
            node = Node(Process(f"prepare {number}", run), self.keys)
            state = replace(state, nodes=(node,))
            while (call := state.nodes[0].waiting) is not None:
                state = self._move(state, 0, call)[0].after
            assert state.nodes[0].outcome == "done", state.nodes[0].outcome
        return replace(state, nodes=(), last={}, replaced=frozenset())

    def explore(
        self, state: State, processes: Sequence[Process], promises: Sequence[Promise], *, faults: int = 0
    ) -> Explored:
        """Raises `Violation` with the fewest steps that lead to it."""
        nodes = tuple(Node(process, self.keys) for process in processes)
        state = replace(state, nodes=nodes, faults=faults)
        explored = Explored()
        seen: dict[Name, tuple[Name, str]] = {self._name(state): ((), "")}
        frontier = deque([state])
        while frontier:
            state = frontier.popleft()
            name = self._name(state)
            explored.states += 1
            self._check_state(state, promises, seen, name)
            if state.finished:
                explored.finals[tuple(node.outcome for node in state.nodes)] += 1
            for transition in self._transitions(state):
                explored.transitions += 1
                for promise in promises:
                    if wrong := promise.of_transition(self, transition):
                        path = (*_path(seen, name), transition.label)
                        raise Violation(f"{promise.name}: {wrong}", path)
                after = self._name(transition.after)
                if after not in seen:
                    seen[after] = (name, transition.label)
                    frontier.append(transition.after)
        return explored

    def _check_state(
        self, state: State, promises: Sequence[Promise], seen: Mapping[Name, tuple[Name, str]], name: Name
    ) -> None:
        for promise in promises:
            if wrong := promise.of_state(self, state):
                raise Violation(f"{promise.name}: {wrong}", _path(seen, name))

    def _transitions(self, state: State) -> Iterator[Transition]:
        for index, node in enumerate(state.nodes):
            if node.waiting is not None:
                yield from self._move(state, index, node.waiting)
                if state.faults and node.waiting.name in OPERATIONS and not node.process.steady:
                    yield from self._fail(state, index, node.waiting)
        for number, call in enumerate(state.under_way):
            rest = state.under_way[:number] + state.under_way[number + 1 :]
            answer, after = self._perform(replace(state, under_way=rest), call)
            yield Transition(state, f"late: {call.name}", call, answer, after)

    def _move(self, state: State, index: int, call: Call) -> list[Transition]:
        answer, after = self._perform(state, call)
        after = _went_on(after, index, answer)
        return [Transition(state, f"{state.nodes[index].process.name}: {call.name}", call, answer, after)]

    def _fail(self, state: State, index: int, call: Call) -> Iterator[Transition]:
        fewer = replace(state, faults=state.faults - 1)
        nothing = StoreUnavailable(call.name, "no answer")
        for fault in FAULTS:
            answer, after = None, fewer
            if fault == "lost after":
                answer, after = self._perform(fewer, call)
            elif fault == "late":
                after = replace(fewer, under_way=(*fewer.under_way, call))
            label = f"{state.nodes[index].process.name}: {call.name} ({fault})"
            yield Transition(state, label, call, answer, _went_on(after, index, nothing))

    def _perform(self, state: State, call: Call) -> tuple[Any, State]:
        if call.name == "cookie":
            return state.jar, state
        if call.name == "pass time":
            return None, replace(state, now=state.now + call.args[0] * 1000)
        if call.name == "answer":
            return None, _answered(state, *call.args)
        self._store.put(state)
        answer = getattr(self._store, call.name)(*call.args, **call.options)
        return answer, self._store.take(state)

    def _name(self, state: State) -> Name:
        """Equal for states that nothing can tell apart."""
        return (
            frozenset((address, self._number(entry)) for address, entry in state.entries.items()),
            frozenset((address, self._number(entry)) for address, entry in state.last.items()),
            frozenset(state.generations.items()),
            (state.now, state.jar, state.faults, state.replaced, state.acknowledged),
            tuple(id(node) for node in state.nodes),
            tuple(sorted(self._number(call) for call in state.under_way)),
        )

    def _number(self, thing: Entry | Call) -> int:
        """The same for equal things. They are kept, so no other thing gets the identity of one."""
        known = self._numbers.get(id(thing))
        if known is None:
            form = repr(sorted(encode_record(thing).items())) if isinstance(thing, Record) else repr(thing)
            known = self._numbers[id(thing)] = (thing, self._forms.setdefault(form, len(self._forms)))
        return known[1]


def _went_on(state: State, index: int, answer: Any) -> State:
    node = state.nodes[index].go_on(Step(state.now, answer))
    return replace(state, nodes=(*state.nodes[:index], node, *state.nodes[index + 1 :]))


def _answered(
    state: State, taken: str | None, cookie: Cookie | None, wrote: frozenset[tuple[str, str]]
) -> State:
    state = replace(state, acknowledged=state.acknowledged | wrote)
    if cookie is None:
        return state
    over = state.replaced | {taken} if taken is not None else state.replaced
    return replace(state, jar=cookie.value or None, replaced=over)


def _path(seen: Mapping[Name, tuple[Name, str]], name: Name) -> list[str]:
    path: list[str] = []
    while seen[name][0]:
        name, label = seen[name]
        path.append(label)
    return path[::-1]
