"""Apps to audit, served by gunicorn with TLS on this machine, and what they keep their sessions in; an operator at a
terminal.
"""

from __future__ import annotations

import datetime
import io
import ipaddress
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from polysession import Device, SessionManager, SessionSettings, connect
from polysession.cli import Terminal, main
from polysession.keys import make_keys
from polysession.stores.ledger import SCHEMA

APPS = Path(__file__).parent / "apps"
DEVICE = Device("Mozilla/5.0 (X11; Linux x86_64) \x1b[31mred", "192.0.2.7")
USER, PASSWORD = "ada", "correct horse battery staple"


@dataclass(frozen=True)
class Certificate:
    """For 127.0.0.1, signed by itself."""

    file: Path
    key: Path


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    files = Certificate(folder / "cert.pem", folder / "key.pem")
    files.file.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def wait_for(answers: Callable[[], bool], process: subprocess.Popen[bytes], what: str) -> None:
    end = time.monotonic() + 30
    while not answers():
        assert process.poll() is None, f"{what} ended with {process.returncode}"
        assert time.monotonic() < end, f"{what} does not answer within 30 s"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def plain_redis() -> Iterator[int]:
    """The port of a Redis that is no cluster: the stock stacks cannot use one."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]

    def answers() -> bool:
        try:
            with redis.Redis(port=port, socket_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(answers, process, "redis-server")
            yield port
        finally:
            process.terminate()


@pytest.fixture(name="free_port")
def _free_port() -> Callable[[], int]:
    return free_port


Serve = Callable[..., str]


@pytest.fixture(scope="session")
def serve(certificate: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """``serve("stock_flask:app", NAME=value, …)``: the app's origin. Stopped at the end."""
    with ExitStack() as stack:

        def start(app: str, **environment: str) -> str:
            port = free_port()
            command = [sys.executable, "-m", "gunicorn", app, "--bind", f"127.0.0.1:{port}"]
            command += ["--worker-class", "gthread", "--threads", "16", "--log-level", "error"]
            command += ["--certfile", str(certificate.file), "--keyfile", str(certificate.key)]
            command += ["--worker-tmp-dir", str(tmp_path_factory.mktemp("gunicorn"))]
            given = {**os.environ, **environment, "STOCK_USER": USER, "STOCK_PASSWORD": PASSWORD}
            process = stack.enter_context(subprocess.Popen(command, cwd=APPS, env=given))
            stack.callback(process.send_signal, signal.SIGQUIT)  # at once
            wait_for(lambda: _listens(port), process, app)
            return f"https://127.0.0.1:{port}"

        yield start


def _listens(port: int) -> bool:
    with socket.socket() as one:
        one.settimeout(1)
        return one.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("keys") / "session"
    make_keys(directory)
    return directory


@pytest.fixture
def prefix() -> str:
    return f"cli-{secrets.token_hex(6)}"


# --- an operator


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


@pytest.fixture
def sign_in(manager: SessionManager) -> Callable[..., Any]:
    def sign_in(principal: str = "42", **attributes: Any) -> Any:
        session = manager.open(None, device=DEVICE)
        session.update(attributes)
        session.sign_in(principal, generation=0)
        session.commit()
        return session

    return sign_in


@pytest.fixture
def dsn(prefix: str) -> Iterator[str]:
    """A schema of the test's own, named in the DSN; the password in a file."""
    url = os.environ.get("TEST_USERS_DATABASE_URL")
    assert url, "TEST_USERS_DATABASE_URL is not set: `make test` starts the servers and sets it"
    name = f"cli_{prefix.removeprefix('cli-')}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
        connection.execute(f"SET search_path TO {name}")
        connection.execute(SCHEMA)  # type: ignore[call-overload]
    yield f"{url}?options=-csearch_path%3D{name}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {name} CASCADE")
