"""A manager over a memory store that can be away, and Hypothesis on a machine that is shared: no time
limits.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from polysession.core.errors import StoreUnavailable
from polysession.core.manager import SessionManager
from polysession.core.record import Address, Record, Tombstone
from polysession.core.settings import SessionSettings
from polysession.core.store import Change
from polysession.stores.memory import MemoryStore
from polysession.testing import FakeClock, RecordedEvents, memory_manager

EXAMPLES = 600 if os.environ.get("POLYSESSION_FULL") else 60
settings.register_profile(
    "shared", deadline=None, max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("shared")


class Switch(MemoryStore):
    """A memory store that can be away: before an operation (nothing happens) or after it (nobody learns of
    it).
    """

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock=clock)
        self.calls: list[str] = []
        self.away_before: set[str] = set()
        self.away_after: set[str] = set()

    def _around(self, name: str, *args: Any, **kwargs: Any) -> Any:
        self.calls.append(name)
        if name in self.away_before:
            raise StoreUnavailable(name, "test")
        outcome = getattr(MemoryStore, name)(self, *args, **kwargs)
        if name in self.away_after:
            raise StoreUnavailable(name, "test")
        return outcome

    def read(self, address: Address) -> Record | Tombstone | None:
        return self._around("read", address)  # type: ignore[no-any-return]

    def create(self, *args: Any, **kwargs: Any) -> Any:
        return self._around("create", *args, **kwargs)

    def write(self, address: Address, changes: Mapping[str, Change], *, touch: bool = False) -> Any:
        return self._around("write", address, changes, touch=touch)

    def rotate(self, *args: Any) -> Any:
        return self._around("rotate", *args)

    def retime(self, *args: Any, **kwargs: Any) -> Any:
        return self._around("retime", *args, **kwargs)

    def end(self, *args: Any, **kwargs: Any) -> Any:
        return self._around("end", *args, **kwargs)


class Bench:
    def __init__(self, **settings: Any) -> None:
        self.clock = FakeClock()
        self.store = Switch(self.clock)
        self.events = RecordedEvents()
        self.manager: SessionManager = memory_manager(
            clock=self.clock, store=self.store, events=self.events, settings=SessionSettings(**settings)
        )

    def begin(self, **attributes: Any) -> str:
        """A live anonymous session whose cookie came back once."""
        session = self.manager.open(None)
        session.update(attributes or {"a": 1})
        session.commit()
        token = session.token
        assert token is not None
        back = self.manager.open(token)
        assert back.exists
        back.commit()
        self.store.calls.clear()
        return token

    def sign_in(self, principal: str = "42", **attributes: Any) -> str:
        session = self.manager.open(None)
        session.update(attributes)
        session.sign_in(principal, generation=1)
        session.commit()
        assert session.token is not None
        self.store.calls.clear()
        return session.token

    def attributes(self, token: str) -> dict[str, Any]:
        return dict(self.manager.open(token))


@pytest.fixture
def make_bench() -> Callable[..., Bench]:
    return Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()
