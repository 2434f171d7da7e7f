"""The Redis Cluster of production: TLS, and a user with a password, for sessions and for counters."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from users.config import Config, get_config
from users.sessions import manager as manager_module
from users.sessions.throttle import Throttle, ThrottleUnavailable, make_storage


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Config]:
    """Settings for a cluster of one node that speaks nothing but TLS and lets in nobody but `sessions`."""
    port, bus = free_ports(2)
    key, certificate, password = tmp_path / "node.key", tmp_path / "node.pem", tmp_path / "password"
    password.write_text("first\n")
    request = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1"
    )
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*request.split(), *names], check=True, capture_output=True)
    (tmp_path / "users.acl").write_text(
        "user default off\n"
        "user sessions on >first ~ps:* &* +@all -@dangerous +cluster|slots +cluster|shards +cluster|nodes\n"
        "user test on >test ~* &* +@all\n"
    )
    options = {
        **{"port": 0, "tls-port": port, "cluster-port": bus, "tls-cluster": "yes", "bind": "127.0.0.1"},
        **{"tls-cert-file": certificate, "tls-key-file": key, "tls-ca-cert-file": certificate},
        **{"tls-auth-clients": "no", "cluster-enabled": "yes", "save": "", "dir": tmp_path},
        **{"logfile": "redis.log", "aclfile": tmp_path / "users.acl"},
    }
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    process = subprocess.Popen(["redis-server", *words])
    client: Any = redis.Redis(
        "127.0.0.1", port, ssl=True, ssl_ca_certs=str(certificate), username="test", password="test"
    )
    try:
        until(client.ping)
        client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        until(lambda: "cluster_state:ok" in str(client.execute_command("CLUSTER", "INFO")))
        yield get_config().model_copy(
            update={
                **{
                    "redis_nodes": (("127.0.0.1", port),),
                    "redis_username": "sessions",
                    "session_prefix": "ps",
                },
                **{"redis_password_file": password, "redis_tls_ca_file": certificate},
            }
        )
    finally:
        client.close()
        process.kill()
        process.wait()


def until(answered: Any) -> None:
    end = time.monotonic() + 20
    while True:
        try:
            if answered():
                return
        except redis.RedisError:
            pass
        assert time.monotonic() < end
        time.sleep(0.05)


def test_failed_sign_ins_are_counted_over_tls_by_a_user_with_a_password(guarded: Config):
    throttle = Throttle(
        lambda: make_storage(guarded), account=guarded.account_limit, address=guarded.address_limit
    )
    throttle.count_failure("ada", "10.0.0.1")
    throttle.check("ada", "10.0.0.1")
    assert guarded.redis_password_file is not None
    guarded.redis_password_file.write_text("wrong")
    refused = Throttle(
        lambda: make_storage(guarded), account=guarded.account_limit, address=guarded.address_limit
    )
    with pytest.raises(ThrottleUnavailable):
        refused.check("ada", "10.0.0.1")


def test_sessions_are_kept_over_tls_by_a_user_with_a_password(guarded: Config, monkeypatch: Any):
    monkeypatch.setattr(manager_module, "get_config", lambda: guarded)
    manager = manager_module.make_manager()
    manager.ping()
    manager.close()
