"""Somebody plants a cookie of theirs in a browser; then its user signs in. Does the cookie open the user's session?"""

from __future__ import annotations

from flask import session

from tests.pitfalls import flask_stack
from tests.pitfalls.flask_stack import current_user, sign_in
from tests.pitfalls.program import conclude

app = flask_stack.make_app()


@app.get("/browse")
def browse() -> str:
    session["theme"] = "dark"
    return "a shop"


@app.get("/sign-in")
def enter() -> str:
    sign_in("ada")
    return "welcome"


@app.get("/who")
def who() -> str:
    return current_user() or "nobody"


def main() -> None:
    # --- story
    attacker = app.test_client()
    attacker.get("/browse")
    victim = flask_stack.another_browser(app, attacker)  # by a subdomain, a shared computer, a script
    victim.get("/sign-in")
    assert victim.get("/who").text == "ada"
    planted_opens = attacker.get("/who").text == "ada"
    # --- end
    copied = flask_stack.another_browser(app, victim)
    victim.get("/sign-in")  # "confirm that it is you"
    assert victim.get("/who").text == "ada"
    copy_opens = copied.get("/who").text == "ada"
    found = {
        "a token from before sign-in is signed in": planted_opens,
        "a copied token outlives a new sign-in": copy_opens,
    }
    conclude(*(fault for fault, is_there in found.items() if is_there))


if __name__ == "__main__":
    main()
