"""``python -m bench`` runs, and what it counts (not what it times: that is the machine's) is as promised."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "packages" / "polysession"


@pytest.fixture(scope="module")
def report(program_environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--rounds", "1", "--block", "2"],
        cwd=PACKAGE,
        env=program_environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def cells_of(report: str, first: str) -> list[list[str]]:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in report.splitlines()]
    return [row[1:] for row in rows if row[0] == first]


@pytest.mark.parametrize("framework", ["Django", "Flask"])
def test_a_read_is_one_round_trip_and_a_write_is_two(report: str, framework: str) -> None:
    _times, sizes = cells_of(report, f"Polysession, {framework}")
    assert sizes[:2] == ["1", "2"]


def test_the_peers_cost_what_their_code_says(report: str) -> None:
    """If these change, the counting is wrong or a peer has improved."""
    _times, flask_session = cells_of(report, "Flask-Session")
    assert flask_session[:2] == ["2", "2"]  # with its defaults a read writes everything back
    _times, django_cache = cells_of(report, "Django `cache`, django-redis")
    assert django_cache[:2] == ["1", "3"]  # get, get again to see that it is there, set


def test_a_write_sends_only_what_changed(report: str) -> None:
    (target,) = cells_of(report, "bytes to Redis of a write, x best peer")
    assert target[2] == "met", target
