"""A part that gives no answer is 503 with Retry-After, and the cookie stays."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connections
from polysession import connect
from users.config import get_config

PAGE = {"Sec-Fetch-Mode": "navigate", "Accept": "text/html"}


@pytest.fixture
def dead_store(settings: Any) -> Any:
    """Call it: from then on no node answers."""
    config = get_config()

    def kill() -> None:
        settings.POLYSESSION_MANAGER = connect(
            "127.0.0.1:7549", config.session_keys_dir, settings=config.session_settings
        )

    return kill


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "me"),
        ("GET", "sessions"),
        ("GET", "sessions/current"),
        ("GET", "csrf"),
        ("GET", "admin/"),
        ("DELETE", "sessions/current"),
        ("DELETE", "sessions?scope=all"),
        ("PATCH", "me"),
    ],
)
def test_without_the_store_it_is_503_and_one_stays_signed_in(
    person: Any, dead_store: Any, problem: Any, settings: Any, method: str, path: str
):
    csrf, alive = person.csrf(), settings.POLYSESSION_MANAGER
    dead_store()
    answer = person.ask(method, path, {}, **{"X-CSRF-Token": csrf}, **PAGE)
    problem(answer, 503)
    assert int(answer["Retry-After"]) > 0
    assert not answer.cookies
    settings.POLYSESSION_MANAGER = alive
    assert person.get("/api/users/me").status_code == 200


def test_without_the_store_a_sign_in_is_503_and_gives_no_cookie(
    new_person: Any, dead_store: Any, problem: Any
):
    person = new_person().sign_up()
    csrf = person.csrf()
    dead_store()
    body = {"username": person.name, "password": "correct horse battery staple"}
    answer = person.ask("POST", "sessions", body, **{"X-CSRF-Token": csrf})
    problem(answer, 503)
    assert not answer.cookies


def test_without_a_session_the_document_needs_no_store(stranger: Any, dead_store: Any):
    dead_store()
    assert stranger.get("/api/users/openapi.json").status_code == 200


@pytest.mark.parametrize("path", ["me", "admin/accounts/account/"])
def test_without_the_database_it_is_503(staff: Any, problem: Any, monkeypatch: Any, path: str):
    def refuse(*_: object, **__: object) -> Any:
        raise OperationalError("the database gave no answer")

    with monkeypatch.context() as patched:
        patched.setattr(connections["default"], "cursor", refuse)
        answer = staff.get(f"/api/users/{path}")
    problem(answer, 503)
    assert answer["Retry-After"]
    assert not answer.cookies
