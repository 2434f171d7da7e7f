"""What one device does, the other sees at its next request."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e import pages


def test_signing_out_here_everywhere_is_seen_there(new_page, shopper):
    shopper.sign_up()
    here, there = new_page(), new_page()
    for page in (here, there):
        page.goto("/sign-in")
        pages.sign_in(page, shopper)
    there.goto("/orders")
    expect(there.get_by_role("heading", level=1)).to_contain_text("rders")
    pages.sign_out_everywhere(here)
    expect(here.get_by_role("link", name="Sign in").first).to_be_visible()
    there.goto("/orders")
    expect(there.get_by_role("main").get_by_role("link", name="Sign in").first).to_be_visible()


def test_one_device_is_ended_from_another_and_learns_why(new_page, shopper):
    shopper.sign_up()
    here = new_page()
    there = new_page(user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
    for page in (here, there):
        page.goto("/sign-in")
        pages.sign_in(page, shopper)
    here.goto("/devices")
    row = here.get_by_role("listitem").filter(has_text="Firefox")
    expect(row).to_have_count(1)
    row.get_by_role("button").click()
    here.get_by_role("dialog").get_by_role("button", name="Sign it out").click()
    expect(here.get_by_role("listitem").filter(has_text="Firefox")).to_have_count(0)
    there.goto("/account")
    expect(there.get_by_role("heading", level=1)).to_contain_text("signed out elsewhere")


def test_a_cart_filled_in_one_tab_is_seen_in_the_other(new_page, shopper):
    first = new_page()
    pages.add_to_cart(first, "steel-rule")
    second = first.context.new_page()
    pages.add_to_cart(second, "field-notebook")
    first.goto("/cart")
    for name in ("teel rule", "ield notebook"):
        expect(first.get_by_role("main")).to_contain_text(name)


def test_a_device_that_was_signed_out_learns_it_at_its_next_click(new_page, shopper):
    shopper.sign_up()
    here, there = new_page(), new_page()
    for page in (here, there):
        page.goto("/sign-in")
        pages.sign_in(page, shopper)
    pages.sign_out_everywhere(here)
    expect(here.get_by_role("link", name="Sign in").first).to_be_visible()
    there.get_by_role("link", name="Cart").first.click()
    expect(there.get_by_role("button", name=f"Account of {shopper.name}")).to_have_count(0)
