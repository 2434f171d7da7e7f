"""The append-only file is read under the rules, too: what was written is there after a restart."""

from __future__ import annotations

import os
import signal
import subprocess
import time
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
    until = time.monotonic() + 20
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


def test_what_a_script_wrote_is_there_after_a_restart(folder: Path):
    rules = render_acl({user: [hash_password(user)] for user in USERS}, prefix="ps").splitlines()
    default = next(line for line in rules if line.startswith("user default "))
    # The other lines name commands that came after Redis 7.0.
    (folder / "users.acl").write_text(f"{default}\nuser sessions on >sessions ~ps:* +@all\n")
    for wanted in ({}, {"": "header", "name": "value"}):
        port = _free_port()
        process, client = start(folder, port)
        stranger: Any = redis.Redis("127.0.0.1", port)
        try:
            assert client.hgetall("ps:one") == wanted
            client.eval(TWO_WRITES, 1, "ps:one")
            with pytest.raises(redis.AuthenticationError):
                stranger.ping()
        finally:
            client.close()
            stranger.close()
            os.kill(process.pid, signal.SIGTERM)
            process.wait(10)
