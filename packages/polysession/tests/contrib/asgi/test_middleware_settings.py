"""What the middleware refuses when it is added: settings that would switch a protection off, or do nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from polysession.contrib.asgi import SessionMiddleware, current_principal
from polysession.core.errors import InvalidSettings
from polysession.core.manager import SessionManager
from polysession.testing import memory_manager
from starlette.requests import Request

from .conftest import Visitor, make_starlette


async def app(*_: Any) -> None: ...


def faults(manager: Any, **settings: Any) -> tuple[str, ...]:
    with pytest.raises(InvalidSettings) as caught:
        SessionMiddleware(app, manager=manager, **settings)
    return caught.value.faults


@pytest.fixture
def manager() -> SessionManager:
    return memory_manager()


@pytest.mark.parametrize("given", ["/webhooks", "/", "", b"/webhooks"])
def test_one_path_in_place_of_a_list_is_refused_for_it_would_be_read_by_character(
    manager: SessionManager, given: Any
) -> None:
    kind = type(given).__name__
    assert faults(manager, csrf_exempt=given, unused=given) == (
        f'csrf_exempt must be a list of paths, such as ["/webhooks"], not a {kind}',
        f'unused must be a list of paths, such as ["/static"], not a {kind}',
    )
    if given:
        example = '["https://shop.example.com"]'
        assert faults(manager, origins=given) == (
            f"origins must be a list of origins, such as {example}, not a {kind}",
        )


@pytest.mark.parametrize("given", [None, 1, [1], [None, "/a"]])
def test_what_is_no_list_of_paths_is_refused(manager: SessionManager, given: Any) -> None:
    assert faults(manager, unused=given)[0].startswith("unused must be a list of paths")


def test_a_path_that_could_match_nothing_is_refused(manager: SessionManager) -> None:
    assert faults(manager, csrf_exempt=["webhooks", "/ok"], unused=[""]) == (
        "csrf_exempt: 'webhooks' must begin with /, such as '/webhooks'",
        "unused: '' must begin with /, such as '/static'",
    )


@pytest.mark.parametrize(
    "origin", ["x.example", "https://x.example/", "https://x.example/a", "//x.example", ""]
)
def test_an_origin_that_no_browser_sends_is_refused(manager: SessionManager, origin: str) -> None:
    (fault,) = faults(manager, origins=[origin])
    assert fault.startswith(f"origins: {origin!r} must be a scheme and a host")


@pytest.mark.parametrize("given", ["127.0.0.1:7700", None, object()])
def test_what_is_no_manager_is_refused_without_its_value(given: Any) -> None:
    kind = type(given).__name__
    assert faults(given) == (f"{kind} is no manager: polysession.connect(…) makes one",)


@pytest.mark.anyio
async def test_paths_of_an_iterator_hold_for_every_request(manager: SessionManager) -> None:
    def once() -> Iterator[str]:
        yield "/webhook"

    wrapped = SessionMiddleware(make_starlette(manager).router, manager=manager, csrf_exempt=once())
    visitor = Visitor(wrapped)
    assert [(await visitor.http.post("/webhook/one")).status_code for _ in range(2)] == [200, 200]
    await visitor.http.aclose()


def test_where_there_is_no_session_the_error_says_both_reasons() -> None:
    with pytest.raises(InvalidSettings, match=r"SessionMiddleware to the app.*unused="):
        current_principal(Request({"type": "http", "headers": []}))
