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
