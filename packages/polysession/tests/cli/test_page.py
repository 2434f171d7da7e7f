"""docs/cli.md: each command that it shows is run, in its order, and answers what it shows but for names and numbers."""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from polysession import Device, SessionManager, connect
from polysession.cli import Terminal, main
from polysession.cli.commands import MODULES
from polysession.cli.source import SETTINGS

PAGE = Path(__file__).parents[4] / "docs" / "cli.md"
SHOWN = "b3rS2GBMe3tUIqLh"  # the session whose ID the page shows
DEVICES = (
    Device("Mozilla/5.0 (Macintosh; Intel Mac OS X 15_6) Safari/605.1.15", "192.0.2.7"),
    Device("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0", "192.0.2.8"),
)


@pytest.fixture
def session_id(environment: dict[str, str], keys: Path) -> Iterator[str]:
    """The newer one of two sessions of principal 42."""
    manager: SessionManager = connect(
        environment["REDIS_NODES"], keys, prefix=environment["SESSION_PREFIX"], deadline_ms=5000
    )
    for device in DEVICES:
        session = manager.open(None, device=device)
        session.update(cart={"book": 1}, theme="dark")
        session.sign_in("42", generation=0)
        session.commit()
    assert session.id is not None
    yield session.id
    manager.close()


def examples() -> list[tuple[str, str]]:
    """Command and answer of each."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL):
        for part in block.split("$ ")[1:]:
            command, _, answer = part.partition("\n")
            found.append((command, answer))
    return found


def general(text: str) -> list[str]:
    """Without what differs from run to run: names, times, sizes, and how wide a column is for them."""
    text = re.sub(r"\S+T\S+Z  (in )?.*", "TIME", text)
    text = re.sub(r"(?m)^(  (?:principal key|pseudonym) +)\S+$", r"\1NAME", text)
    text = re.sub(r"(?m)^  [\w-]{16}(?=  )", "  NAME", text)
    text = re.sub(r"\b[0-9a-f]{16}\b", "TAG", text)
    text = re.sub(r"\d+ (ms|s|min|h)( \d+ s)?\b", "SPAN", text)
    text = re.sub(r"127\.0\.0\.1:\d+", "NODE", text)
    text = re.sub(r"partition \d+", "partition N", text)
    text = re.sub(r"NODE .*", "NODE …", text)
    return [" ".join(re.sub("─+", "─", line).split()) for line in text.splitlines() if line.strip()]


def test_what_the_page_shows_is_what_is_answered(environment: dict[str, str], session_id: str) -> None:
    shown = examples()
    assert [command.split()[1] for command, _ in shown] == [
        "list",
        "inspect",
        "stats",
        "end",
        "inspect",
        "end",
    ]
    for command, answer in shown:
        out, err = io.StringIO(), io.StringIO()
        program, *arguments = shlex.split(command.replace(SHOWN, session_id))
        assert program == "polysession"
        assert main(arguments, Terminal(out=out, err=err, environment=environment)) == 0, err.getvalue()
        assert general(out.getvalue().replace(session_id, SHOWN)) == general(answer), command


def test_every_command_and_setting_is_on_the_page() -> None:
    page = PAGE.read_text()
    for module in MODULES:
        assert re.search(rf"\| `{module.NAME}[ `]", page), module.NAME
    for setting in SETTINGS:
        assert f"| `{setting.option}` | `{setting.variable}` |" in page
