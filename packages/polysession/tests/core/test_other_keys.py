"""Two services with different keys see each other's sessions as none: the log of each says what may be the cause."""

from __future__ import annotations

from polysession.core.manager import SessionManager
from polysession.stores.memory import MemoryStore
from polysession.testing import FakeClock, make_keys


def test_tokens_of_other_keys_are_warned_of_once_a_minute_with_their_number_and_without_them() -> None:
    clock, said = FakeClock(), list[str]()
    store = MemoryStore(clock=clock)
    theirs = SessionManager(store, make_keys(), clock=clock)
    ours = SessionManager(store, make_keys(), clock=clock, warn=said.append)
    session = theirs.open(None)
    session.sign_in("ada", generation=0)
    session.commit()
    token = session.token
    assert token is not None
    for _ in range(5):
        assert ours.open(token).principal is None
    question = "do all services read the same keys? (It may be forged.)"
    assert said == [f"a session token that none of these keys made: {question}"]
    clock.advance(seconds=60)
    ours.open(token)
    assert said[1:] == [
        f"a session token that none of these keys made (4 more since the last line): {question}"
    ]
    assert token[20:] not in "".join(said)


def test_what_is_no_token_at_all_is_not_warned_of() -> None:
    said: list[str] = []
    manager = SessionManager(MemoryStore(clock=FakeClock()), make_keys(), warn=said.append)
    for text in ("x", "é" * 70, "a" * 69, "sessionid"):
        assert not manager.open(text).exists
    assert said == []
