"""Ours only: two requests of one browser overlap, and both count up. Is each one counted?"""

from __future__ import annotations

from polysession.contrib.flask import current_session

from tests.pitfalls import flask_stack
from tests.pitfalls.program import conclude, last_moment

app = flask_stack.make_app()


# --- view
@app.get("/count")
def count() -> dict[str, int]:
    return {"pages": current_session().update("pages", lambda pages: pages + 1, default=0)}


# --- end


def main() -> None:
    browser = app.test_client()
    browser.get("/count")
    with last_moment(lambda: browser.get("/count")):
        browser.get("/count")
    counted = browser.get("/count").get_json()["pages"]
    conclude(*[] if counted == 4 else [f"{counted} of 4 counted"])


if __name__ == "__main__":
    main()
