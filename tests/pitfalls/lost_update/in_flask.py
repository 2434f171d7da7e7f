"""Two requests of one browser overlap, and each assigns an attribute of its own. Are both there afterwards?"""

from __future__ import annotations

from flask import session

from tests.pitfalls import flask_stack
from tests.pitfalls.program import conclude, last_moment

app = flask_stack.make_app()


# --- views
@app.get("/add/<what>")
def add(what: str) -> str:
    session["cart"] = [*session.get("cart", []), what]
    return "in your cart"


@app.get("/paint/<theme>")
def paint(theme: str) -> str:
    session["theme"] = theme
    return "painted"


# --- end


@app.get("/show")
def show() -> dict[str, object]:
    return dict(session)


def main() -> None:
    browser = app.test_client()
    browser.get("/paint/light")
    with last_moment(lambda: browser.get("/add/book")):  # comes and goes while /paint/dark is under way
        browser.get("/paint/dark")
    kept = browser.get("/show").get_json()
    assert kept["theme"] == "dark"
    conclude(*[] if kept.get("cart") == ["book"] else ["the cart is empty"])


if __name__ == "__main__":
    main()
