"""What the log says where the store gives no answer: the cause, once a node in 30 s, and nothing that is secret."""

from __future__ import annotations

import contextlib
import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polysession
import pytest
from polysession.core.errors import StoreUnavailable
from polysession.stores.complaints import SECONDS, Complaints
from polysession.stores.pool import Node
from polysession.testing import make_keys
from redis.exceptions import ConnectionError, ResponseError

PATIENT = 5000  # milliseconds: what fails at once, fails so on a busy machine, too
ONE, TWO = Node("10.0.0.1", 6379), Node("10.0.0.2", 6379)


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def said(caplog: Any) -> list[str]:
    return [
        one.getMessage() for one in caplog.records if (one.name, one.levelname) == ("polysession", "WARNING")
    ]


def test_a_node_is_complained_about_once_in_30_seconds_and_the_next_line_counts_the_others(
    caplog: Any,
) -> None:
    now = 0.0
    complaints = Complaints(lambda: now)
    for _ in range(5):
        complaints.about(ONE, ConnectionError("Connection refused."))
    complaints.about(TWO, ConnectionError("timed out"))
    now = SECONDS
    complaints.about(ONE, ConnectionError("Connection refused."))
    begin = "the session store's node"
    assert said(caplog) == [
        f"{begin} 10.0.0.1:6379 gave no answer: Connection refused.",
        f"{begin} 10.0.0.2:6379 gave no answer: timed out",
        f"{begin} 10.0.0.1:6379 gave no answer: Connection refused.; 4 times more since the last line",
    ]


def test_a_redis_that_is_no_cluster_is_told_what_it_must_be(caplog: Any) -> None:
    Complaints(lambda: 0.0).about(ONE, ResponseError("This instance has cluster support disabled"))
    assert said(caplog)[0].endswith("(it must be a Redis Cluster's: cluster-enabled yes)")


def test_a_store_that_nobody_runs_is_logged_once_with_its_cause_and_without_the_password(caplog: Any) -> None:
    nodes = f"127.0.0.1:{closed_port()}"
    manager = polysession.connect(
        nodes, make_keys(), username="ada", password="of nobody's business", deadline_ms=PATIENT
    )
    for _ in range(5):
        with pytest.raises(StoreUnavailable):
            manager.ping()
    assert len(said(caplog)) == 1
    assert nodes in said(caplog)[0]
    assert "refused" in said(caplog)[0]
    assert "business" not in caplog.text
    manager.close()


def test_a_plain_port_in_place_of_tls_is_asked_about(silent_port: int, caplog: Any) -> None:
    manager = polysession.connect(f"rediss://127.0.0.1:{silent_port}", make_keys(), deadline_ms=2000)
    with pytest.raises(StoreUnavailable, match=r"does it speak TLS\?"):
        manager.ping()
    assert "does it speak TLS?" in said(caplog)[0]
    manager.close()


def test_a_credential_file_that_is_gone_is_named_without_its_folder(tmp_path: Path, caplog: Any) -> None:
    file = tmp_path / "password"
    file.write_text("secret")
    manager = polysession.connect(
        f"127.0.0.1:{closed_port()}", make_keys(), password_file=file, deadline_ms=PATIENT
    )
    file.unlink()
    with contextlib.suppress(StoreUnavailable):
        manager.ping()
    assert "the credentials file password cannot be read" in said(caplog)[0]
    manager.close()


def test_an_answer_is_nothing_to_log(shared_store: Any, caplog: Any) -> None:
    caplog.set_level(logging.WARNING)
    shared_store.ping()
    assert said(caplog) == []
