"""Django's own promises of a session engine: its ``SessionTestsMixin``, case by case under its names, on ours.

The mixin is in Django's source archive (tests/sessions_tests/tests.py, 5.2) and in no wheel, so these are its cases in
our own words; each runs by the synchronous methods and by the asynchronous ones. With ``DJANGO_SOURCE`` set to an
unpacked archive the mixin itself runs, too. The cases that contradict the design are listed in docs/django.md, with
reasons.
"""

from __future__ import annotations

import ast
import os
import re
import unittest
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.sessions.backends.base import UpdateError
from django.test import SimpleTestCase
from django.utils import timezone
from polysession.contrib.django import SessionStore
from polysession.core.errors import SessionEnded

DOCUMENT = Path(__file__).parents[5] / "docs" / "django.md"


class Held:
    """A session, used by Django's synchronous names or, each with an ``a`` before it, by its asynchronous ones."""

    def __init__(self, session: SessionStore, asynchronous: bool) -> None:
        self.session = session
        self._asynchronous = asynchronous

    def __getattr__(self, name: str) -> Any:
        if self._asynchronous and hasattr(self.session, f"a{name}"):
            return async_to_sync(getattr(self.session, f"a{name}"))
        return getattr(self.session, name)

    def set(self, name: str, value: object) -> None:
        if self._asynchronous:
            async_to_sync(self.session.aset)(name, value)
        else:
            self.session[name] = value

    def unused(self) -> None:
        """As if nothing had been asked of it."""
        self.session.accessed = self.session.modified = False

    @property
    def used(self) -> tuple[bool, bool]:
        return self.session.accessed, self.session.modified


Open = Callable[..., Held]


@pytest.fixture(params=["sync", "async"])
def opened(request: pytest.FixtureRequest) -> Open:
    return lambda key=None: Held(SessionStore(key), request.param == "async")


@pytest.fixture
def held(opened: Open) -> Held:
    return opened()


# --- the mapping


def test_new_session(held: Held) -> None:
    assert held.used == (False, False)


def test_get_empty(held: Held) -> None:
    assert held.get("cat") is None


def test_store(held: Held) -> None:
    held.set("cat", "dog")
    assert held.modified
    assert held.pop("cat") == "dog"


def test_pop(held: Held) -> None:
    held.set("some key", "exists")
    held.unused()
    assert held.pop("some key") == "exists"
    assert held.used == (True, True)
    assert held.get("some key") is None


def test_pop_default(held: Held) -> None:
    assert held.pop("some key", "does not exist") == "does not exist"
    assert held.used == (True, False)


def test_pop_default_named_argument(held: Held) -> None:
    assert held.pop("some key", default="does not exist") == "does not exist"
    assert held.used == (True, False)


def test_pop_no_default_keyerror_raised(held: Held) -> None:
    with pytest.raises(KeyError):
        held.pop("some key")


def test_setdefault(held: Held) -> None:
    assert held.setdefault("foo", "bar") == "bar"
    assert held.setdefault("foo", "baz") == "bar"
    assert held.used == (True, True)


def test_update(held: Held) -> None:
    held.update({"update key": 1})
    assert held.used == (True, True)
    assert held.get("update key", None) == 1


def test_has_key(held: Held) -> None:
    held.set("some key", 1)
    held.unused()
    assert held.has_key("some key")
    assert "some key" in held.session
    assert held.used == (True, False)


@pytest.mark.parametrize(
    ("view", "content"), [("values", [1]), ("keys", ["x"]), ("items", [("x", 1)])], ids=lambda one: str(one)
)
def test_values_keys_items(held: Held, view: str, content: list[Any]) -> None:
    assert list(getattr(held, view)()) == []
    held.set("x", 1)
    held.unused()
    assert list(getattr(held, view)()) == content
    assert held.used == (True, False)


def test_clear(held: Held) -> None:
    held.set("x", 1)
    held.unused()
    held.clear()
    assert list(held.items()) == []
    assert held.used == (True, True)


def test_test_cookie(held: Held) -> None:
    held.set_test_cookie()
    assert held.test_cookie_worked()
    held.delete_test_cookie()
    assert not held.has_key(held.TEST_COOKIE_NAME)


# --- the store


def test_save(held: Held) -> None:
    held.save()
    assert held.exists(held.session_key)


def test_delete(held: Held) -> None:
    held.save()
    key = held.session_key
    held.delete(key)
    assert not held.exists(key)


def test_flush(held: Held) -> None:
    held.set("foo", "bar")
    held.save()
    key = held.session_key
    held.flush()
    assert not held.exists(key)
    assert held.session_key is None
    assert held.used == (True, True)


def test_cycle_with_no_session_cache(held: Held, opened: Open) -> None:
    held.set("a", "c")
    held.set("b", "d")
    held.save()
    again = opened(held.session_key)
    again.cycle_key()
    assert dict(again.items()) == {"a": "c", "b": "d"}


