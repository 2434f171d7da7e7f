"""docs/asgi.md: what it shows is what happens, on a real Redis Cluster."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import polysession
import pytest
from polysession.contrib.asgi import SessionMiddleware
from polysession.testing import make_keys

PAGE = Path(__file__).parents[4] / "docs" / "asgi.md"
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
Nodes = tuple[tuple[str, int], ...]


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, redis_nodes: Nodes, redis_prefix: str) -> Iterator[dict[str, Any]]:
    """The page's names after its blocks have run, in their order. Its nodes and keys are the test's."""
    given: list[Any] = []
    real = polysession.connect

    def connect(nodes: str, keys: Path, **options: Any) -> Any:
        given.append((nodes, keys, options))
        return real(redis_nodes, make_keys(), prefix=redis_prefix, deadline_ms=5000, **options)

    monkeypatch.setattr(polysession, "connect", connect)
    text = PAGE.read_text()
    names: dict[str, Any] = {"__name__": __name__}
    blocks = list(BLOCK.finditer(text))
    assert len(blocks) == text.count("```python") == 6
    for block in blocks:
        line = text.count("\n", 0, block.start(1))
        # Blank lines in front: a failure names the line of the page.
        exec(compile("\n" * line + block[1], PAGE.name, "exec", dont_inherit=True), names)
    assert given == [("redis1:6379,redis2:6379", Path("/run/keys"), {"asynchronous": True})]
    yield names
    names["manager"].close()


def test_the_example_runs_as_the_page_says(page: dict[str, Any]) -> None:
    async def visit() -> None:
        transport = httpx.ASGITransport(page["app"])
        async with httpx.AsyncClient(transport=transport, base_url="https://testserver") as browser:
            token = (await browser.get("/")).json()["csrf_token"]
            browser.headers["X-CSRF-Token"] = token
            assert (await browser.post("/cart/clock")).json() == {"clock": 1}
            assert (await browser.post("/cart/compass")).json() == {"clock": 1, "compass": 1}
            assert (await browser.get("/me")).status_code == 401
            browser.headers["X-CSRF-Token"] = (await browser.post("/sign-in/ada")).json()["csrf_token"]
            assert (await browser.get("/me")).json() == {"id": "ada"}
            assert (await browser.get("/unread")).json() == 0
            assert (await browser.post("/pay")).json() == "charged"
            assert len(await page["where_i_am_signed_in"]("ada")) == 1
            assert (await browser.post("/sign-out")).json().keys() == {"confirmed"}
            assert (await browser.get("/me")).status_code == 401
            assert await page["where_i_am_signed_in"]("ada") == []

            browser.headers["X-CSRF-Token"] = (await browser.get("/")).json()["csrf_token"]
            await browser.post("/sign-in/ada")
            await page["sign_out_everywhere"]("ada")
            assert (await browser.get("/me")).json()["end_reason"] == "revoked"

    asyncio.run(visit())


def test_the_pages_table_of_options_is_the_middlewares() -> None:
    text = PAGE.read_text().split("## The middleware's options")[1].split("\n## ")[0]
    named = set(re.findall(r"^\| `(\w+)=", text, re.MULTILINE))
    assert SessionMiddleware.__init__.__kwdefaults__ is not None
    assert named == set(SessionMiddleware.__init__.__kwdefaults__)
