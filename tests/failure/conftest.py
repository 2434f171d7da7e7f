"""What the failure tests counted, shown after the run: the numbers that a closing note quotes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

_told: list[str] = []


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """`tell("0 of 120 lost")`: a line of the summary, also when the test passes."""
    name = request.node.name

    def note(line: str) -> None:
        _told.append(f"{name}: {line}")

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _told:
        terminalreporter.section("counted", sep="-")
    for line in _told:
        terminalreporter.write_line(line)
