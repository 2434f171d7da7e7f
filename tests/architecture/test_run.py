"""`make test` itself."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from local.progress import Terminal
from tests import run

FAILS_ONCE = """
from pathlib import Path
def test_one():
    seen = Path(__file__).with_name("seen")
    first = not seen.exists()
    seen.touch()
    assert not first
def test_two():
    pass
"""
FAILS = "def test_one():\n    assert False\n"


def suite(folder: Path, source: str) -> run.Suite:
    (folder / "test_it.py").write_text(source)
    (folder / "pytest.ini").write_text("[pytest]\n")
    return run.Suite("it", (sys.executable, "-m", "pytest", "-q", "test_it.py"), str(folder))


def test_a_test_that_fails_once_is_asked_again_alone_and_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    told = io.StringIO()

    assert run.run_all([suite(tmp_path, FAILS_ONCE)], Terminal(told)) == 0

    assert "passed by its second answer: test_it.py::test_one" in told.getvalue()
    assert "1 passed, 1 deselected" in capfd.readouterr().out.splitlines()[-1]


def test_a_test_that_fails_twice_fails_the_run(tmp_path: Path):
    told = io.StringIO()

    assert run.run_all([suite(tmp_path, FAILS)], Terminal(told)) == 1

    assert "0 passed, 1 failed" in told.getvalue()
    assert "second answer" not in told.getvalue()


def test_a_suite_that_cannot_be_collected_is_not_asked_again(tmp_path: Path):
    assert run.run_all([suite(tmp_path, "import nothing_of_that_name\n")], Terminal(io.StringIO())) == 1
