"""The port of a process that serves nobody else."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request

import pytest
from chassis.endpoint import no_application, serve
from chassis.health import Health, HealthEndpoints


def ask(port: int, path: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_it_answers_probes_and_scrapes_and_nothing_else() -> None:
    health = Health({"database": lambda: None})
    with serve("127.0.0.1:0", HealthEndpoints(no_application, health)) as port:
        assert ask(port, "/livez")[0] == 200
        assert ask(port, "/readyz")[0] == 503
        health.check("database", lambda: None)
        assert ask(port, "/readyz")[0] == 200
        assert b"service_ready" in ask(port, "/metrics")[1]
        assert ask(port, "/")[0] == 404
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=1):
        pass


def test_a_client_that_says_nothing_keeps_nobody_waiting() -> None:
    health = Health({})
    with (
        serve("127.0.0.1:0", HealthEndpoints(no_application, health)) as port,
        socket.create_connection(("127.0.0.1", port)),
    ):
        assert ask(port, "/livez")[0] == 200
