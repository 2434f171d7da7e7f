"""Old sessions of Django's own engines beside this service's generations and its ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.signed_cookies import SessionStore
from users.accounts.models import Account


@pytest.fixture(autouse=True)
def _migrating(settings: Any) -> None:
    settings.POLYSESSION_MIGRATE_FROM = "django.contrib.sessions.backends.signed_cookies"
    settings.POLYSESSION_MIGRATE_UNTIL = (datetime.now(UTC) + timedelta(days=5)).date()


def before_the_switch(person: Any) -> Any:
    """Another browser of theirs, which Django signed in then."""
    account, held = Account.objects.get(username=person.name), SessionStore()
    held[SESSION_KEY], held[HASH_SESSION_KEY] = str(account.pk), account.get_session_auth_hash()
    held[BACKEND_SESSION_KEY] = django_settings.AUTHENTICATION_BACKENDS[0]
    held.save()
    browser = type(person)()
    browser.cookies["sessionid"] = held.session_key
    return browser


def test_who_was_signed_in_before_the_switch_stays_so(person: Any) -> None:
    assert before_the_switch(person).get("/api/users/me").json()["username"] == person.name


@pytest.mark.parametrize("scope", ["all", "others"])
def test_an_end_of_all_reaches_old_sessions_that_nobody_has_exchanged_yet(person: Any, scope: str) -> None:
    old = before_the_switch(person)
    assert person.ask("DELETE", f"sessions?scope={scope}").status_code in (202, 204)
    assert old.get("/api/users/me").status_code == 401
    assert not old.token
    assert person.get("/api/users/me").status_code == (401 if scope == "all" else 200)
