"""Any order of requests, tabs, sign-ins, ends and waiting: the manager over the memory store against a
plain model.

The model: what each browser should see. Two tabs of a browser overlap, each adding keys of its own to one
cart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule
from polysession.core.errors import SessionEnded
from polysession.core.session import Session
from polysession.testing import FakeClock, RecordedEvents, memory_manager

IDLE, ABSOLUTE, ANONYMOUS_IDLE, ANONYMOUS_ABSOLUTE, UNRETURNED = 1800, 43200, 86400, 604800, 3600
TOMBSTONE = 3600


@dataclass
class Live:
    """One session as it should be."""

    token: str
    started: int
    seen: int
    principal: str | None = None
    returned: bool = False
    cart: dict[str, int] = field(default_factory=dict)
    ended: str | None = None
    ended_at: int = 0
    successor: Live | None = None  # what a sign-in put in its place

    def expiry(self, now: int) -> str | None:
        idle, absolute = (IDLE, ABSOLUTE) if self.principal else (ANONYMOUS_IDLE, ANONYMOUS_ABSOLUTE)
        if now >= self.started + absolute * 1000:
            return "absolute"
        unreturned = not self.principal and not self.returned
        if now >= self.seen + idle * 1000 or (unreturned and now >= self.started + UNRETURNED * 1000):
            return "idle"
        return None


@dataclass
class Tab:
    session: Session
    live: Live
    added: dict[str, int]


class Sessions(RuleBasedStateMachine):
    sessions: Bundle[Live] = Bundle("sessions")
    tabs: Bundle[Tab] = Bundle("tabs")

    def __init__(self) -> None:
        super().__init__()
        self.clock, self.events = FakeClock(), RecordedEvents()
        self.manager = memory_manager(clock=self.clock, events=self.events)
        self.all: list[Live] = []
        self.keys = 0
        self.generations: dict[str, int] = {}

    def new_key(self) -> dict[str, int]:
        self.keys += 1
        return {f"sku-{self.keys}": self.keys}

    def alive(self, live: Live) -> bool:
        """Judges the model's session now; an expired one is over for good from here on."""
        if live.ended is None and (reason := live.expiry(self.clock.now())):
            self.over(live, reason)
        return live.ended is None

    def over(self, live: Live, reason: str) -> None:
        live.ended, live.ended_at = reason, self.clock.now()

    def touched(self, live: Live) -> None:
        now = self.clock.now()
        idle = IDLE if live.principal else ANONYMOUS_IDLE
        first_return = not live.principal and not live.returned
        if first_return or now - live.seen >= idle * 1000 // 20:
            live.seen, live.returned = now, True

    @rule(target=sessions)
    def first_write(self) -> Live:
        session, added = self.manager.open(None), self.new_key()
        session["cart"] = dict(added)
        session.commit()
        assert session.token is not None
        now = self.clock.now()
        self.all.append(Live(session.token, now, now, cart=added))
        return self.all[-1]

    @rule(live=sessions, passive=st.booleans())
    def visit(self, live: Live, passive: bool) -> None:
        session = self.manager.open(live.token, passive=passive)
        if self.alive(live):
            assert session.get("cart", {}) == live.cart
            assert session.principal == live.principal
            if not passive:
                self.touched(live)
        else:
            assert (session.principal, dict(session), session.exists) == (None, {}, False)
            assert session.end_reason in (live.ended, None)
        session.commit()
        assert session.cookie is None

    @rule(target=tabs, live=sessions)
    def begin_in_tab(self, live: Live) -> Any:
        session, added = self.manager.open(live.token, passive=True), self.new_key()
        if not self.alive(live):
            return multiple()
        session.setdefault("cart", {}).update(added)
        return Tab(session, live, added)

    @rule(tab=consumes(tabs))
    def finish_in_tab(self, tab: Tab) -> None:
        if self.alive(tab.live):
            tab.session.commit()
            tab.live.cart.update(tab.added)
            assert tab.session["cart"] == tab.live.cart
            return
        try:
            tab.session.commit()
        except SessionEnded:
            assert dict(tab.session) == {}
        else:
            raise AssertionError("a session that is over was written")

    @rule(target=sessions, live=sessions, principal=st.sampled_from(["ada", "bob"]))
    def sign_in(self, live: Live, principal: str) -> Live:
        session = self.manager.open(live.token)
        carried, was_live = self.taken_along(live, principal), self.alive(live)
        if was_live:
            if live.principal in (None, principal):
                carried = dict(live.cart)
            self.over(live, "rotated-away")
        session.sign_in(principal, generation=self.generations.get(principal, 0))
        session.commit()
        assert session.token not in (None, live.token)
        now = self.clock.now()
        self.all.append(Live(str(session.token), now, now, principal=principal, cart=carried))
        if was_live and live.principal in (None, principal):
            live.successor = self.all[-1]
        return self.all[-1]

    def taken_along(self, live: Live, principal: str) -> dict[str, int]:
        """What an earlier sign-in of the same principal took over from the session, which has ended since."""
        successor = live.successor
        if successor is None or successor.principal != principal or self.forgotten(live):
            return {}
        return dict(successor.cart) if self.alive(successor) else {}

    def forgotten(self, live: Live) -> bool:
        """The tombstone is gone."""
        return self.clock.now() >= live.ended_at + TOMBSTONE * 1000

    @rule(live=sessions)
    def rotate(self, live: Live) -> None:
        session = self.manager.open(live.token, passive=True)
        session.rotate()
        session.commit()
        if self.alive(live):
            assert session.token not in (None, live.token)
            assert not self.manager.open(live.token).exists
            live.token = str(session.token)

    @rule(live=sessions)
    def sign_out(self, live: Live) -> None:
        session = self.manager.open(live.token)
        session.end()
        if self.alive(live):
            self.over(live, "logout")
            assert session.cookie is not None
            assert session.cookie.value == ""
        assert dict(session) == {}

    @rule(principal=st.sampled_from(["ada", "bob"]))
    def end_all(self, principal: str) -> None:
        generation = self.generations[principal] = self.generations.get(principal, 0) + 1
        self.manager.end_principal(principal, generation=generation)
        for live in self.all:
            if live.principal == principal and self.alive(live):
                self.over(live, "revoked")

    @rule(seconds=st.sampled_from([1, 60, 600, IDLE, UNRETURNED, ANONYMOUS_IDLE]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds=seconds)

    @invariant()
    def exactly_the_live_sessions_are_counted_and_listed(self) -> None:
        live = [one for one in self.all if self.alive(one)]
        assert self.manager.count() == len(live)
        for principal in ("ada", "bob"):
            expected = {self.manager.open(one.token).id for one in live if one.principal == principal}
            assert {info.id for info in self.manager.sessions(principal)} == expected

    @invariant()
    def no_session_is_ended_twice(self) -> None:
        assert len(self.events.ended_reasons) <= sum(not self.alive(one) for one in self.all)

    @invariant()
    def changes_of_different_keys_are_never_conflicts_on_a_leaf(self) -> None:
        assert set(self.events.conflicts) <= {"merged"}


TestSessions = Sessions.TestCase
