"""Somebody copied the cookie; then its user signs in again. Does the copy still open the session?"""

from __future__ import annotations

from django.contrib.auth import get_user_model, login
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from tests.pitfalls import django_stack
from tests.pitfalls.program import conclude


def sign_in(request: HttpRequest) -> HttpResponse:  # the password was checked just before
    login(request, get_user_model().objects.get(username="ada"))
    request.session["theme"] = "dark"
    return HttpResponse("welcome")


def who(request: HttpRequest) -> HttpResponse:
    request.session.setdefault("theme", "light")
    return HttpResponse(request.user.get_username() or "nobody")


urlpatterns = [path("sign-in", sign_in), path("who", who)]


def main() -> None:
    django_stack.set_up()
    get_user_model().objects.create_user("ada")
    browser = Client()
    browser.get("/who")
    planted = django_stack.another_browser(browser)
    browser.get("/sign-in")
    planted_opens = planted.get("/who").content == b"ada"
    # --- story
    copied = django_stack.another_browser(browser)
    browser.get("/sign-in")  # "confirm that it is you"
    assert browser.get("/who").content == b"ada"
    copy_opens = copied.get("/who").content == b"ada"
    # --- end
    found = {
        "a token from before sign-in is signed in": planted_opens,
        "a copied token outlives a new sign-in": copy_opens,
    }
    conclude(*(fault for fault, is_there in found.items() if is_there))


if __name__ == "__main__":
    main()
