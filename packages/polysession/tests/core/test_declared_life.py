"""Requests that overlap in any way, on the declared policies: what the session holds is what they did."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule
from polysession.core.schema import Counter, ListOf, SessionSchema, SetOf
from polysession.core.session import Session
from polysession.core.settings import SessionSettings
from polysession.testing import RecordedEvents, memory_manager


class Declared(SessionSchema):
    count: Counter
    pages: dict[str, Counter]
    seen: SetOf[int]
    log: ListOf[int]


class OverlappingRequests(RuleBasedStateMachine):
    """Items and elements are numbers never used twice, so that each can be told from every other."""

    requests = Bundle("requests")

    def __init__(self) -> None:
        super().__init__()
        self.events = RecordedEvents()
        self.manager = memory_manager(settings=SessionSettings(schema=Declared), events=self.events)
        first = self.manager.open(None)
        first["begun"] = True
        first.commit()
        self.token = first.token
        self.number = 0
        self.pending: dict[int, dict[str, Any]] = {}
        self.count, self.pages = 0, {"a": 0, "b": 0}
        self.present: set[int] = set()
        self.log: list[int] = []

    def fresh(self) -> int:
        self.number += 1
        return self.number

    @rule(target=requests)
    def begin(self) -> Session:
        session = self.manager.open(self.token)
        assert session.exists
        self.pending[id(session)] = {
            "count": 0,
            "pages": {"a": 0, "b": 0},
            "add": set(),
            "remove": set(),
            "log": [],
        }
        return session

    @rule(session=requests, delta=st.integers(-5, 5))
    def add(self, session: Session, delta: int) -> None:
        Declared(session).count += delta
        self.pending[id(session)]["count"] += delta

    @rule(session=requests, delta=st.integers(-5, 5), page=st.sampled_from("ab"))
    def visit(self, session: Session, delta: int, page: str) -> None:
        pages = Declared(session).pages
        pages[page] = pages.get(page, 0) + delta
        self.pending[id(session)]["pages"][page] += delta

    @rule(session=requests)
    def see(self, session: Session) -> None:
        number = self.fresh()
        Declared(session).seen.add(number)
        self.pending[id(session)]["add"].add(number)

    @rule(session=requests)
    def append(self, session: Session) -> None:
        number = self.fresh()
        Declared(session).log.append(number)
        self.pending[id(session)]["log"].append(number)

    @rule(session=requests, data=st.data())
    def forget(self, session: Session, data: st.DataObject) -> None:
        seen = Declared(session).seen
        known = sorted(seen - self.pending[id(session)]["add"])
        if known:
            number = data.draw(st.sampled_from(known))
            seen.discard(number)
            self.pending[id(session)]["remove"].add(number)

    @rule(session=consumes(requests))
    def commit(self, session: Session) -> None:
        session.commit()
        done = self.pending.pop(id(session))
        self.count += done["count"]
        for page, delta in done["pages"].items():
            self.pages[page] += delta
        self.present = (self.present | done["add"]) - done["remove"]
        self.log += done["log"]

    @invariant()
    def the_session_holds_what_was_committed(self) -> None:
        now = Declared(self.manager.open(self.token))
        assert (now.count, now.seen, now.log) == (self.count, self.present, self.log)
        assert {"a": 0, "b": 0, **now.pages} == self.pages
        assert "last_write" not in self.events.conflicts


TestOverlappingRequests = OverlappingRequests.TestCase
TestOverlappingRequests.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
