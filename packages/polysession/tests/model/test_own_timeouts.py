"""Timeouts of a session's own, and re-authentication, in every order with what else may happen to a session."""

from __future__ import annotations

from polysession.core.record import Record

from .explorer import START, State, World
from .programs import add, prove, remember, rotate, sign_out
from .promises import BROWSER_STAYS_IN, Promise, at_most_alive
from .test_protocol import REAPER, SIGNED_IN, check


def alive(state: State) -> list[Record]:
    return [one for one in state.entries.values() if isinstance(one, Record)]


def test_timeouts_that_are_set_never_revive_what_ended() -> None:
    explored = check(
        SIGNED_IN, remember(tries=2), sign_out(tries=2), REAPER, promises=[at_most_alive(0)], faults=1
    )
    assert {("done", "done", "done"), ("ended", "done", "done")} <= set(explored.finals)


def test_a_session_whose_timeouts_were_set_in_time_outlives_the_night_and_another_does_not() -> None:
    def lives(_world: World, state: State) -> str | None:
        if not state.finished or state.nodes[0].outcome != "done":
            return None
        records = alive(state)
        return None if records and records[0].header.idle > 1800_000 else "it has ended"

    promise = Promise("what was acknowledged holds", lives)
    explored = check(SIGNED_IN, remember(tries=2), add("b", tries=2), REAPER, promises=[promise], faults=1)
    assert {("done", "done", "done"), ("ended", "ended", "done")} <= set(explored.finals)


def test_timeouts_and_a_rotation_do_not_undo_each_other() -> None:
    def both(_world: World, state: State) -> str | None:
        done = state.finished and [node.outcome for node in state.nodes] == ["done", "done"]
        (record,) = alive(state)
        return "the timeouts are gone" if done and record.header.idle == 1800_000 else None

    promises = [at_most_alive(1), BROWSER_STAYS_IN, Promise("both have their way", both)]
    explored = check(SIGNED_IN, remember(tries=2), rotate(tries=2), promises=promises, faults=1)
    assert ("done", "done") in explored.finals


def test_a_proof_is_kept_or_said_not_to_be_whatever_else_changes_the_secret() -> None:
    def kept(_world: World, state: State) -> str | None:
        done = state.finished and state.nodes[0].outcome == "done"
        (record,) = alive(state)
        return "it is forgotten" if done and record.header.authenticated_at < START else None

    promises = [at_most_alive(1), Promise("a proof that was acknowledged is kept", kept)]
    explored = check(SIGNED_IN, prove(tries=2), rotate(tries=2), promises=promises, faults=1)
    assert {("done", "done"), ("conflict", "done")} <= set(explored.finals)


def test_a_proof_never_revives_what_ended() -> None:
    explored = check(SIGNED_IN, prove(tries=2), sign_out(tries=2), REAPER, promises=[at_most_alive(0)])
    assert {("done", "done", "done"), ("nobody", "done", "done")} <= set(explored.finals)
