"""User and password from files that may change, and TLS."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from polysession import AsyncSessionManager, connect
from polysession.core.errors import StoreUnavailable
from polysession.core.record import Record
from polysession.stores.redis import RedisStore
from polysession.testing import make_address, make_keys, make_record

from .conftest import free_ports, until


def _everywhere(damageable: Any, *words: str) -> None:
    for port in damageable.ports:
        damageable.command(port, *words)


def test_a_password_file_that_changed_is_read_again(
    damageable: Any, redis_prefix: str, tmp_path: Path
) -> None:
    user, password = tmp_path / "user", tmp_path / "password"
    user.write_text("app\n")
    password.write_text("first\n")
    store = RedisStore(damageable.nodes, prefix=redis_prefix, username_file=user, password_file=password)
    try:
        _everywhere(damageable, "ACL SETUSER", "app", "on", ">first", "~*", "&*", "+@all")
        until(lambda: store.ping() is None, "the user may come in")
        _everywhere(damageable, "ACL SETUSER", "app", "resetpass", ">second")
        _everywhere(damageable, "CLIENT KILL", "USER", "app")
        with pytest.raises(StoreUnavailable):
            store.read(make_address())
        password.write_text("second")
        until(lambda: store.read(make_address()) is None, "the new password is used", seconds=5)
        password.unlink()
        _everywhere(damageable, "CLIENT KILL", "USER", "app")
        with pytest.raises(StoreUnavailable, match="credentials file password") as caught:
            store.read(make_address())
        assert "second" not in str(caught.value)
    finally:
        _everywhere(damageable, "ACL DELUSER", "app")
        store.close()


@pytest.fixture
def secure_node(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A cluster of one node that speaks nothing but TLS: its port, and the certificate of its authority."""
    port, bus = free_ports(2)
    key, certificate = tmp_path / "node.key", tmp_path / "node.pem"
    request = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1"
    )
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*request.split(), *names], check=True, capture_output=True)
    options = {
        **{"port": 0, "tls-port": port, "cluster-port": bus, "tls-cluster": "yes", "bind": "127.0.0.1"},
        **{"tls-cert-file": certificate, "tls-key-file": key, "tls-ca-cert-file": certificate},
        **{"tls-auth-clients": "no", "cluster-enabled": "yes", "save": "", "dir": tmp_path},
        "logfile": "redis.log",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    process = subprocess.Popen(["redis-server", *words])
    client: Any = redis.Redis("127.0.0.1", port, ssl=True, ssl_ca_certs=str(certificate))
    try:
        until(lambda: bool(client.ping()), "the node answers")
        client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        until(lambda: "cluster_state:ok" in str(client.execute_command("CLUSTER", "INFO")), "it serves")
        yield port, certificate
    finally:
        client.close()
        process.kill()
        process.wait()


def test_tls_is_spoken_and_the_node_is_verified(secure_node: tuple[int, Path]) -> None:
    port, certificate = secure_node
    nodes, address = f"rediss://127.0.0.1:{port}", make_address()
    manager = connect(nodes, make_keys(), ca_file=certificate, deadline_ms=5000)
    manager.ping()
    session = manager.open(None)
    session["cart"] = 1
    session.commit()
    assert dict(manager.open(session.token)) == {"cart": 1}
    manager.close()
    stranger = connect(nodes, make_keys(), deadline_ms=5000)
    with pytest.raises(StoreUnavailable, match="certificate verify failed"):
        stranger.ping()
    stranger.close()
    plain = RedisStore([("127.0.0.1", port)], deadline_ms=5000)
    with pytest.raises(StoreUnavailable):
        plain.read(address)
    plain.close()
    secure = RedisStore([("127.0.0.1", port)], deadline_ms=5000, tls=True, ca_file=certificate, confirm=False)
    secure.create(address, make_record(secure.now()))
    assert isinstance(secure.read(address), Record)
    secure.close()


def test_tls_is_spoken_and_the_node_is_verified_on_an_event_loop(secure_node: tuple[int, Path]) -> None:
    port, certificate = secure_node
    nodes = f"rediss://127.0.0.1:{port}"

    async def main() -> None:
        known = AsyncSessionManager(
            connect(nodes, make_keys(), ca_file=certificate, deadline_ms=5000, asynchronous=True)
        )
        session = await known.open(None)
        session["cart"] = 1
        await known.commit(session)
        assert dict(await known.open(session.token)) == {"cart": 1}
        known.close()
        stranger = AsyncSessionManager(connect(nodes, make_keys(), deadline_ms=5000, asynchronous=True))
        with pytest.raises(StoreUnavailable, match="certificate verify failed"):
            await stranger.ping()
        stranger.close()

    asyncio.run(main())
