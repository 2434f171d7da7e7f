"""Two requests of one browser overlap, and each assigns an attribute of its own. Are both there afterwards?"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import Client
from django.urls import path

from tests.pitfalls import django_stack
from tests.pitfalls.program import conclude, last_moment


# --- views
def add(request: HttpRequest, what: str) -> HttpResponse:
    request.session["cart"] = [*request.session.get("cart", []), what]
    return HttpResponse("in your cart")


def paint(request: HttpRequest, theme: str) -> HttpResponse:
    request.session["theme"] = theme
    return HttpResponse("painted")


# --- end


def show(request: HttpRequest) -> HttpResponse:
    return JsonResponse(dict(request.session.items()))


urlpatterns = [path("add/<what>", add), path("paint/<theme>", paint), path("show", show)]


def main() -> None:
    django_stack.set_up()
    # --- story
    browser = Client()
    browser.get("/paint/light")
    with last_moment(lambda: browser.get("/add/book")):  # comes and goes while /paint/dark is under way
        browser.get("/paint/dark")
    kept = browser.get("/show").json()
    # --- end
    assert kept["theme"] == "dark"
    conclude(*[] if kept.get("cart") == ["book"] else ["the cart is empty"])


if __name__ == "__main__":
    main()
