"""``manage.py check`` says what is set up wrong, and what to do."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.checks import Tags, run_checks
from django.db import connection
from polysession import SessionSettings, connect
from polysession.contrib.django import checks as ours
from polysession.contrib.django import migration
from polysession.contrib.django.ledger.ledger import DjangoLedger
from polysession.core.manager import SessionManager
from polysession.testing import FailingStore, FakeClock, make_keys, memory_manager

from .conftest import create_ledger

DOCUMENT = Path(__file__).parents[5] / "docs" / "django.md"
STOCK = "django.contrib.sessions.middleware.SessionMiddleware"
OURS = "polysession.contrib.django.SessionMiddleware"
LEDGER = "polysession.contrib.django.ledger"


def found(**options: Any) -> dict[str, str]:
    """Hint by ID, of ours."""
    return {
        str(one.id): str(one.hint) for one in run_checks(**options) if str(one.id).startswith("polysession.")
    }


@pytest.fixture(autouse=True)
def good(settings: Any) -> None:
    settings.MESSAGE_STORAGE = "polysession.contrib.django.messages.MessageStorage"


def test_what_is_set_up_well_is_not_complained_of() -> None:
    assert found() == {}


def test_the_engine_and_the_middleware_belong_together(settings: Any) -> None:
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.db"
    assert "SESSION_ENGINE" in found()["polysession.E001"]
    settings.SESSION_ENGINE = "polysession.contrib.django"
    others = [name for name in settings.MIDDLEWARE if name != OURS]
    settings.MIDDLEWARE = [STOCK, *others]
    assert STOCK in found()["polysession.E002"]
    settings.MIDDLEWARE = [*others, OURS]
    assert "before" in found()["polysession.E003"]
    settings.MIDDLEWARE = [OURS, STOCK, *others]
    assert STOCK in found()["polysession.E004"]


def test_a_subclass_of_our_middleware_is_ours(settings: Any) -> None:
    settings.MIDDLEWARE = [f"{__name__}.Traced", *settings.MIDDLEWARE[1:]]
    import sys

    from polysession.contrib.django import SessionMiddleware

    module = sys.modules[__name__]
    module.Traced = type("Traced", (SessionMiddleware,), {})  # type: ignore[attr-defined]
    assert found() == {}


def test_each_fault_of_keys_and_nodes_is_told_by_itself(settings: Any, tmp_path: Path) -> None:
    settings.POLYSESSION_MANAGER = lambda: connect("redis1:6379", tmp_path / "missing")
    faults = [one.msg for one in run_checks() if one.id == "polysession.E005"]
    assert faults == [
        f"The directory {tmp_path}/missing does not exist: `python -m polysession keys {tmp_path}/missing` makes one"
    ]
    assert "polysession keys" in found()["polysession.E005"]
    settings.POLYSESSION_MANAGER = lambda: connect("redis1", make_keys())
    assert "connect()" in found()["polysession.E005"]
    assert "key" not in found()["polysession.E005"]
    assert [one.msg for one in run_checks() if one.id == "polysession.E005"] == [
        "Redis node 1 is not host:port"
    ]


@pytest.mark.parametrize("manager", [None, "nowhere.at_all", lambda: "no manager"])
def test_without_a_manager_it_is_said_how_to_make_one(settings: Any, manager: Any) -> None:
    settings.POLYSESSION_MANAGER = manager
    assert "polysession.connect" in found()["polysession.E006"]


def test_another_cookie_name_than_the_session_settings_say(settings: Any) -> None:
    settings.SESSION_COOKIE_NAME = "sid"
    settings.POLYSESSION_MANAGER = memory_manager()
    (fault,) = (one for one in run_checks() if one.id == "polysession.E006")
    assert fault.msg == "SESSION_COOKIE_NAME is 'sid': the session cookie has another name."
    assert str(fault.hint).startswith(
        'Set SESSION_COOKIE_NAME = "__Host-session", as the session settings say.'
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECURE_SSL_REDIRECT", True),
        ("SECURE_HSTS_SECONDS", 60),
        ("CSRF_TRUSTED_ORIGINS", ["https://shop.example"]),
    ],
)
def test_a_cookie_without_secure_on_https(settings: Any, name: str, value: Any) -> None:
    settings.SESSION_COOKIE_NAME, settings.SESSION_COOKIE_SECURE = "session", False
    settings.POLYSESSION_MANAGER = memory_manager(settings=SessionSettings(secure=False))
    assert found() == {}  # plain-HTTP loopback, in development
    setattr(settings, name, value)
    assert "__Host-session" in found()["polysession.E007"]


def test_the_csrf_secret_belongs_to_the_session(settings: Any) -> None:
    settings.CSRF_USE_SESSIONS = False
    assert "CSRF_USE_SESSIONS = True" in found()["polysession.E008"]
    settings.CSRF_USE_SESSIONS = True
    settings.MIDDLEWARE = [
        "django.middleware.csrf.CsrfViewMiddleware" if name.endswith(".CsrfMiddleware") else name
        for name in settings.MIDDLEWARE
    ]
    assert "CsrfMiddleware" in found()["polysession.W001"]


OTHER = {
    "SESSION_COOKIE_AGE": 60,
    "SESSION_EXPIRE_AT_BROWSER_CLOSE": True,
    "SESSION_SAVE_EVERY_REQUEST": True,
    "SESSION_COOKIE_DOMAIN": "shop.example",
    "SESSION_COOKIE_PATH": "/shop",
    "SESSION_COOKIE_SAMESITE": "Strict",
    "SESSION_COOKIE_HTTPONLY": False,
    "SESSION_SERIALIZER": "myproject.Serializer",
    "SESSION_CACHE_ALIAS": "sessions",
    "SESSION_FILE_PATH": "/srv/sessions",
}


@pytest.mark.parametrize("name", OTHER)
def test_a_setting_of_djangos_that_is_ignored_is_named_with_what_to_use_instead(
    settings: Any, name: str
) -> None:
    assert OTHER.keys() == ours.IGNORED.keys()
    setattr(settings, name, OTHER[name])
    (warning,) = [one for one in run_checks() if one.id == "polysession.W002"]
    assert warning.msg == f"{name} is ignored."
    assert ours.IGNORED[name] in str(warning.hint)


def test_pickles_and_a_secure_flag_that_says_other_than_ours(settings: Any) -> None:
    settings.SESSION_SERIALIZER = "django.contrib.sessions.serializers.PickleSerializer"
    settings.SESSION_COOKIE_SECURE = False
    assert found().keys() == {"polysession.W002", "polysession.W003"}


def test_messages_of_parallel_requests(settings: Any) -> None:
    settings.MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
    assert "MessageStorage" in found()["polysession.W004"]


def test_a_migration_needs_an_engine_a_day_and_another_cookie(settings: Any) -> None:
    settings.POLYSESSION_MIGRATE_UNTIL = (datetime.now(UTC) + timedelta(days=1)).date()
    migration.engine_of.cache_clear()
    assert "SESSION_ENGINE" in found()["polysession.E013"]
    settings.POLYSESSION_MIGRATE_FROM = "django.contrib.sessions.backends.db"
    assert found() == {}
    settings.POLYSESSION_MIGRATE_COOKIE = settings.SESSION_COOKIE_NAME
    assert "cookie_name" in found()["polysession.E014"]
    del settings.POLYSESSION_MIGRATE_COOKIE
    settings.POLYSESSION_MIGRATE_UNTIL = "2027-01-01"
    assert "datetime.date" in found()["polysession.E009"]
    settings.POLYSESSION_MIGRATE_UNTIL = datetime.now(UTC) + timedelta(days=1)
    assert "datetime.date" in found()["polysession.E009"]
    settings.POLYSESSION_MIGRATE_UNTIL = datetime.now(UTC).date()
    assert "Take out" in found()["polysession.W005"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POLYSESSION_MIGRATE_FROM", "django.contrib.sessions.backends.db"),
        ("POLYSESSION_MIGRATE_COOKIE", "sessionid"),
    ],
)
def test_a_migration_without_its_day_is_none(settings: Any, name: str, value: str) -> None:
    setattr(settings, name, value)
    (fault,) = (one for one in run_checks() if one.id == "polysession.E009")
    assert fault.msg == f"{name} without POLYSESSION_MIGRATE_UNTIL: no old session is read."
    assert "datetime.date" in str(fault.hint)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("POLYSESSION_MIGRATE_TILL", "POLYSESSION_MIGRATE_UNTIL"),
        ("POLYSESSION_MANGER", "POLYSESSION_MANAGER"),
        ("POLYSESSION_MIGRATION_FROM", "POLYSESSION_MIGRATE_FROM"),
    ],
)
def test_a_setting_that_is_none_of_ours_is_named_with_the_nearest(
    settings: Any, name: str, near: str
) -> None:
    setattr(settings, name, "value")
    (warning,) = (one for one in run_checks() if one.id == "polysession.W008")
    assert warning.msg == f"{name} is no setting of Polysession."
    assert near in str(warning.hint)


def with_ledger(ledger: Any) -> SessionManager:
    return SessionManager(FailingStore(FakeClock()), make_keys(), clock=FakeClock(), ledger=ledger)


def test_the_ledger_its_app_and_its_tables(settings: Any, db: None) -> None:
    asked = {"databases": ["default"], "tags": [Tags.database]}
    settings.POLYSESSION_MANAGER = with_ledger(DjangoLedger())
    assert "INSTALLED_APPS" in found(**asked)["polysession.E011"]
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, LEDGER]
    assert "migrate" in found(**asked)["polysession.W007"]
    create_ledger()
    assert found(**asked) == {}
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE polysession_ledger DROP COLUMN exchanged_at")
    assert "migrate" in found(**asked)["polysession.W007"]
    settings.POLYSESSION_MANAGER = with_ledger(DjangoLedger(using="elsewhere"))
    assert "DATABASES" in found(**asked)["polysession.E012"]
    settings.POLYSESSION_MANAGER = memory_manager()
    assert "ledger" in found(**asked)["polysession.W006"]
    assert get_user_model().objects.count() == 0


def test_the_table_in_the_docs_names_every_check_and_no_other() -> None:
    source = "".join((Path(ours.__file__).parent / name).read_text() for name in ("checks.py", "admin.py"))
    documented = re.findall(r"^\| `polysession\.([EW]\d{3})`", DOCUMENT.read_text(), re.MULTILINE)
    assert sorted(documented) == sorted(set(re.findall(r'id="polysession\.([EW]\d{3})"', source)))
    assert len(documented) == len(set(documented))