def test_cycle_once_it_is_saved(held: Held) -> None:
    """Django's ``test_cycle``, with the save that our ``cycle_key`` waits for."""
    held.set("a", "c")
    held.save()
    key = held.session_key
    held.cycle_key()
    held.save()
    assert not held.exists(key)
    assert held.session_key not in (None, key)
    assert dict(held.items()) == {"a": "c"}


def test_save_doesnt_clear_data(held: Held) -> None:
    held.set("a", "b")
    held.save()
    assert held.get("a") == "b"


def test_invalid_key(opened: Open) -> None:
    session = opened("1")
    session.save()
    assert session.session_key != "1"
    assert session.get("cat") is None
    session.delete()
    session.delete("1")


def test_session_key_is_read_only(held: Held) -> None:
    with pytest.raises(AttributeError):
        held.session.session_key = "another"  # type: ignore[misc]


def test_session_load_does_not_create_record(opened: Open) -> None:
    session = opened("someunknownkey")
    session.load()
    assert session.session_key is None
    assert not session.exists(session.session_key)


def test_session_save_does_not_resurrect_session_logged_out_in_other_context(opened: Open) -> None:
    first = opened()
    first.set("test_data", "value1")
    first.save(must_create=True)
    opened(first.session_key).delete()
    first.set("test_data", "value2")
    with pytest.raises(UpdateError) as error:
        first.save()
    assert isinstance(error.value, SessionEnded)
    assert error.value.reason == "logout"
    assert first.load() == {}


# --- its expiry, as Django counts


def test_custom_expiry_seconds(held: Held) -> None:
    modification = timezone.now()
    held.set_expiry(10)
    assert held.get_expiry_date(modification=modification) == modification + timedelta(seconds=10)
    assert held.get_expiry_age(modification=modification) == 10


def test_custom_expiry_timedelta(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    modification = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: modification)
    held.set_expiry(timedelta(seconds=10))
    monkeypatch.undo()
    assert held.get_expiry_date(modification=modification) == modification + timedelta(seconds=10)
    assert held.get_expiry_age(modification=modification) == 10


def test_custom_expiry_datetime(held: Held) -> None:
    modification = timezone.now()
    held.set_expiry(modification + timedelta(seconds=10))
    assert held.get_expiry_date(modification=modification) == modification + timedelta(seconds=10)
    assert held.get_expiry_age(modification=modification) == 10


def test_custom_expiry_reset(held: Held) -> None:
    default = held.get_expiry_age()
    held.set_expiry(None)
    held.set_expiry(10)
    held.set_expiry(None)
    assert held.get_expiry_age() == default == held.get_session_cookie_age()


def test_get_expire_at_browser_close(held: Held) -> None:
    for value, closes in ((10, False), (0, True), (None, False)):
        held.set_expiry(value)
        assert held.get_expire_at_browser_close() is closes
    held.set("_auth_user_id", "1")
    held.set_expiry(None)
    assert held.get_expire_at_browser_close() is True


# --- what differs


def documented() -> set[str]:
    """The names under "What differs", each with the asynchronous one that Django has beside it."""
    section = DOCUMENT.read_text().split("\n## What differs\n")[1].split("\n## ")[0]
    return set(re.findall(r"`(test_\w+)`", section))


def test_djangos_own_mixin_passes_apart_from_what_is_documented() -> None:
    source = os.environ.get("DJANGO_SOURCE")
    if not source:
        pytest.skip("DJANGO_SOURCE names no unpacked source archive of Django, and its wheel has no tests")
    case = type("Case", (load_mixin(Path(source)), SimpleTestCase), {"backend": SessionStore})
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    failed = {
        re.sub(r"\W.*", "", test.id().rpartition("Case.")[2])
        for test, _ in (*result.failures, *result.errors)
    }
    assert result.testsRun > 60
    assert {name.removesuffix("_async") for name in failed} == documented()


def load_mixin(source: Path) -> type:
    """The mixin alone: the rest of its file needs the project of Django's own test runner."""
    path = source / "tests" / "sessions_tests" / "tests.py"
    nodes: list[ast.stmt] = []
    for node in ast.parse(path.read_text()).body:
        own = isinstance(node, ast.ImportFrom) and (node.level > 0 or "models" in str(node.module))
        mixin = isinstance(node, ast.ClassDef) and node.name == "SessionTestsMixin"
        if mixin or (isinstance(node, ast.Import | ast.ImportFrom) and not own):
            nodes.append(node)
    names: dict[str, Any] = {}
    exec(compile(ast.Module(nodes, []), str(path), "exec"), names)
    return names["SessionTestsMixin"]  # type: ignore[no-any-return]
