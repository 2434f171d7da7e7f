"""The ledger in PostgreSQL: Redis may lose everything, and whoever was signed in goes on."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

import msgspec
import pytest
import redis
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from polysession import SessionManager, StoreUnavailable
from polysession.contrib.django import get_manager
from polysession.core.token import hash_secret, parse
from polysession.stores import ledger
from users.config import get_config


def empty_redis() -> None:
    """What this test run has there; the cluster is shared."""
    for address in os.environ["TEST_REDIS_NODES"].split(","):
        host, _, port = address.partition(":")
        with redis.Redis(host, int(port), socket_timeout=5) as node:
            if node.info("replication")["role"] != "master":
                continue
            for key in node.scan_iter(match=f"{get_config().session_prefix}:*", count=10_000):
                node.unlink(key)


def row_of(person: Any) -> Any:
    return ledger.find(connection, parse(get_manager().keys, person.token).address.session_id)


def asks_ledger(queries: CaptureQueriesContext) -> bool:
    return any("polysession_ledger" in one["sql"] for one in queries.captured_queries)


def test_whoever_was_signed_in_goes_on_when_redis_has_lost_everything(person: Any) -> None:
    other = person.elsewhere()
    person.csrf()
    empty_redis()
    assert person.get("/api/users/me").json()["username"] == person.name
    # All of the principal's sessions came back at once.
    with CaptureQueriesContext(connection) as queries:
        assert other.get("/api/users/me").status_code == 200
    assert not asks_ledger(queries)
    assert len(person.get("/api/users/sessions").json()["items"]) == 2


def test_what_had_ended_stays_ended_when_redis_has_lost_everything(person: Any) -> None:
    other = person.elsewhere()
    token = other.token
    assert other.ask("DELETE", "sessions/current").status_code in (202, 204)
    empty_redis()
    assert person.get("/api/users/me").status_code == 200
    other.cookies["session"] = token
    for _ in range(2):
        answer = other.get("/api/users/me")
        assert answer.status_code == 401
    with CaptureQueriesContext(connection) as queries:
        other.get("/api/users/me")
    assert not asks_ledger(queries)  # its "no" is a tombstone by now


def test_ended_by_a_change_of_password_it_stays_ended_and_the_one_that_stays_lives(person: Any) -> None:
    other = person.elsewhere()
    body = {"current": "correct horse battery staple", "new": "another long passphrase"}
    assert person.ask("PUT", "me/password", body).status_code == 204
    row = row_of(person)
    assert row.ended_at is None
    assert row.generation == 2
    assert row_of(other).end_reason == "revoked"


def test_an_anonymous_or_forged_token_asks_nobody(stranger: Any, person: Any) -> None:
    anonymous = get_manager().open(None)
    anonymous["theme"] = "dark"
    anonymous.commit()
    empty_redis()
    with CaptureQueriesContext(connection) as queries:
        for token in (
            anonymous.token,
            person.token[:-1] + ("A" if person.token[-1] != "A" else "B"),
            "no token",
        ):
            stranger.cookies["session"] = token
            assert stranger.get("/api/users/me").status_code == 401
    assert not asks_ledger(queries)


def test_a_sign_out_that_the_store_did_not_confirm_is_202_and_one_it_did_is_204(
    person: Any, monkeypatch: Any
) -> None:
    other = person.elsewhere()
    assert other.ask("DELETE", "sessions/current").status_code in (202, 204)
    assert row_of_ended(person) == ["logout"]
    store = type(get_manager().context.store)
    csrf = person.csrf()

    def away(*_: Any, **__: Any) -> Any:
        raise StoreUnavailable("end", "away")

    monkeypatch.setattr(store, "end", away)
    answer = person.ask("DELETE", "sessions/current", **{"X-CSRF-Token": csrf})
    assert answer.status_code == 202
    assert not person.token
    assert sorted(row_of_ended(person)) == ["logout", "logout"]


def test_a_sign_out_while_the_store_cannot_be_read_is_202_and_reaches_it_by_the_keeper(
    person: Any, stranger: Any, monkeypatch: Any
) -> None:
    token, csrf = person.token, person.csrf()
    store = type(get_manager().context.store)

    def away(*_: Any, **__: Any) -> Any:
        raise StoreUnavailable("read", "away")

    with monkeypatch.context() as patched:
        for name in ("read", "end"):
            patched.setattr(store, name, away)
        answer = person.ask("DELETE", "sessions/current", **{"X-CSRF-Token": csrf})
    assert answer.status_code == 202
    assert not person.token
    assert row_of_ended(person) == ["logout"]
    call_command("keeper", "--once")
    stranger.cookies["session"] = token
    assert stranger.get("/api/users/me").status_code == 401


def test_a_token_that_does_not_open_the_row_ends_nothing_while_the_store_cannot_be_read(
    person: Any, monkeypatch: Any
) -> None:
    manager = get_manager()
    parsed = parse(manager.keys, person.token)
    forged = msgspec.structs.replace(parsed, secret="A" * len(parsed.secret))
    assert not manager.context.ledger.end_by_token(manager.context, forged, "logout", at=1)
    assert row_of(person).ended_at is None


def row_of_ended(person: Any) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT end_reason FROM polysession_ledger JOIN accounts_account ON principal = id::text "
            "WHERE username = %s AND ended_at IS NOT NULL",
            (person.name,),
        )
        return [reason for (reason,) in cursor.fetchall()]


# --- the internal call


@pytest.fixture
def restore(client: Any, sign: Callable[[str, str], str]) -> Callable[..., Any]:
    def call(token: str, *, subject: str | None = None, secret: str | None = None) -> Any:
        keys = get_manager().keys
        parsed = parse(keys, token)
        hashes = {
            pepper.id: hash_secret(keys, secret or parsed.secret, pepper.id).hex()
            for pepper in keys.pepper.keys
        }
        session_id = parsed.address.session_id
        return client.post(
            f"/internal/sessions/{session_id}/restore",
            json.dumps({"secret_hash": hashes, "rotation_count": parsed.rotation_count}),
            content_type="application/json",
            headers={"Authorization": f"Bearer {sign('django-users', subject or session_id)}"},
        )

    return call


def test_the_orders_service_restores_by_hash_of_the_secret_only(
    person: Any, restore: Any, problem: Any
) -> None:
    empty_redis()
    problem(restore(person.token, subject="somebody"), 401)
    problem(restore(person.token, secret=sha256(b"").hexdigest()[:32]), 404)
    assert restore(person.token).status_code == 200
    assert get_manager().open(person.token).principal is not None


def test_restoring_an_ended_session_is_404_and_leaves_a_tombstone(
    person: Any, restore: Any, problem: Any
) -> None:
    token = person.token
    person.ask("DELETE", "sessions/current")
    empty_redis()
    problem(restore(token), 404)
    assert get_manager().open(token).end_reason is not None


def test_a_ledger_that_gives_no_answer_is_503(
    person: Any, restore: Any, problem: Any, monkeypatch: Any
) -> None:
    empty_redis()

    def away(*_: Any, **__: Any) -> Any:
        raise StoreUnavailable("restore", "away")

    monkeypatch.setattr(SessionManager, "context", property(away))
    problem(restore(person.token), 503)


# --- the keeper


@pytest.fixture
def keep() -> Iterator[Callable[[], None]]:
    """One pass of ``python manage.py keeper``; it takes the process's signals, which are put back."""
    before = {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGINT)}
    yield lambda: call_command("keeper", "--once")
    for name, handler in before.items():
        signal.signal(name, handler)


