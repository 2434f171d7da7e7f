"""What the processes do: requests as an adapter carries them out, and the reaper."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from polysession.core.errors import Conflict, GenerationOutdated, SessionEnded, StoreUnavailable
from polysession.core.session import Session
from polysession.core.store import Ended

from .explorer import IDLE, Hands

Run = Callable[[Hands], str]
Result = TypeVar("Result")

_OUTCOMES = {
    StoreUnavailable: "503",
    SessionEnded: "ended",
    Conflict: "conflict",
    GenerationOutdated: "outdated",
}


def _again(tries: int, action: Callable[[], Result]) -> Result:
    """The same step of the same request once more, as `Session.commit` allows."""
    for _ in range(tries - 1):
        try:
            return action()
        except StoreUnavailable:
            continue
    return action()


def _request(work: Callable[[Session], Any], *, tries: int, wrote: tuple[str, ...] = ()) -> Run:
    """Reads its cookie, works, commits, answers. Every error of the library is an answer too."""

    def run(hands: Hands) -> str:
        taken = hands.cookie()
        session = hands.manager.open(taken)
        outcome, acknowledged = "done", wrote
        try:
            _again(tries, lambda: session.exists)
            _again(tries, lambda: work(session))
            _again(tries, session.commit)
        except tuple(_OUTCOMES) as error:
            outcome, acknowledged = _OUTCOMES[type(error)], ()
        hands.answer(taken, session, acknowledged)
        return outcome

    return run


def add(key: str, *, tries: int = 1) -> Run:
    def work(session: Session) -> None:
        session.setdefault("cart", {})[key] = 1

    return _request(work, tries=tries, wrote=(key,))


def remove(key: str, *, tries: int = 1) -> Run:
    def work(session: Session) -> None:
        session.get("cart", {}).pop(key, None)

    return _request(work, tries=tries)


def drop(name: str) -> Run:
    """Deletes an attribute; outcome ``nothing`` where there was none."""

    def run(hands: Hands) -> str:
        session = hands.manager.open(hands.cookie())
        try:
            found = session.pop(name, None) is not None
            session.commit()
        except StoreUnavailable:
            return "503"
        return "done" if found else "nothing"

    return run


def assign(name: str, value: Any, *, tries: int = 1) -> Run:
    return _request(lambda session: session.__setitem__(name, value), tries=tries)


def increment(name: str, *, tries: int = 1) -> Run:
    def work(session: Session) -> None:
        session.update(name, lambda count: count + 1, 0)

    return _request(work, tries=tries)


def sign_in(principal: str, *, generation: int = 0, tries: int = 1) -> Run:
    return _request(lambda session: session.sign_in(principal, generation=generation), tries=tries)


def sign_out(*, tries: int = 1) -> Run:
    return _request(lambda session: session.end(), tries=tries)


def rotate(*, tries: int = 1) -> Run:
    return _request(lambda session: session.rotate(), tries=tries)


def remember(*, tries: int = 1) -> Run:
    """Other timeouts, in which it does not idle out over the reaper's night. Outcome ``nobody``: as ``prove``."""

    def work(session: Session) -> None:
        if session.principal is None:
            raise ValueError("as a view that wants a principal")
        session.set_timeouts(idle=4 * IDLE, keep=True)

    return _if_somebody(_request(work, tries=tries))


def prove(*, tries: int = 1) -> Run:
    """Re-authentication; outcome ``nobody`` where nobody is signed in any more."""
    return _if_somebody(_request(lambda session: session.reauthenticate(), tries=tries))


def _if_somebody(run: Run) -> Run:
    def asking(hands: Hands) -> str:
        try:
            return run(hands)
        except ValueError:
            return "nobody"

    return asking


def visit(*, tries: int = 1) -> Run:
    return _request(lambda _session: None, tries=tries)


def change_password(principal: str, *, generation: int) -> Run:
    """Every other session of the principal ends, and this one gets a new secret."""

    def run(hands: Hands) -> str:
        taken = hands.cookie()
        session = hands.manager.open(taken)
        if session.principal != principal:
            return "ended"
        hands.manager.end_principal(principal, generation=generation, keep=session.id)
        session.rotate()
        session.commit()
        hands.answer(taken, session)
        return "done"

    return run


def sign_in_elsewhere(principal: str, *, generation: int) -> Run:
    """In another browser."""

    def run(hands: Hands) -> str:
        session = hands.manager.open(None)
        session.sign_in(principal, generation=generation)
        try:
            session.commit()
        except GenerationOutdated:
            return "outdated"
        return "done"

    return run


def again_if_refused(run: Run) -> Run:
    """The browser sends the request once more when the answer was 503, with the cookie that it has then."""

    def twice(hands: Hands) -> str:
        outcome = run(hands)
        return run(hands) if outcome == "503" else outcome

    return twice


def in_turn(*runs: Run) -> Run:
    return lambda hands: "+".join(run(hands) for run in runs)


def end_all(principal: str, *, generation: int, keep: str | None = None) -> Run:
    def run(hands: Hands) -> str:
        try:
            hands.manager.end_principal(principal, generation=generation, keep=keep)
        except StoreUnavailable:
            return "503"
        return "done"

    return run


def reap(hands: Hands) -> str:
    """A night passes; then what is due ends, as the keeper ends it: named by an earlier reply, checked again."""
    hands.pass_time(IDLE)
    for address, principal_key in hands.due():
        outcome = hands.store.end(address, "idle", principal_key=principal_key)
        if isinstance(outcome, Ended):
            hands.events.ended(outcome.reason)
    return "done"
