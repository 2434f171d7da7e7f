"""Failed sign-ins are limited, for an account and for an address; counted on the Redis Cluster."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from limits import parse
from limits.storage import MemoryStorage
from users.config import get_config
from users.sessions import throttle as module
from users.sessions.throttle import Throttle, ThrottleUnavailable, TooManyAttempts, make_storage

PASSWORD = "correct horse battery staple"


def fail(person: Any, name: str) -> Any:
    return person.ask("POST", "sessions", {"username": name, "password": "wrong"})


def test_after_five_failures_the_account_is_429_even_with_the_right_password(new_person: Any, problem: Any):
    person = new_person().sign_up()
    for _ in range(5):
        # From wherever: it is the account that is counted.
        problem(fail(new_person(), person.name), 401)
    answer = new_person().ask("POST", "sessions", {"username": person.name.upper(), "password": PASSWORD})
    problem(answer, 429)
    assert 0 < int(answer["Retry-After"]) <= 60
    assert "session" not in answer.cookies


def test_sign_ins_that_succeed_are_not_counted(new_person: Any):
    person = new_person().sign_up()
    for _ in range(7):
        person.sign_in()


def test_an_unknown_name_is_limited_like_a_known_one(stranger: Any, problem: Any):
    for _ in range(5):
        problem(fail(stranger, stranger.name), 401)
    problem(fail(stranger, stranger.name), 429)


def test_an_address_is_limited_over_all_its_accounts(stranger: Any, problem: Any, monkeypatch: Any):
    config = get_config()
    strict = Throttle(lambda: make_storage(config), account=config.account_limit, address=parse("3/minute"))
    monkeypatch.setattr("users.sessions.backend.get_throttle", lambda: strict)
    for number in range(3):
        problem(fail(stranger, f"nobody-{number}"), 401)
    problem(fail(stranger, "nobody-else"), 429)
    problem(fail(type(stranger)(), "nobody-else"), 401)


def test_without_an_answer_from_the_counters_nobody_is_let_in(
    new_person: Any, problem: Any, monkeypatch: Any
):
    person = new_person().sign_up()
    dead = get_config().model_copy(update={"redis_nodes": (("127.0.0.1", 7549),)})
    away = Throttle(lambda: make_storage(dead), account=dead.account_limit, address=dead.address_limit)
    monkeypatch.setattr("users.sessions.backend.get_throttle", lambda: away)
    answer = person.ask("POST", "sessions", {"username": person.name, "password": PASSWORD})
    problem(answer, 503)
    assert answer["Retry-After"]
    assert "session" not in answer.cookies


def test_a_throttle_whose_storage_was_away_works_when_it_is_back():
    tries: list[int] = []

    def make() -> MemoryStorage:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("away")
        return MemoryStorage()

    throttle = Throttle(make, account=parse("1/minute"), address=parse("9/minute"))
    with pytest.raises(ThrottleUnavailable):
        throttle.check("ada", "192.0.2.1")
    throttle.check("ada", "192.0.2.1")
    throttle.count_failure("ada", "192.0.2.1")
    with pytest.raises(TooManyAttempts):
        throttle.count_failure("ADA", "192.0.2.2")
    throttle.check("bob", "192.0.2.1")


def test_names_are_not_kept_in_the_store():
    config, name = get_config(), f"ada-{secrets.token_hex(6)}"
    storage = make_storage(config)
    seen: list[str] = []
    throttle = Throttle(lambda: storage, account=config.account_limit, address=config.address_limit)
    for _, key in throttle._limits(name, "192.0.2.1"):
        seen.append(key)
    assert name not in "".join(seen)


def test_counting_has_the_time_of_one_operation_of_the_store(monkeypatch: Any):
    told: dict[str, Any] = {}
    monkeypatch.setattr(module, "storage_from_string", lambda *_, **options: told.update(options))
    make_storage(get_config().model_copy(update={"store_deadline_ms": 700}))
    assert (told["socket_timeout"], told["socket_connect_timeout"]) == (0.7, 0.7)
