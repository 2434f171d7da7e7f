"""The commands that are given the ledger's database: ``end`` and ``keeper``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import Any
from urllib.request import urlopen

import psycopg
import pytest
from polysession import SessionManager
from polysession.core.record import Record
from polysession.stores import ledger
from polysession.stores.cluster import Cluster


def remember(dsn: str, manager: SessionManager, session: Any) -> None:
    record = manager.context.store.read(session.address)
    assert isinstance(record, Record)
    with psycopg.connect(dsn) as connection:
        ledger.insert(connection, ledger.row_of(session.address, record.header))


def row_of(dsn: str, session: Any) -> ledger.Row:
    with psycopg.connect(dsn) as connection:
        row = ledger.find(connection, session.id)
    assert row is not None
    return row


def test_with_a_dsn_the_ledger_has_the_end_too(
    manager: SessionManager, operator: Any, sign_in: Any, dsn: str
) -> None:
    session = sign_in()
    remember(dsn, manager, session)
    assert operator.run("end", session.id, "--yes", "--reason", "theft", "--dsn", dsn) == 0
    row = row_of(dsn, session)
    assert (row.end_reason, row.confirmed) == ("theft", True)


def test_an_end_that_no_replica_has_is_pending_until_it_is_repeated(
    manager: SessionManager, operator: Any, sign_in: Any, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = sign_in(), sign_in()
    remember(dsn, manager, one)
    confirmed = Cluster.execute_confirmed
    with monkeypatch.context() as replicas_away:
        replicas_away.setattr(
            Cluster, "execute_confirmed", lambda *given, **options: (confirmed(*given, **options)[0], False)
        )
        assert operator.run("end", other.id, "--yes") == 0
        assert "no replica said that it has it (202)" in operator.out
        assert operator.run("end", one.id, "--yes", "--dsn", dsn) == 0
        assert "the ledger has it, no replica said so yet; a keeper repeats it (202)" in operator.out
        assert row_of(dsn, one).confirmed is False
    assert operator.run("end", one.id, "--yes", "--dsn", dsn) == 0
    assert "ended before: revoked" in operator.out
    assert "204" in operator.out
    assert row_of(dsn, one).confirmed is True


def test_an_end_that_the_ledger_cannot_take_is_not_made(
    manager: SessionManager, operator: Any, sign_in: Any
) -> None:
    session = sign_in()
    away = "postgresql://nobody@127.0.0.1:1/none"
    assert operator.run("end", session.id, "--yes", "--dsn", away) == 3
    assert manager.sessions("42")


def test_inspect_asks_the_ledger_for_what_redis_has_forgotten(
    manager: SessionManager, operator: Any, sign_in: Any, dsn: str
) -> None:
    ended, lost = sign_in(), sign_in()
    for session in (ended, lost):
        remember(dsn, manager, session)
    with psycopg.connect(dsn) as connection:
        ledger.end(connection, ended.id, "theft", at=manager.context.store.now(), confirmed=True)
    operator.environment = {
        **operator.environment,
        "SESSION_PREFIX": "cli-another",
    }  # a Redis that was emptied
    assert operator.run("inspect", ended.id) == 1
    assert "--dsn" in operator.err
    told = operator.json("inspect", ended.id, "--dsn", dsn)
    assert (told["state"], told["reason"], told["from"]) == ("ended", "theft", "ledger")
    assert operator.json("inspect", lost.id, "--dsn", dsn)["state"] == "lost"
    assert operator.run("inspect", lost.id, "--dsn", dsn) == 0
    assert "restored at its next request" in operator.out
    assert operator.run("inspect", "abcdefghijklmnop", "--dsn", dsn) == 1
    assert "neither Redis nor the ledger" in operator.err


@pytest.mark.parametrize("alone", [True, False], ids=["by ID", "all of a principal"])
def test_end_reaches_a_session_that_only_the_ledger_has(
    manager: SessionManager, operator: Any, sign_in: Any, dsn: str, alone: bool
) -> None:
    lost = sign_in()
    remember(dsn, manager, lost)
    operator.environment = {**operator.environment, "SESSION_PREFIX": "cli-third"}  # a Redis that was emptied
    named = [lost.id] if alone else ["--principal", "42"]
    assert operator.run("end", *named, "--yes") == 1
    assert operator.run("end", *named, "--yes", "--dsn", dsn) == 0
    assert "1 session ended" in operator.out
    assert "a keeper repeats it (202)" in operator.out
    row = row_of(dsn, lost)
    assert (row.end_reason, row.confirmed) == ("revoked", False)
    assert operator.run("end", *named, "--yes", "--dsn", dsn) == 1


def test_the_keeper_carries_an_end_to_the_ledger(
    manager: SessionManager, operator: Any, sign_in: Any, dsn: str
) -> None:
    session = sign_in()
    remember(dsn, manager, session)
    assert operator.run("end", session.id, "--yes") == 0
    assert row_of(dsn, session).ended_at is None
    assert operator.run("keeper", "--once", "--dsn", dsn) == 0
    assert "carried" in operator.out
    assert row_of(dsn, session).end_reason == "revoked"
    assert operator.json("stats")["outbox"] == 0


def test_the_keeper_says_which_step_got_no_answer(operator: Any) -> None:
    assert operator.run("keeper", "--once", "--dsn", "postgresql://nobody@127.0.0.1:1/none") == 3
    assert "lease" in operator.err


def test_the_keeper_runs_until_it_is_told_to_stop_and_shows_its_metrics(
    manager: SessionManager, operator: Any, sign_in: Any, dsn: str, free_port: Any
) -> None:
    session, port = sign_in(), free_port()
    remember(dsn, manager, session)
    command = [sys.executable, "-m", "polysession", "keeper", "--dsn", dsn, "--every", "0.2"]
    command += ["--metrics-bind", f"127.0.0.1:{port}"]
    with subprocess.Popen(command, env={**os.environ, **operator.environment}) as keeper:
        try:
            manager.end_session("42", session.id)
            end = time.monotonic() + 30
            while row_of(dsn, session).end_reason is None:
                assert keeper.poll() is None
                assert time.monotonic() < end, "the keeper carried nothing within 30 s"
                time.sleep(0.1)
            with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                assert b"polysession_store_operation_duration_seconds_count" in answer.read()
            keeper.send_signal(signal.SIGTERM)
            assert keeper.wait(30) == 0
        finally:
            keeper.kill()
