"""docs/troubleshooting.md: its two commands make a cluster, and `polysession stats` says what the page says it does."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import polysession
import pytest
from polysession.keys import make_keys

PAGE = (Path(__file__).parents[4] / "docs" / "troubleshooting.md").read_text()
START, JOIN = re.findall(r"^\$ (.*)$", PAGE, re.MULTILINE)
TABLE = PAGE.split("## 503 at every request")[1].split("\n## ")[0]
DEADLINE = 120
Server = Callable[..., int]


def free_port() -> int:
    """A node's bus is 10,000 above. Neither is one that the kernel gives to outgoing connections (from 32768)."""
    for port in range(11000 + time.monotonic_ns() // 1000 % 10000, 22000):
        with closing(socket.socket()) as one, closing(socket.socket()) as bus:
            try:
                one.bind(("127.0.0.1", port))
                bus.bind(("127.0.0.1", port + 10000))
            except OSError:
                continue
        return port
    raise AssertionError("no free port")


def ask(port: int, *words: str) -> str:
    done = subprocess.run(["redis-cli", "-p", str(port), *words], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def until(promise: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + DEADLINE
    while not promise():
        assert time.monotonic() < end, f"not within {DEADLINE} s: {what}"
        time.sleep(0.1)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Server]:
    """Starts a redis-server with these words, and gives its port once it answers."""
    running: list[subprocess.Popen[bytes]] = []

    def run(*words: str) -> int:
        port, folder = free_port(), tmp_path / str(len(running))
        folder.mkdir()
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", *words]
        running.append(subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL))
        until(lambda: re.search("PONG|NOAUTH", ask(port, "ping")) is not None, "an answer to PING")
        return port

    yield run
    for process in running:
        process.terminate()
    for process in running:
        process.wait(DEADLINE)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    make_keys(tmp_path / "keys")
    return tmp_path / "keys"


def stats(nodes: str, keys: Path) -> str:
    command = [sys.executable, "-m", "polysession", "stats", "--nodes", nodes, "--keys", str(keys)]
    command += ["--deadline-ms", "10000"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


def test_two_commands_make_a_cluster_that_signs_out_with_202(start: Server, keys: Path) -> None:
    assert START.startswith("redis-server --port 7001 ")
    port = start(*START.split()[3:5])
    assert "--daemonize yes" in START
    assert "OK" in ask(port, *JOIN.split()[3:])
    until(lambda: "cluster_state:ok" in ask(port, "cluster", "info"), "cluster_state:ok")
    manager = polysession.connect(f"127.0.0.1:{port}", keys, deadline_ms=30_000)
    session = manager.open(None)
    session["cart"] = ["book"]
    session.commit()
    assert manager.open(session.token)["cart"] == ["book"]
    session.end()
    assert not session.end_confirmed
    assert not manager.open(session.token).exists
    manager.close()


def test_stats_names_the_causes_of_the_page(start: Server, keys: Path) -> None:
    cluster = ("--cluster-enabled", "yes")
    causes = {
        "This instance has cluster support disabled": start(),
        "knows no slots": start(*cluster),
        "HELLO must be called with the client already authenticated": start(*cluster, "--requirepass", "x"),
        "Connection refused": free_port(),
    }
    for said, port in causes.items():
        assert f"`{said}`" in TABLE
        assert said in stats(f"127.0.0.1:{port}", keys)
