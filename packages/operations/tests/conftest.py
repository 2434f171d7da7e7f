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
    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.getvalue().splitlines()]

    def level(self, event_part: str) -> str:
        return next(
            json.loads(line)["level"]
            for line in self.getvalue().splitlines()
            if event_part in json.loads(line)["event"]
        )


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def log(lines: Lines) -> Log:
    return Log("tests", stream=lines)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    return tmp_path
