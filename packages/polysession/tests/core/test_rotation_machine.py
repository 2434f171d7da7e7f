"""Rotation by age, in any order of requests, answers, waits and a thief's use."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, rule
from polysession.core.session import Session
from polysession.core.token import parse
from polysession.testing import FakeClock, RecordedEvents, memory_manager

HOUR, GRACE = 3600, 30


class Rotations(RuleBasedStateMachine):
    """One browser, requests under way, answers that get lost or come within ten minutes, and a thief who copied its jar.
    As long as only the browser acts, it is signed in; the thief's use ends the session."""

    under_way: Bundle[tuple[Session, int]] = Bundle("under_way")

    def __init__(self) -> None:
        super().__init__()
        self.clock, self.events = FakeClock(), RecordedEvents()
        self.manager = memory_manager(clock=self.clock, events=self.events)
        session = self.manager.open(None)
        session.sign_in("42", generation=0)
        session.commit()
        self.jar = str(session.token)
        self.started = self.clock.now()
        self.given = {self.jar}

    @rule(target=under_way, passive=st.booleans())
    def begin(self, passive: bool) -> tuple[Session, int]:
        session = self.manager.open(self.jar, passive=passive)
        if self.clock.now() - self.started < 11 * HOUR * 1000:
            assert session.principal == "42"
        return session, self.clock.now()

    @rule(begun=under_way, arrives=st.booleans())
    def finish(self, begun: tuple[Session, int], arrives: bool) -> None:
        session, at = begun
        session.commit()
        arrives = arrives and self.clock.now() - at <= 600_000
        if session.cookie is not None and session.cookie.value:
            self.given.add(session.cookie.value)
            if arrives:
                self.jar = session.cookie.value

    @rule(seconds=st.sampled_from([1, 60, 600, 1200]))
    def wait(self, seconds: int) -> None:
        if self.clock.now() - self.started > 10 * HOUR * 1000:
            return
        self.clock.advance(seconds=seconds)
        visit = self.manager.open(self.jar)
        assert visit.principal == "42"
        visit.commit()
        if visit.cookie is not None:
            self.given.add(visit.cookie.value)

    @rule()
    def one_session_and_no_alarm(self) -> None:
        assert self.manager.count() == 1
        assert self.events.ended_reasons == []
        assert len({parse(self.manager.keys, token).address for token in self.given}) == 1

    def teardown(self) -> None:
        """A copy of any earlier token, used after the grace, ends it; of the present one, it does not."""
        visit = self.manager.open(self.jar)
        visit.commit()
        current = visit.cookie.value if visit.cookie else self.jar
        self._use(current)
        self.clock.advance(seconds=GRACE)
        counts = {parse(self.manager.keys, token).rotation_count: token for token in self.given}
        newest = parse(self.manager.keys, current).rotation_count
        assert self.manager.open(current).principal == "42"
        older = [token for count, token in sorted(counts.items()) if count < newest]
        if older:
            assert self.manager.open(older[0]).end_reason == "theft"
            assert not self.manager.open(current).exists

    def _use(self, token: str) -> None:
        session = self.manager.open(token)
        assert session.principal == "42"
        session.commit()


TestRotations = Rotations.TestCase
