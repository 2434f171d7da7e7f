"""The ``polysession`` command on the shared cluster: what it shows, what it never shows, and its exit codes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from polysession import Device, SessionManager
from polysession.cli import main
from polysession.cli.commands import MODULES
from polysession.core.record import Record
from polysession.keys import make_keys
from polysession.testing import HOUR, make_address, make_principal, make_record

DEVICE = Device("Mozilla/5.0 (X11; Linux x86_64) \x1b[31mred", "192.0.2.7")
UNREACHABLE = "127.0.0.1:1"


# --- inspect


def test_inspect_tells_of_a_session_all_but_values_and_secrets(
    manager: SessionManager, operator: Any, sign_in: Any
) -> None:
    session = sign_in(cart={"book": "a private matter"})
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
    manager: SessionManager, operator: Any, sign_in: Any
) -> None:
    session = sign_in(cart={"book": 1})
    told = operator.json("inspect", session.id, "--values", "--principal", "42")
    assert (told["state"], told["kind"], told["principal"]) == ("live", "signed_in", "42")
    assert [(one["name"], one["value"]) for one in told["attributes"]] == [("cart", {"book": 1})]
    assert told["bytes"] == told["attributes"][0]["bytes"] > 0


def test_inspect_does_not_touch(manager: SessionManager, operator: Any, sign_in: Any) -> None:
    session = sign_in()
    before = manager.context.store.read(session.address)
    operator.run("inspect", session.id)
    assert manager.context.store.read(session.address) == before


def test_inspect_tells_why_a_session_ended(manager: SessionManager, operator: Any, sign_in: Any) -> None:
    session = sign_in()
    manager.end_session("42", session.id, reason="theft")
    told = operator.json("inspect", session.id)
    assert (told["state"], told["reason"]) == ("ended", "theft")
    assert operator.run("inspect", session.id) == 0
    assert "ended" in operator.out
    assert "theft" in operator.out


def test_inspect_of_an_anonymous_session_names_nobody(
    manager: SessionManager, operator: Any, sign_in: Any
) -> None:
    session = manager.open(None)
    session["theme"] = "dark"
    session.commit()
    told = operator.json("inspect", session.id or "")
    assert (told["kind"], told["principal_key"], told["pseudonym"]) == ("anonymous", None, None)
    partition = session.address.partition if session.address else -1
    assert operator.json("inspect", session.id or "", "--partition", str(partition))["state"] == "live"


def test_a_session_that_is_not_there_is_exit_code_1(operator: Any) -> None:
    assert operator.run("inspect", "-abcdefghijklmno") == 1  # an ID may begin with a dash
    assert "no session -abcdefghijklmno, or" in operator.err


def test_a_token_given_as_an_id_is_refused_and_not_repeated(
    manager: SessionManager, operator: Any, sign_in: Any
) -> None:
    token = sign_in().token
    assert operator.run("inspect", token) == 2
    assert token not in operator.err


# --- list


def test_list_shows_the_sessions_of_a_principal_and_of_nobody_else(
    manager: SessionManager, operator: Any, sign_in: Any
) -> None:
    own = {sign_in("42").id for _ in range(3)}
    other = sign_in("43").id
    assert operator.run("list", "42") == 0
    assert all(one in operator.out for one in own)
    assert other not in operator.out
    assert "3 live sessions" in operator.out
    assert {one["id"] for one in operator.json("list", "42")} == own
    assert operator.run("list", "44") == 1
    assert f"under the prefix {operator.environment['SESSION_PREFIX']}" in operator.err


# --- end


def test_end_asks_first_and_says_what_the_services_would_answer(
    manager: SessionManager, operator: Any, sign_in: Any
) -> None:
    session = sign_in()
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


def test_end_does_nothing_where_nobody_can_be_asked(
    manager: SessionManager, operator: Any, sign_in: Any
) -> None:
    session = sign_in()
    assert operator.run("end", session.id) == 2
    assert "--yes" in operator.err
    assert manager.sessions("42")


def test_an_expired_session_has_ended_whether_or_not_a_keeper_came(
    manager: SessionManager, operator: Any
) -> None:
    store, address = manager.context.store, make_address()
    store.create(address, make_record(store.now() - 2 * HOUR, principal_key=make_principal()))
    assert operator.json("inspect", address.session_id)["reason"] == "idle"
    assert operator.json("stats")["due"] == 1
    assert operator.run("end", address.session_id, "--yes") == 0
    assert "ended before: idle" in operator.out
    assert "a keeper's next pass" in operator.out


def test_end_keeps_to_the_principal_that_is_named(
    manager: SessionManager, operator: Any, sign_in: Any
) -> None:
    session = sign_in()
    assert operator.run("end", session.id, "--principal", "43", "--yes") == 1
    assert manager.sessions("42")


def test_ending_all_says_what_it_cannot_shut_out(
    manager: SessionManager, operator: Any, sign_in: Any
) -> None:
    for _ in range(3):
        sign_in()
    assert operator.run("end", "--principal", "42", "--yes") == 0
    assert manager.sessions("42") == ()
    assert "3 sessions ended" in operator.out
    assert "--generation N" in operator.out


def test_ending_all_with_the_generation_refuses_the_sign_in_under_way(
    manager: SessionManager, operator: Any, sign_in: Any
) -> None:
    sign_in()
    assert operator.run("end", "--principal", "42", "--generation", "1", "--yes") == 0
    assert "manage.py" not in operator.out
    with pytest.raises(Exception, match="generation 0 is older"):
        sign_in()


# --- stats


def test_stats_counts_what_is_there(manager: SessionManager, operator: Any, sign_in: Any) -> None:
    sign_in("42")
    sign_in("43")
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


def test_every_fault_of_the_settings_is_in_one_message(operator: Any, tmp_path: Path) -> None:
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


def test_a_store_that_gives_no_answer_is_exit_code_3(operator: Any) -> None:
    for command in (["inspect", "abcdefghijklmnop"], ["list", "42"], ["stats"]):
        assert operator.run(*command, "--nodes", UNREACHABLE, "--deadline-ms", "200") == 3
        assert operator.err.startswith("polysession: the session store gave no answer, try again: ")
        assert operator.err.count("gave no answer") == operator.err.count("\n") == 1
        assert "census" not in operator.err


def test_with_the_keys_of_another_platform_it_is_said_that_they_may_be(
    operator: Any, sign_in: Any, tmp_path: Path
) -> None:
    session = sign_in()
    make_keys(tmp_path)
    for command in (
        ["inspect", session.id],
        ["inspect", session.id, "--principal", "42"],
        ["list", "42"],
        ["end", session.id, "--principal", "42", "--yes"],
        ["end", "--principal", "42", "--yes"],
    ):
        assert operator.run(*command, "--keys", str(tmp_path)) == 1
        assert "or --keys are another platform's" in operator.err, command


def test_it_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert re.fullmatch(r"polysession \d+\.\d+\.\d+\S*\n", capsys.readouterr().out)


def test_wrong_usage_is_exit_code_2(operator: Any) -> None:
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
