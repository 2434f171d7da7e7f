"""The ``polysession`` command on the shared cluster: what it shows, what it never shows, and its exit codes."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from polysession import Device, SessionManager, SessionSettings, connect
from polysession.cli import Terminal, main
from polysession.cli.commands import MODULES
from polysession.core.record import Record
from polysession.stores import ledger
from polysession.stores.ledger import SCHEMA

DEVICE = Device("Mozilla/5.0 (X11; Linux x86_64) \x1b[31mred", "192.0.2.7")
UNREACHABLE = "127.0.0.1:1"


@dataclass
class Operator:
    """Somebody at a terminal. ``answers``: what they answer when they are asked; nobody is there without."""

    environment: Mapping[str, str]
    answers: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    out: str = ""
    err: str = ""

    def run(self, *arguments: str) -> int:
        def ask(question: str) -> str:
            self.asked.append(question)
            return self.answers.pop(0)

        out, err = io.StringIO(), io.StringIO()
        answering: Callable[[str], str] | None = ask if self.answers else None
        code = main(arguments, Terminal(out=out, err=err, environment=self.environment, ask=answering))
        self.out, self.err = out.getvalue(), err.getvalue()
        assert max((len(line) for line in self.out.splitlines()), default=0) <= 80 or "--json" in arguments
        return code

    def json(self, *arguments: str) -> Any:
        assert self.run(*arguments, "--json") == 0, self.err
        return json.loads(self.out)


@pytest.fixture
def environment(redis_nodes: tuple[tuple[str, int], ...], keys: Path, prefix: str) -> dict[str, str]:
    nodes = ",".join(f"{host}:{port}" for host, port in redis_nodes)
    return {
        "REDIS_NODES": nodes,
        "SESSION_KEYS_DIR": str(keys),
        "SESSION_PREFIX": prefix,
        "STORE_DEADLINE_MS": "5000",
    }


@pytest.fixture
def operator(environment: dict[str, str]) -> Operator:
    return Operator(environment)


@pytest.fixture
def manager(environment: dict[str, str], keys: Path) -> Iterator[SessionManager]:
    settings = SessionSettings(rotate_after=0)
    made = connect(
        environment["REDIS_NODES"],
        keys,
        prefix=environment["SESSION_PREFIX"],
        deadline_ms=5000,
        settings=settings,
    )
    yield made
    made.close()


def sign_in(manager: SessionManager, principal: str = "42", **attributes: Any) -> Any:
    session = manager.open(None, device=DEVICE)
    session.update(attributes)
    session.sign_in(principal, generation=0)
    session.commit()
    return session


# --- inspect


def test_inspect_tells_of_a_session_all_but_values_and_secrets(
    manager: SessionManager, operator: Operator
) -> None:
    session = sign_in(manager, cart={"book": "a private matter"})
    record = manager.context.store.read(session.address)
    assert isinstance(record, Record)
    assert operator.run("inspect", session.id) == 0
    for told in (
        "live, signed in",
        record.header.principal_key,
        manager.pseudonym("42"),
        "192.0.2.7",
        "cart",
    ):
        assert told in operator.out
    assert "in 29 min" in operator.out
    assert "private matter" not in operator.out
    assert "\x1b" not in operator.out
    told = operator.out + json.dumps(operator.json("inspect", session.id, "--values"))
    for secret in (session.token, session.token[22:54], record.header.secret_hash.hex()):
        assert secret not in told


def test_inspect_shows_values_and_the_principal_where_they_are_asked_for(
    manager: SessionManager, operator: Operator
) -> None:
    session = sign_in(manager, cart={"book": 1})
    told = operator.json("inspect", session.id, "--values", "--principal", "42")
    assert (told["state"], told["kind"], told["principal"]) == ("live", "signed_in", "42")
    assert [(one["name"], one["value"]) for one in told["attributes"]] == [("cart", {"book": 1})]
    assert told["bytes"] == told["attributes"][0]["bytes"] > 0


def test_inspect_does_not_touch(manager: SessionManager, operator: Operator) -> None:
    session = sign_in(manager)
    before = manager.context.store.read(session.address)
    operator.run("inspect", session.id)
    assert manager.context.store.read(session.address) == before


def test_inspect_tells_why_a_session_ended(manager: SessionManager, operator: Operator) -> None:
    session = sign_in(manager)
    manager.end_session("42", session.id, reason="theft")
    told = operator.json("inspect", session.id)
    assert (told["state"], told["reason"]) == ("ended", "theft")
    assert operator.run("inspect", session.id) == 0
    assert "ended" in operator.out
    assert "theft" in operator.out


def test_inspect_of_an_anonymous_session_names_nobody(manager: SessionManager, operator: Operator) -> None:
    session = manager.open(None)
    session["theme"] = "dark"
    session.commit()
    told = operator.json("inspect", session.id or "")
    assert (told["kind"], told["principal_key"], told["pseudonym"]) == ("anonymous", None, None)
    partition = session.address.partition if session.address else -1
    assert operator.json("inspect", session.id or "", "--partition", str(partition))["state"] == "live"


def test_a_session_that_is_not_there_is_exit_code_1(operator: Operator) -> None:
    assert operator.run("inspect", "-abcdefghijklmno") == 1  # an ID may begin with a dash
    assert "no session -abcdefghijklmno" in operator.err


def test_a_token_given_as_an_id_is_refused_and_not_repeated(
    manager: SessionManager, operator: Operator
) -> None:
    token = sign_in(manager).token
    assert operator.run("inspect", token) == 2
    assert token not in operator.err


# --- list


def test_list_shows_the_sessions_of_a_principal_and_of_nobody_else(
    manager: SessionManager, operator: Operator
) -> None:
    own = {sign_in(manager, "42").id for _ in range(3)}
    other = sign_in(manager, "43").id
    assert operator.run("list", "42") == 0
    assert all(one in operator.out for one in own)
    assert other not in operator.out
    assert "3 live sessions" in operator.out
    assert {one["id"] for one in operator.json("list", "42")} == own
    assert operator.run("list", "44") == 1


# --- end


def test_end_asks_first_and_says_what_the_services_would_answer(
    manager: SessionManager, operator: Operator
) -> None:
    session = sign_in(manager)
    operator.answers = ["no"]
    assert operator.run("end", session.id) == 2
    assert "nothing was ended" in operator.err
    assert manager.sessions("42")
    operator.answers = ["y"]
    assert operator.run("end", session.id) == 0
    assert session.id in operator.asked[0]
    assert "204" in operator.out
    assert manager.sessions("42") == ()
    assert operator.run("end", session.id, "--yes") == 0
    assert "ended before: revoked" in operator.out


def test_end_does_nothing_where_nobody_can_be_asked(manager: SessionManager, operator: Operator) -> None:
    session = sign_in(manager)
    assert operator.run("end", session.id) == 2
    assert "--yes" in operator.err
    assert manager.sessions("42")


def test_end_keeps_to_the_principal_that_is_named(manager: SessionManager, operator: Operator) -> None:
    session = sign_in(manager)
    assert operator.run("end", session.id, "--principal", "43", "--yes") == 1
    assert manager.sessions("42")


def test_ending_all_says_what_it_cannot_shut_out(manager: SessionManager, operator: Operator) -> None:
    for _ in range(3):
        sign_in(manager)
    assert operator.run("end", "--principal", "42", "--yes") == 0
    assert manager.sessions("42") == ()
    assert "3 sessions ended" in operator.out
    assert "manage.py" in operator.out


def test_ending_all_with_the_generation_refuses_the_sign_in_under_way(
    manager: SessionManager, operator: Operator
) -> None:
    sign_in(manager)
    assert operator.run("end", "--principal", "42", "--generation", "1", "--yes") == 0
    assert "manage.py" not in operator.out
    with pytest.raises(Exception, match="generation 0 is older"):
        sign_in(manager)


# --- the ledger


@pytest.fixture
def dsn(operator: Operator) -> Iterator[str]:
    """A schema of the test's own, named in the DSN; the password in a file."""
    url = os.environ.get("TEST_USERS_DATABASE_URL")
    assert url, "TEST_USERS_DATABASE_URL is not set: `make test` starts the servers and sets it"
    name = f"cli_{operator.environment['SESSION_PREFIX'].removeprefix('cli-')}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
        connection.execute(f"SET search_path TO {name}")
        connection.execute(SCHEMA)  # type: ignore[call-overload]
    yield f"{url}?options=-csearch_path%3D{name}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {name} CASCADE")


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


