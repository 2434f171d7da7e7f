from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from operations.log import Log


class Lines(io.StringIO):
    """What was logged."""

    @property
    def said(self) -> list[tuple[str, str]]:
        """(level, event) of each line."""
        read = [json.loads(line) for line in self.getvalue().splitlines()]
        return [(line["level"], line["event"]) for line in read]

    @property
    def events(self) -> list[str]:
        return [event for _, event in self.said]

    def level(self, event_part: str) -> str:
        return next(level for level, event in self.said if event_part in event)


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def log(lines: Lines) -> Log:
    return Log("tests", stream=lines)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    return tmp_path
