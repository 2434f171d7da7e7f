"""Over TLS the cookie is `__Host-`, Secure, HttpOnly, SameSite=Lax."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from local.testing import running
from tests.e2e import pages
from tests.person import Person


@pytest.fixture(scope="module")
def secure_origin():
    with running(tls=True) as platform:
        yield platform.layout.public_url


def test_over_tls_a_real_browser_keeps_a_host_prefixed_secure_cookie(browser: Browser, secure_origin: str):
    context = browser.new_context(base_url=secure_origin, ignore_https_errors=True)
    page = context.new_page()
    pages.sign_up(page, Person(secure_origin))
    cookie = next(c for c in context.cookies() if "session" in c["name"])
    assert cookie["name"] == "__Host-session"
    assert cookie["secure"]
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    assert cookie["path"] == "/"
    context.close()
