"""The service as it runs: migrated by its command, served by gunicorn, stopped by SIGTERM."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

SERVICE = Path(__file__).parent.parent
PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A database and a key prefix of its own."""
    url = os.environ["TEST_USERS_DATABASE_URL"]
    name = f"users_process_{secrets.token_hex(4)}"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield {
            **os.environ,
            "DATABASE_URL": urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl(),
            "BIND": f"127.0.0.1:{port}",
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "SESSION_PREFIX": name,
            "PROMETHEUS_MULTIPROC_DIR": str(tmp_path_factory.mktemp("pod") / "metrics"),  # not there yet
        }
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_migrations_that_start_at_once_run_one_after_the_other(environment: dict[str, str]):
    """Before anything else here has migrated: each finds an empty database, or one that is done."""
    command = [sys.executable, "manage.py", "migrate", "--no-input", "--wait", "10"]
    under_way = [
        subprocess.Popen(
            command, cwd=SERVICE, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    outputs = [process.communicate(timeout=120) for process in under_way]
    assert [process.returncode for process in under_way] == [0, 0, 0], outputs
    assert sorted("No migrations to apply" in told for told, _ in outputs) == [False, True, True]


def test_a_database_that_starts_later_is_waited_for(environment: dict[str, str]):
    """Longer than the pool waits for a connection, which is how long the system checks would."""
    database = urlsplit(environment["DATABASE_URL"])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    address = database._replace(netloc=f"{database.username}@127.0.0.1:{port}").geturl()
    command = [sys.executable, "manage.py", "migrate", "--no-input", "--wait", "60"]
    process = subprocess.Popen(
        command,
        cwd=SERVICE,
        env={**environment, "DATABASE_URL": address},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(8)
    with socket.create_server(("127.0.0.1", port)) as server:
        threading.Thread(
            target=forward, args=(server, (database.hostname, database.port)), daemon=True
        ).start()
        _, told = process.communicate(timeout=90)
    assert process.returncode == 0, told


def forward(server: socket.socket, to: tuple[str | None, int | None]) -> None:
    """Every connection, until the server is closed."""
    while True:
        try:
            near, _ = server.accept()
        except OSError:
            return
        far = socket.create_connection(to)
        for one, other in ((near, far), (far, near)):
            threading.Thread(target=pipe, args=(one, other), daemon=True).start()


def pipe(one: socket.socket, other: socket.socket) -> None:
    with one, suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("log") / "gunicorn.log"


@pytest.fixture(scope="module")
def service(environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    migrate = [sys.executable, "manage.py", "migrate", "--no-input"]
    subprocess.run(migrate, cwd=SERVICE, env=environment, check=True, stdout=subprocess.DEVNULL)
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "users.wsgi:application"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=SERVICE, env=environment, stdout=output, stderr=output)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


@pytest.fixture
def visitor(service: Any, environment: dict[str, str], log: Path) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=environment["PUBLIC_URL"], timeout=20, trust_env=False) as client:
        until = time.monotonic() + 30
        while not ready(client):
            assert service.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.2)
        yield client


def ready(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


def test_a_person_signs_up_and_in_and_is_counted(visitor: httpx.Client, log: Path):
    name = f"ada-{secrets.token_hex(4)}"
    for path, body in (
        ("accounts", {"username": name, "email": f"{name}@example.org", "password": PASSWORD}),
        ("sessions", {"username": name, "password": PASSWORD}),
    ):
        headers = {"X-CSRF-Token": visitor.get("/api/users/csrf").json()["csrf_token"]}
        assert visitor.post(f"/api/users/{path}", json=body, headers=headers).status_code == 201
    answer = visitor.get("/api/users/me")
    assert (answer.status_code, answer.json()["username"]) == (200, name)
    metrics = visitor.get("/metrics").text
    assert "polysession_sessions_live 1.0" in metrics
    assert 'polysession_sessions_created_total{kind="signed_in"} 1.0' in metrics
    assert 'http_route="/api/users/me"' in metrics
    written = log.read_text()
    assert visitor.cookies["session"] not in written
    assert PASSWORD not in written


def test_every_worker_finds_its_dependencies_well(visitor: httpx.Client):
    wanted = {f'service_dependency_up{{dependency="{name}"}} 1.0' for name in ("database", "schema", "store")}
    until = time.monotonic() + 20
    while not wanted <= set(visitor.get("/metrics").text.splitlines()):
        assert time.monotonic() < until, visitor.get("/readyz").text
        time.sleep(0.2)


def test_a_body_above_the_limit_is_413(visitor: httpx.Client):
    answer = visitor.post("/api/users/sessions", content=b" " * 1_048_577)
    assert (answer.status_code, answer.headers["Content-Type"]) == (413, "application/problem+json")


def test_the_admins_files_and_login_are_served(visitor: httpx.Client):
    assert visitor.get("/api/users/static/admin/css/base.css").status_code == 200
    page = visitor.get("/api/users/admin/login/")
    assert page.status_code == 200
    assert "Almanac accounts" in page.text


def test_it_stops_by_itself_when_told_to(service: Any, visitor: httpx.Client, log: Path):
    service.send_signal(signal.SIGTERM)
    assert service.wait(timeout=30) == 0
    written = log.read_text()
    assert "Traceback" not in written
    assert "lifecycle_callback_failed" not in written


def test_the_keeper_stops_at_once_and_cleanly(service: subprocess.Popen[bytes], environment: dict[str, str]):
    """Python 3.13 tells of a connection pool that was left open, and waits 5 s for each of its threads."""
    del service  # it has migrated
    command = [sys.executable, "manage.py", "keeper", "--once"]
    done = subprocess.run(command, cwd=SERVICE, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "couldn't stop thread" not in done.stdout + done.stderr


def test_the_keeper_tells_probes_and_prometheus_how_it_is(
    service: subprocess.Popen[bytes], environment: dict[str, str], tmp_path: Path
):
    del service  # it has migrated
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (tmp_path / "gauge_livemin_1.db").write_bytes(b"of a process that is gone")
    settings = {"KEEPER_BIND": f"127.0.0.1:{port}", "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    command = [sys.executable, "manage.py", "keeper", "--every", "0.2"]
    with (tmp_path / "log").open("wb") as output:
        process = subprocess.Popen(
            command, cwd=SERVICE, env={**environment, **settings}, stdout=output, stderr=output
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=5, trust_env=False) as client:
            wanted = ("polysession_keeper_leading 1.0", 'service_dependency_up{dependency="store"} 1.0')
            until = time.monotonic() + 30
            while not ready(client) or not all(one in client.get("/metrics").text for one in wanted):
                assert process.poll() is None, (tmp_path / "log").read_text()
                assert time.monotonic() < until, (tmp_path / "log").read_text()
                time.sleep(0.2)
            assert client.get("/livez").status_code == 200
            assert client.get("/api/users/me").status_code == 404
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=15) == 0
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
    assert '"service": "django-users-keeper"' in (tmp_path / "log").read_text()
