from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from orders.database import Base, Database, SchemaBehind
from orders.migrate import migrate
from sqlalchemy import text


def test_an_empty_database_is_behind_and_a_migrated_one_is_not(make_database):
    url = make_database()
    database = Database(url)
    with pytest.raises(SchemaBehind):
        database.check_schema()
    migrate(url)
    database.check_schema()
    database.check()
    with database.begin() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.check_schema()  # a newer release migrated it: this one still runs
    with database.begin() as session:
        session.execute(text("DELETE FROM alembic_version"))
    with pytest.raises(SchemaBehind):
        database.check_schema()
    database.close()


def test_a_release_that_was_rolled_back_leaves_the_newer_schema_alone(make_database):
    """Its migration Job runs again, and must succeed, or the rollback would not."""
    url = make_database()
    migrate(url)
    database = Database(url)
    with database.begin() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        session.execute(text("UPDATE products SET name = 'of the newer release' WHERE position = 0"))
    assert migrate(url) == 0
    with database.begin() as session:
        assert session.scalar(text("SELECT version_num FROM alembic_version")) == "9999"
        assert session.scalar(text("SELECT name FROM products WHERE position = 0")) == "of the newer release"
    database.close()


def test_the_migrations_make_what_the_models_say(database_url):
    database = Database(database_url)
    with database.engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    database.close()
    assert differences == []


def test_releases_that_start_at_once_migrate_once(make_database):
    url = make_database()
    results: list[object] = []

    def run() -> None:
        try:
            results.append(migrate(url))
        except Exception as error:
            results.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [36, 36, 36]


def run_module(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "orders.migrate", *arguments],
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_names_every_missing_setting():
    done = run_module()
    assert done.returncode == 2
    assert "DATABASE_URL" in done.stderr
    assert "DATABASE_PASSWORD_FILE" in done.stderr


def test_the_command_needs_the_database_and_nothing_else(make_database, address_of, tmp_path):
    url = make_database()
    (tmp_path / "password").write_text(url.password)
    settings = {"DATABASE_URL": address_of(url), "DATABASE_PASSWORD_FILE": str(tmp_path / "password")}
    done = run_module(**settings)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"products": 36' in done.stdout
    address = f"postgresql://{url.username}@127.0.0.1:1/{url.database}"
    done = run_module(**{**settings, "DATABASE_URL": address})
    assert done.returncode == 1
    assert "migration_failed" in done.stdout


def test_a_database_that_starts_later_is_waited_for(make_database, address_of, tmp_path):
    url = make_database()
    (tmp_path / "password").write_text(url.password)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    address = f"postgresql://{url.username}@127.0.0.1:{port}/{url.database}"
    later = threading.Timer(1, forward, (port, url.host, url.port))
    later.start()
    settings = {"DATABASE_URL": address, "DATABASE_PASSWORD_FILE": str(tmp_path / "password")}
    done = run_module("--wait", "30", **settings)
    later.join()
    assert done.returncode == 0, done.stdout + done.stderr


def forward(port: int, host: str, to: int) -> None:
    """One connection, until both ends are done."""
    with socket.create_server(("127.0.0.1", port)) as server:
        server.settimeout(30)
        near, _ = server.accept()
    with near, socket.create_connection((host, to)) as far:
        other = {near: far, far: near}
        while True:
            readable, _, _ = select.select([near, far], [], [], 30)
            for one in readable:
                if not (data := one.recv(65536)):
                    return
                other[one].sendall(data)
