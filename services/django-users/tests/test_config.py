"""Settings: every fault in one message, none of them with a value."""

from __future__ import annotations

from typing import Any

import pytest
from chassis import settings
from chassis.errors import InvalidSettings
from users.config import Config


def test_every_fault_is_named_at_once_and_no_value_is_told(monkeypatch: Any):
    monkeypatch.setenv("SIGN_IN_LIMIT_ACCOUNT", "hunter2-often")
    monkeypatch.setenv("DJANGO_SECRET_KEY_FILE", "/nowhere/hunter2")
    monkeypatch.delenv("ASSERTION_PUBLIC_KEYS_DIR")
    with pytest.raises(InvalidSettings) as caught:
        settings.load(Config)
    message = str(caught.value)
    for name in ("SIGN_IN_LIMIT_ACCOUNT", "DJANGO_SECRET_KEY_FILE", "ASSERTION_PUBLIC_KEYS_DIR"):
        assert name in message
    assert "hunter2" not in message


def test_cookies_are_host_only_over_tls_and_plain_on_loopback(monkeypatch: Any):
    assert settings.load(Config).session_settings.secure is False
    monkeypatch.setenv("PUBLIC_URL", "https://almanac.example")
    assert settings.load(Config).session_settings.secure is True
    monkeypatch.setenv("PUBLIC_URL", "http://almanac.example")
    with pytest.raises(InvalidSettings, match="PUBLIC_URL"):
        settings.load(Config)


def test_every_setting_of_sessions_reaches_the_library(monkeypatch: Any):
    given = {
        "SESSION_IDLE_SECONDS": 61,
        "SESSION_ABSOLUTE_SECONDS": 62,
        "SESSION_ANONYMOUS_IDLE_SECONDS": 63,
        "SESSION_ANONYMOUS_ABSOLUTE_SECONDS": 64,
        "SESSION_ROTATE_SECONDS": 65,
        "SESSIONS_A_PRINCIPAL": 66,
    }
    for name, value in given.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setenv("SESSION_LIMIT_POLICY", "refuse")
    found = settings.load(Config).session_settings
    assert (found.idle, found.absolute, found.anonymous_idle, found.anonymous_absolute) == (61, 62, 63, 64)
    assert (found.rotate_after, found.sessions_a_principal, found.limit_policy) == (65, 66, "refuse")


@pytest.mark.django_db
def test_the_service_passes_the_librarys_own_checks():
    from django.core.checks import run_checks

    found = [one for one in run_checks(databases=["default"]) if str(one.id).startswith("polysession.")]
    assert found == []
