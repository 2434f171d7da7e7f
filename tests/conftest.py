"""The running platform of `local.testing`, and a person who uses it."""

from __future__ import annotations

import pytest

from tests.person import Person

pytest_plugins = ["local.testing"]


@pytest.fixture
def person(edge_url: str) -> Person:
    """Somebody who has signed up and is not signed in."""
    return Person(edge_url).sign_up()
