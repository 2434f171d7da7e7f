"""What the programs of this folder share: the moment at which requests overlap, and how a program says how it went."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

import polysession
from polysession.testing import make_keys


class LastMoment:
    """``with last_moment(other): one()``: ``other`` runs once, when the session of request ``one`` is about to be
    written: it was read and changed, and nothing of it is sent yet. No stack lets us come later than that.
    """

    def __init__(self) -> None:
        self._waiting: Callable[[], object] | None = None

    @contextmanager
    def __call__(self, other: Callable[[], object]) -> Iterator[None]:
        self._waiting = other
        yield
        assert self._waiting is None, "nothing was written, so nothing overlapped and nothing is proven"

    def has_come(self) -> None:
        other, self._waiting = self._waiting, None
        if other is not None:
            other()


last_moment = LastMoment()


class _BeforeWrites(polysession.Events):
    def operation(self, name: str, attributes: Mapping[str, str | int]) -> AbstractContextManager[None]:
        if name == "write":
            last_moment.has_come()
        return super().operation(name, attributes)


def connect_polysession(nodes: str) -> polysession.SessionManager:
    """On the Redis Cluster, over plain HTTP, with keys and a key prefix of its own."""
    return polysession.connect(
        nodes,
        make_keys(),
        settings=polysession.SessionSettings(secure=False),
        prefix=f"pitfall-{secrets.token_hex(6)}",
        events=_BeforeWrites(),
    )


def conclude(*faults: str) -> None:
    """PASS, or FAIL with what went wrong. Exit code 0 or 1."""
    print(f"FAIL: {'; '.join(faults)}" if faults else "PASS")
    sys.exit(bool(faults))
