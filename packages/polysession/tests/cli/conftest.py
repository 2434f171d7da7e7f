"""Apps to audit, served by gunicorn with TLS on this machine, and what they keep their sessions in."""

from __future__ import annotations

import datetime
import ipaddress
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

APPS = Path(__file__).parent / "apps"
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
    from polysession.keys import make_keys

    directory = tmp_path_factory.mktemp("keys") / "session"
    make_keys(directory)
    return directory


@pytest.fixture
def prefix() -> str:
    return f"cli-{secrets.token_hex(6)}"
