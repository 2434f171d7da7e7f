"""Chromium, as a person's browser: no look-ups outside, and every complaint of the content security policy is a fault."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.person import Person

CHROMIUM = "/usr/bin/chromium"
QUIET = ["--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"]


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """Debian's Chromium; without its sandbox only as root, where it cannot have one."""
    return {"executable_path": CHROMIUM, "chromium_sandbox": os.geteuid() != 0, "args": QUIET}


@pytest.fixture
def new_page(browser: Browser, edge_url: str) -> Iterator[Callable[..., Page]]:
    """``new_page()``: a page of another browser, with cookies of its own. Its complaints fail the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def make(**options: Any) -> Page:
        context = browser.new_context(base_url=edge_url, **options)
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda message: (
                complaints.append(message.text) if "Content Security Policy" in message.text else None
            ),
        )
        return page

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def shopper(edge_url: str) -> Person:
    """A name and a password that nobody has signed up with."""
    return Person(edge_url)
