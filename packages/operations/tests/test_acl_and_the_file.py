"""The append-only file is read under the rules, too: what was written is there after a restart."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
from operations.acl import USERS, hash_password, render_acl

from .nodes_for_tests import _free_port

TWO_WRITES = (
    "redis.call('HSET', KEYS[1], '', 'header'); redis.call('HSET', KEYS[1], 'name', 'value'); return 1"
)


def start(folder: Path, port: int) -> tuple[subprocess.Popen[bytes], Any]:
    options = (
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--dir",
        str(folder),
        "--appendonly",
        "yes",
        "--save",
        "",
    )
    words = ["redis-server", *options, "--aclfile", str(folder / "users.acl"), "--logfile", "redis.log"]
    process = subprocess.Popen(words)
    client: Any = redis.Redis(
        "127.0.0.1", port, username="sessions", password="sessions", decode_responses=True
    )
    until = time.monotonic() + 120
    while True:
        try:
            client.ping()
            return process, client
        except redis.ConnectionError:
            time.sleep(0.05)
        if time.monotonic() > until:
            process.kill()
            process.wait()
            raise AssertionError((folder / "redis.log").read_text())


@contextmanager
def running(folder: Path) -> Iterator[tuple[Any, Any]]:
    """The services' client, and one of nobody."""
    port = _free_port()
    process, client = start(folder, port)
    stranger: Any = redis.Redis("127.0.0.1", port)
    try:
        yield client, stranger
    finally:
        client.close()
        stranger.close()
        os.kill(process.pid, signal.SIGTERM)
        process.wait(120)


EXACT = {"": "header", "name": "value"}


def ours() -> str:
    rules = render_acl({user: [hash_password(user)] for user in USERS}, prefix="ps").splitlines()
    return next(line for line in rules if line.startswith("user default "))


@pytest.mark.parametrize(
    ("default", "kept"),
    [
        pytest.param("user default off", False, id="bare"),  # docs/pitfalls.md; ours would be pointless else
        pytest.param(ours(), True, id="ours"),
    ],
)
def test_what_was_written_at_once_is_there_after_a_restart_unless_default_has_no_rights(
    folder: Path, default: str, kept: bool
):
    # The other lines of ours name commands that came after Redis 7.0.
    (folder / "users.acl").write_text(f"{default}\nuser sessions on >sessions ~ps:* +@all\n")
    with running(folder) as (client, stranger):
        client.eval(TWO_WRITES, 1, "ps:script")
        with client.pipeline(transaction=True) as transaction:
            transaction.hset("ps:multi", mapping={"": "header"}).hset("ps:multi", "name", "value").execute()
        client.hset("ps:single", mapping=EXACT)
        with pytest.raises(redis.AuthenticationError):
            stranger.ping()
    with running(folder) as (client, stranger):
        found = {name: client.hgetall(f"ps:{name}") for name in ("script", "multi", "single")}
        with pytest.raises(redis.AuthenticationError):
            stranger.ping()
    at_once = EXACT if kept else {}
    assert found == {"script": at_once, "multi": at_once, "single": EXACT}
