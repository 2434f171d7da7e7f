"""The ledger's tables in a PostgreSQL database of the test run's own; each test's work is rolled back."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from polysession.stores.ledger import SCHEMA


@pytest.fixture(scope="session")
def _schema() -> Iterator[str]:
    url = os.environ.get("TEST_USERS_DATABASE_URL")
    if not url:
        pytest.fail("TEST_USERS_DATABASE_URL is not set: `make test` starts the servers and sets it.")
    name = f"ledger_{secrets.token_hex(4)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
        connection.execute(f"SET search_path TO {name}")
        connection.execute(SCHEMA)  # type: ignore[call-overload]
    yield name
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA {name} CASCADE")


@pytest.fixture
def connection(_schema: str) -> Iterator[Any]:
    with psycopg.connect(os.environ["TEST_USERS_DATABASE_URL"]) as one:
        one.execute(f"SET search_path TO {_schema}")  # type: ignore[call-overload]
        yield one
        one.rollback()
