"""The one manager of a process."""

from __future__ import annotations

import os
import threading

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from polysession.core.cookie import session_cookie_name
from polysession.core.manager import SessionManager


class OtherCookieName(ImproperlyConfigured):
    """``SESSION_COOKIE_NAME`` is not what the manager's settings say."""


_lock = threading.Lock()
_made: tuple[int, SessionManager] | None = None  # process ID: connections do not survive a fork


def get_manager() -> SessionManager:
    """The manager of this process. Raises `ImproperlyConfigured`."""
    global _made
    made = _made
    if made is None or made[0] != os.getpid():
        with _lock:
            made = _made
            if made is None or made[0] != os.getpid():
                made = _made = (os.getpid(), _make_manager())
    return made[1]


def _make_manager() -> SessionManager:
    value = getattr(settings, "POLYSESSION_MANAGER", None)
    if isinstance(value, str):
        value = import_string(value)
    manager = value() if callable(value) and not isinstance(value, SessionManager) else value
    if not isinstance(manager, SessionManager):
        raise ImproperlyConfigured(
            "Set POLYSESSION_MANAGER to a SessionManager, or to the path of what makes one."
        )
    if (wanted := session_cookie_name(manager.settings)) != settings.SESSION_COOKIE_NAME:
        # Django's test client, and others, go by it.
        raise OtherCookieName(f'Set SESSION_COOKIE_NAME = "{wanted}", as the session settings say.')
    return manager


def _forget_manager(*, setting: str, **_: object) -> None:
    global _made
    if setting == "POLYSESSION_MANAGER":
        _made = None


setting_changed.connect(_forget_manager, dispatch_uid="polysession.contrib.django")
