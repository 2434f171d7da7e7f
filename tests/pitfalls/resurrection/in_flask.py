"""A request is under way while its user signs out in another tab. Is the session still ended after it?"""

from __future__ import annotations

from flask import session

from tests.pitfalls import flask_stack
from tests.pitfalls.flask_stack import current_user, sign_in, sign_out
from tests.pitfalls.program import conclude, last_moment

app = flask_stack.make_app()


@app.get("/sign-in")
def enter() -> str:
    sign_in("ada")
    return "welcome"


@app.get("/sign-out")
def leave() -> str:
    sign_out()
    return "goodbye"


# --- views
@app.get("/who")
def who() -> str:
    user = current_user() or "nobody"
    last_moment.has_come()  # a page that writes nothing has no later one
    return user


@app.get("/count")
def count() -> str:
    session["pages"] = session.get("pages", 0) + 1
    return "counted"


# --- end


def is_alive_after(path: str) -> bool:
    browser = app.test_client()
    browser.get("/sign-in")
    other_tab, thief = flask_stack.another_browser(app, browser), flask_stack.another_browser(app, browser)
    assert thief.get("/who").text == "ada", "the copy is good while the session lives"
    with last_moment(lambda: other_tab.get("/sign-out")):  # answered: goodbye
        browser.get(path)
    return bool(thief.get("/who").text == "ada")


if __name__ == "__main__":
    conclude(*[f"alive after a late {path}" for path in ("/count", "/who") if is_alive_after(path)])