def test_an_end_by_another_service_reaches_the_ledger_by_the_keeper(person: Any, keep: Any) -> None:
    """The orders service has no ledger: what it ends is in the outbox only."""
    row, store = row_of(person), get_manager().context.store
    store.end(row.address, "logout", principal_key=row.principal_key)
    assert row_of(person).ended_at is None
    keep()
    assert row_of(person).end_reason == "logout"
    assert store.outbox(row.partition) == ()


def test_a_rotation_reaches_the_ledger_by_the_keeper_and_the_new_token_outlives_redis(
    person: Any, keep: Any
) -> None:
    old = person.token
    body = {"current": "correct horse battery staple", "new": "another long passphrase"}
    assert person.ask("PUT", "me/password", body).status_code == 204
    assert person.token != old
    keep()
    assert row_of(person).rotation_count >= 1
    empty_redis()
    assert person.get("/api/users/me").status_code == 200


def test_a_pending_sign_out_is_repeated_by_the_keeper(person: Any, keep: Any, monkeypatch: Any) -> None:
    token, csrf = person.token, person.csrf()
    with monkeypatch.context() as patched:
        store = type(get_manager().context.store)

        def away(*_: Any, **__: Any) -> Any:
            raise StoreUnavailable("end", "away")

        patched.setattr(store, "end", away)
        assert person.ask("DELETE", "sessions/current", **{"X-CSRF-Token": csrf}).status_code == 202
    assert get_manager().open(token).exists  # in Redis it still lives: pending is pending
    time.sleep(1.1)  # so long it is in the hands of who ended it
    keep()
    assert get_manager().open(token).end_reason == "logout"


def test_timeouts_of_its_own_outlive_the_loss_of_redis(person: Any) -> None:
    session = get_manager().open(person.token)
    session.set_timeouts(idle=7 * 86_400, keep=True)
    session.commit()
    row = row_of(person)
    assert (row.idle, row.absolute_at - row.created_at) == (7 * 86_400_000, 30 * 86_400_000)
    empty_redis()
    assert person.get("/api/users/me").status_code == 200
    restored = get_manager().open(person.token)
    assert (restored.timeouts.idle, restored.keeps_cookie) == (7 * 86_400_000, True)
