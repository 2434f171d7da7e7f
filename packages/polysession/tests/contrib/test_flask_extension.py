"""How the extension is put into an app, and what it says where it was not."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from polysession.contrib.flask import Polysession, PolysessionInterface, current_principal, sign_in
from polysession.core.errors import InvalidSettings
from polysession.core.manager import SessionManager


@pytest.mark.parametrize("given", ["127.0.0.1:7700", None, object()])
def test_what_is_no_manager_is_refused_when_the_app_is_made(given: Any):
    with pytest.raises(InvalidSettings) as caught:
        Polysession(Flask("example"), given)
    kind = type(given).__name__
    assert caught.value.faults == (f"{kind} is no manager: polysession.connect(…) makes one",)


def test_the_interface_alone_refuses_what_is_no_manager():
    with pytest.raises(InvalidSettings, match="str is no manager"):
        PolysessionInterface("127.0.0.1:7700")  # type: ignore[arg-type]


def test_without_the_extension_a_view_is_told_what_to_add():
    app = Flask("example")
    with app.test_request_context(), pytest.raises(InvalidSettings, match="Polysession to the app"):
        current_principal()


@pytest.mark.parametrize("late", [False, True])
def test_an_app_factory_makes_the_extension_first_and_the_app_later(
    flask_manager: SessionManager, late: bool
):
    extension = Polysession() if late else Polysession(manager=flask_manager)
    apps = [Flask(name) for name in ("one", "two")]
    for app in apps:
        extension.init_app(app, *([flask_manager] if late else []))

        @app.get("/enter")
        def enter() -> str:
            sign_in("ada", generation=0)
            return "ok"

        @app.get("/me")
        def me() -> str:
            return current_principal() or "nobody"

    for app in apps:
        client = app.test_client()
        assert client.get("/enter", base_url="https://localhost").status_code == 200
        assert client.get("/me", base_url="https://localhost").text == "ada"


def test_an_extension_that_never_got_a_manager_says_so():
    with pytest.raises(InvalidSettings, match="NoneType is no manager"):
        Polysession().init_app(Flask("example"))
