"""What a person does on the pages, in the person's words."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.person import Person


def sign_up(page: Page, person: Person) -> None:
    page.goto("/sign-up")
    page.get_by_label("Username").fill(person.name)
    page.get_by_label("Email").fill(person.email)
    page.get_by_label("Password").fill(person.password)
    page.get_by_role("main").get_by_role("button").filter(
        has_text=re.compile("account|sign up", re.I)
    ).click()
    expect_signed_in(page, person)


def sign_in(page: Page, person: Person) -> None:
    """On the sign-in page, wherever it stands."""
    page.get_by_label("Username").fill(person.name)
    page.get_by_label("Password").fill(person.password)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    expect_signed_in(page, person)


def expect_signed_in(page: Page, person: Person) -> None:
    expect(page.get_by_role("button", name=f"Account of {person.name}")).to_be_visible()


def add_to_cart(page: Page, sku: str) -> None:
    page.goto(f"/products/{sku}")
    with page.expect_response(
        lambda answer: "/cart/items/" in answer.url and answer.request.method == "PUT"
    ) as put:
        page.get_by_role("button", name="Add to cart").click()
    assert put.value.status == 200


def place_order(page: Page) -> None:
    page.goto("/checkout")
    page.get_by_role("button", name="Place the order").click()
    expect(page.get_by_role("heading", level=1, name="Thank you")).to_be_visible()


def sign_out(page: Page, person: Person) -> None:
    page.get_by_role("button", name=f"Account of {person.name}").click()
    page.get_by_role("menuitem", name="Sign out").click()


def sign_out_everywhere(page: Page) -> None:
    page.goto("/devices")
    page.get_by_role("button", name="Sign out everywhere", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile("sign out", re.I)).click()