def test_with_a_dsn_the_ledger_has_the_end_too(manager: SessionManager, operator: Operator, dsn: str) -> None:
    session = sign_in(manager)
    remember(dsn, manager, session)
    assert operator.run("end", session.id, "--yes", "--reason", "theft", "--dsn", dsn) == 0
    row = row_of(dsn, session)
    assert (row.end_reason, row.confirmed) == ("theft", True)


def test_an_end_that_the_ledger_cannot_take_is_not_made(manager: SessionManager, operator: Operator) -> None:
    session = sign_in(manager)
    away = "postgresql://nobody@127.0.0.1:1/none"
    assert operator.run("end", session.id, "--yes", "--dsn", away) == 3
    assert manager.sessions("42")


def test_the_keeper_carries_an_end_to_the_ledger(
    manager: SessionManager, operator: Operator, dsn: str
) -> None:
    session = sign_in(manager)
    remember(dsn, manager, session)
    assert operator.run("end", session.id, "--yes") == 0
    assert row_of(dsn, session).ended_at is None
    assert operator.run("keeper", "--once", "--dsn", dsn) == 0
    assert "carried" in operator.out
    assert row_of(dsn, session).end_reason == "revoked"
    assert operator.json("stats")["outbox"] == 0


def test_the_keeper_says_which_step_got_no_answer(operator: Operator) -> None:
    assert operator.run("keeper", "--once", "--dsn", "postgresql://nobody@127.0.0.1:1/none") == 3
    assert "lease" in operator.err


