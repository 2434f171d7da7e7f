"""The story, as a person lives it in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e import pages

PHONE = {"viewport": {"width": 390, "height": 844}}
DESK = {"viewport": {"width": 1280, "height": 800}}


@pytest.mark.parametrize("screen", [DESK, PHONE], ids=["desk", "phone"])
def test_a_person_signs_up_fills_a_cart_orders_and_signs_out_everywhere(new_page, shopper, screen):
    page = new_page(**screen)
    pages.add_to_cart(page, "steel-rule")
    pages.sign_up(page, shopper)
    page.goto("/cart")
    expect(page.get_by_role("main")).to_contain_text("teel rule")
    pages.place_order(page)
    expect(page.get_by_role("main")).to_contain_text(shopper.email)
    pages.sign_out_everywhere(page)
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()


def test_no_script_can_read_the_session(new_page, shopper):
    page = new_page(**DESK)
    pages.sign_up(page, shopper)
    assert page.evaluate("document.cookie") == "" or "session" not in page.evaluate("document.cookie")
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    token = next(c["value"] for c in page.context.cookies() if c["name"] == "session")
    assert token not in stored
    assert token not in page.content()


def test_a_page_that_needs_a_session_comes_back_after_sign_in(new_page, shopper):
    shopper.sign_up()
    page = new_page(**DESK)
    page.goto("/devices")
    pages.sign_in(page, shopper)
    expect(page.get_by_role("heading", level=1, name="Where you are signed in")).to_be_visible()


def test_a_wrong_password_does_not_say_which_part_is_wrong(new_page, shopper):
    shopper.sign_up()
    page = new_page(**DESK)
    messages = []
    for name in (shopper.name, "nobody-of-that-name"):
        page.goto("/sign-in")
        page.get_by_label("Username").fill(name)
        page.get_by_label("Password").fill("not the password")
        page.get_by_role("main").get_by_role("button", name="Sign in").click()
        messages.append(page.get_by_role("alert").first.inner_text())
    assert messages[0] == messages[1]
