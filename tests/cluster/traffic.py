"""Twenty people who use the platform while something is done to it, and what they saw."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.cluster.visitor import NoAnswer, Visitor

PEOPLE = 20
RATE = 22.0  # requests a second of all together


@dataclass
class Seen:
    """What all of them saw. Strict: nothing but right answers. Store-grade: 503 with Retry-After is allowed, too."""

    requests: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    unavailable: list[str] = field(default_factory=list)
    pending: int = 0  # 202: ended in the ledger, not yet in the store
    retries: int = 0
    failures: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    longest_outage: float = 0  # of one person, in seconds
    slowest: float = 0
    median: float = 0

    def __str__(self) -> str:
        return (
            f"{self.requests} requests, {len(self.failures)} failures, {len(self.wrong)} wrong answers, "
            f"{len(self.unavailable)} x 503, {self.pending} x 202, {self.retries} GETs repeated, "
            f"median {self.median * 1000:.0f} ms, slowest {self.slowest:.1f} s, longest outage {self.longest_outage:.1f} s"
        )

    def assert_strict(self) -> None:
        self._refuse([*self.failures, *self.wrong, *self.unavailable])

    def assert_store_grade(self) -> None:
        self._refuse([*self.failures, *self.wrong])

    def _refuse(self, faults: list[str]) -> None:
        assert self.requests > 0
        if faults:
            raise AssertionError("\n".join([str(self), *faults[:20]]))


@contextmanager
def traffic(origin: str, *, seed: int = 1) -> Iterator[Seen]:
    """Everybody is signed in when the block begins; the numbers are there when it has ended."""
    people = [
        Visitor(origin, keeps=index % 2 == 0, draw=random.Random(seed * 100 + index))
        for index in range(PEOPLE)
    ]
    over = threading.Event()
    seen = Seen()
    try:
        for person in people:
            _begin(person)
        threads = [
            threading.Thread(target=_live, args=(person, over, index)) for index, person in enumerate(people)
        ]
        for thread in threads:
            thread.start()
        try:
            yield seen
        finally:
            over.set()
            for thread in threads:
                thread.join()
        for person in people:
            person.prove_what_ended()
    finally:
        _add_up(people, seen)
        for person in people:
            person.close()


def _begin(person: Visitor) -> None:
    try:
        person.begin()
    except NoAnswer:
        raise AssertionError(f"nobody can sign in: {person.tally}") from None


def _live(person: Visitor, over: threading.Event, index: int) -> None:
    pause = PEOPLE / RATE
    over.wait(pause * index / PEOPLE)
    due = time.monotonic()
    done = sum(person.tally.answers.values())
    while not over.is_set():
        person.step()
        now = sum(person.tally.answers.values()) + len(person.tally.failures)
        due = max(
            due + pause * max(1, now - done), time.monotonic() - pause
        )  # what took long is not caught up
        done = now
        over.wait(max(0.0, due - time.monotonic()))


def _add_up(people: list[Visitor], seen: Seen) -> None:
    seconds: list[float] = []
    for person in people:
        tally = person.tally
        seen.answers += tally.answers
        seen.retries += tally.retries
        seen.failures += tally.failures
        seen.wrong += tally.wrong
        seen.unavailable += tally.unavailable
        seen.longest_outage = max([seen.longest_outage, *tally.outages])
        seconds += tally.seconds
    seen.requests = sum(seen.answers.values()) + len(seen.failures)
    seen.pending = sum(count for what, count in seen.answers.items() if what.endswith(" 202"))
    seen.slowest = max(seconds, default=0)
    seen.median = sorted(seconds)[len(seconds) // 2] if seconds else 0
