"""A request is under way while its user signs out in another tab. Is the session still ended after it?"""

from __future__ import annotations

from django.contrib.auth import get_user_model, login, logout
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from tests.pitfalls import django_stack
from tests.pitfalls.program import conclude, last_moment


def sign_in(request: HttpRequest) -> HttpResponse:
    login(request, get_user_model().objects.get(username="ada"))
    return HttpResponse("welcome")


def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return HttpResponse("goodbye")


def count(request: HttpRequest) -> HttpResponse:
    request.session["pages"] = request.session.get("pages", 0) + 1
    return HttpResponse("counted")


def who(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.user.get_username() or "nobody")


urlpatterns = [path("sign-in", sign_in), path("sign-out", sign_out), path("count", count), path("who", who)]


def main() -> None:
    django_stack.set_up()
    get_user_model().objects.create_user("ada")
    # --- story
    browser = Client()
    browser.get("/sign-in")
    other_tab, thief = django_stack.another_browser(browser), django_stack.another_browser(browser)
    assert thief.get("/who").content == b"ada", "the copy is good while the session lives"
    with last_moment(lambda: other_tab.get("/sign-out")):  # answered: goodbye
        browser.get("/count")
    is_alive = thief.get("/who").content == b"ada"
    # --- end
    conclude(*["the session is alive after its sign-out"] if is_alive else [])


if __name__ == "__main__":
    main()
