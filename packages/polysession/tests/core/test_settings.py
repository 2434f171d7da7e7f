"""Settings and cookies: every fault in one message; attributes as OWASP asks for them."""

from __future__ import annotations

import subprocess
import sys

import pytest
from polysession.core.cookie import (
    clear_session,
    csrf_cookie_name,
    max_age,
    session_cookie_name,
    set_csrf,
    set_session,
)
from polysession.core.errors import InvalidSettings
from polysession.core.record import Header, alter
from polysession.core.settings import SessionSettings
from polysession.testing import HOUR, START, make_record


def header(principal_key: str = "") -> Header:
    return make_record(START, principal_key=principal_key).header


def test_all_faults_are_in_one_message() -> None:
    with pytest.raises(InvalidSettings) as raised:
        SessionSettings(idle=-5, attributes=0, cookie_name="a b", csrf_cookie_name="", anonymous_idle=10**9)
    assert len(raised.value.faults) == 5
    assert all(
        name in str(raised.value)
        for name in ("idle", "attributes", "cookie_name", "csrf_cookie_name", "anonymous_idle")
    )


def test_the_cookies_must_differ() -> None:
    with pytest.raises(InvalidSettings, match="differ"):
        SessionSettings(cookie_name="x", csrf_cookie_name="x")


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "30"])
def test_a_time_is_a_whole_number_of_seconds_above_zero(value: object) -> None:
    with pytest.raises(InvalidSettings, match="idle"):
        SessionSettings(idle=value)  # type: ignore[arg-type]


def test_the_cookie_is_bound_to_the_host_secure_and_out_of_reach_of_scripts() -> None:
    settings = SessionSettings()
    for cookie in (
        set_session(settings, "s" * 70, header(), START),
        clear_session(settings),
        set_csrf(settings, "x"),
    ):
        assert cookie.name.startswith("__Host-")
        assert (cookie.secure, cookie.http_only, cookie.same_site, cookie.path) == (True, True, "Lax", "/")


def test_plain_http_on_loopback_drops_prefix_and_secure_only() -> None:
    settings = SessionSettings(secure=False)
    assert (session_cookie_name(settings), csrf_cookie_name(settings)) == ("session", "csrf")
    cookie = set_session(settings, "s" * 70, header(), START)
    assert (cookie.secure, cookie.http_only, cookie.same_site) == (False, True, "Lax")


def test_an_identity_ends_with_the_browser_and_a_cart_does_not() -> None:
    settings = SessionSettings()
    assert set_session(settings, "s" * 70, header("42"), START).max_age is None
    assert set_session(settings, "a" * 70, header(), START).max_age == 12 * 3600
    assert clear_session(settings).max_age == 0


def test_a_cookie_that_an_app_keeps_lasts_until_the_absolute_timeout() -> None:
    kept = alter(header("42"), keep=True)
    assert max_age(kept, START) == 12 * 3600
    assert max_age(kept, START + HOUR + 1) == 11 * 3600  # rounded up: never shorter than the session
    assert max_age(kept, START + 13 * HOUR) == 1
    assert max_age(alter(header(), keep=False), START) is None


def test_the_repr_of_a_cookie_does_not_show_the_token() -> None:
    assert "secret" not in repr(set_session(SessionSettings(), "secret", header(), START))


def test_the_core_needs_msgspec_and_nothing_else() -> None:
    program = (
        "import sys, polysession, polysession.testing, polysession.keys\n"
        "roots = {name.partition('.')[0] for name in sys.modules}\n"
        "print(*sorted(roots & {'redis', 'hiredis', 'django', 'flask', 'opentelemetry', 'prometheus_client'}))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""