# --- stats


def test_stats_counts_what_is_there(manager: SessionManager, operator: Operator) -> None:
    sign_in(manager, "42")
    sign_in(manager, "43")
    manager.end_session("43", manager.sessions("43")[0].id)
    told = operator.json("stats")
    assert (told["live"], told["due"], told["outbox"]) == (1, 0, 1)
    assert told["partitions"] == {"total": 4096, "used": 1, "median": 1, "largest": 1}
    assert sum(one["partitions"] for one in told["primaries"]) == 4096
    assert sum(one["sessions"] for one in told["primaries"]) == 1
    assert all(abs(one["clock_skew_ms"]) < 1000 for one in told["primaries"])
    assert all(one["memory_bytes"] > 0 for one in told["primaries"])
    assert operator.run("stats") == 0
    assert re.search(r"live sessions +1\n", operator.out)


# --- faults


def test_every_fault_of_the_settings_is_in_one_message(operator: Operator, tmp_path: Path) -> None:
    operator.environment = {
        "REDIS_NODES": "nonsense",
        "STORE_DEADLINE_MS": "soon",
        "REDIS_USERNAME": "ada",
        "SESSION_PREFIX": "{",
    }
    assert operator.run("stats", "--ca-file", str(tmp_path / "none.pem")) == 2
    for name in (
        "REDIS_NODES",
        "SESSION_KEYS_DIR",
        "STORE_DEADLINE_MS",
        "REDIS_PASSWORD_FILE",
        "SESSION_PREFIX",
    ):
        assert name in operator.err
    assert "REDIS_TLS_CA_FILE" in operator.err
    assert "nonsense" not in operator.err


def test_a_store_that_gives_no_answer_is_exit_code_3(operator: Operator) -> None:
    for command in (["inspect", "abcdefghijklmnop"], ["list", "42"], ["stats"]):
        assert operator.run(*command, "--nodes", UNREACHABLE, "--deadline-ms", "200") == 3
        assert "gave no answer" in operator.err


def test_wrong_usage_is_exit_code_2(operator: Operator) -> None:
    assert operator.run("end", "--yes") == 2
    with pytest.raises(SystemExit) as ended:
        operator.run("nonsense")
    assert ended.value.code == 2


# --- without the extras


def test_keys_needs_no_extra(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(('redis', 'hiredis', 'psycopg', 'prometheus_client')))\n"
        "from polysession.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", program, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    made = run("keys", str(tmp_path / "keys"))
    assert (made.returncode, made.stderr) == (0, "")
    assert "placement" in made.stdout
    assert run("keys", str(tmp_path / "keys")).stdout == ""
    stats = run("stats", "--nodes", UNREACHABLE, "--keys", str(tmp_path / "keys"))
    assert stats.returncode == 2
    assert "polysession[redis]" in stats.stderr


def test_the_module_is_the_command() -> None:
    command = [sys.executable, "-m", "polysession", "--help"]
    told = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "80"}
    )
    assert all(f"    {module.NAME}" in told.stdout for module in MODULES)
    assert max(len(line) for line in told.stdout.splitlines()) <= 80


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.NAME)
def test_help_fits_into_80_columns(
    module: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        main([module.NAME, "--help"])
    assert max(len(line) for line in capsys.readouterr().out.splitlines()) <= 80
