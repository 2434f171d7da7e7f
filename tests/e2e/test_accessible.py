"""WCAG 2.2 A and AA, by axe, on every page, in both themes; and the story by keyboard alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import pages

AXE = Path(__file__).parents[2] / "web/react-shell/node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PUBLIC = ["/", "/products/steel-rule", "/cart", "/sign-in", "/sign-up", "/no-such-page"]
PRIVATE = ["/account", "/devices", "/orders", "/checkout"]


def faults(page: Page) -> list[str]:
    page.evaluate(AXE.read_text())
    found = page.evaluate("(tags) => axe.run(document, {runOnly: {type: 'tag', values: tags}})", RULES)
    return [f"{v['id']}: {v['nodes'][0]['html']}" for v in found["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_every_page_passes_axe_and_has_one_heading_and_a_title(new_page, shopper, scheme: str, width: int):
    page = new_page(color_scheme=scheme, viewport={"width": width, "height": 900}, reduced_motion="reduce")
    found = {}
    for path in [*PUBLIC, "sign up", *PRIVATE]:
        if path == "sign up":
            pages.sign_up(page, shopper)
            continue
        page.goto(path)
        page.wait_for_load_state("networkidle")
        expect(page.get_by_role("heading", level=1), path).to_have_count(1)
        assert page.title()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
        if problems := faults(page):
            found[path] = problems
    assert found == {}


def test_sign_in_works_by_keyboard_alone(new_page, shopper):
    shopper.sign_up()
    page = new_page()
    page.goto("/sign-in")
    page.get_by_label("Username").focus()
    page.keyboard.type(shopper.name)
    page.keyboard.press("Tab")
    page.keyboard.type(shopper.password)
    page.keyboard.press("Enter")
    pages.expect_signed_in(page, shopper)
