"""Each pitfall is there on the stock stacks, or docs/pitfalls.md would warn of nothing; and is not on ours."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOLDS = "PASS"

# What each program says, by pitfall, framework and stack. docs/pitfalls.md has the same as a table.
VERDICTS: dict[tuple[str, str], dict[str, str]] = {
    ("lost_update", "django"): {
        "cache": "FAIL: the cart is empty",
        "cached_db": "FAIL: the cart is empty",
        "db": "FAIL: the cart is empty",
        "polysession": HOLDS,
    },
    ("lost_update", "flask"): {
        "cookie": "FAIL: the cart is empty",
        "flask-session": "FAIL: the cart is empty",
        "polysession": HOLDS,
    },
    ("resurrection", "django"): {
        "cache": "FAIL: the session is alive after its sign-out",
        "cached_db": "FAIL: the session is alive after its sign-out",
        "db": HOLDS,  # its late write is an UPDATE of a row that is gone
        "polysession": HOLDS,
    },
    ("resurrection", "flask"): {
        "cookie": "FAIL: alive after a late /count; alive after a late /who",
        "flask-session": "FAIL: alive after a late /count; alive after a late /who",
        "polysession": HOLDS,
    },
    ("fixation", "django"): {
        "cache": "FAIL: a copied token outlives a new sign-in",
        "cached_db": "FAIL: a copied token outlives a new sign-in",
        "db": "FAIL: a copied token outlives a new sign-in",
        "polysession": HOLDS,
    },
    ("fixation", "flask"): {
        "cookie": "FAIL: a copied token outlives a new sign-in",
        "flask-session": "FAIL: a token from before sign-in is signed in; a copied token outlives a new sign-in",
        "polysession": HOLDS,
    },
}
PROGRAMS = [
    pytest.param(pitfall, framework, stack, verdict, id=f"{pitfall}-{framework}-{stack}")
    for (pitfall, framework), verdicts in VERDICTS.items()
    for stack, verdict in verdicts.items()
]


def run(program: str, stack: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"tests.pitfalls.{program}", stack],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(("pitfall", "framework", "stack", "verdict"), PROGRAMS)
def test_stock_stacks_fall_into_it_and_ours_does_not(
    pitfall: str, framework: str, stack: str, verdict: str, program_environment: Mapping[str, str]
) -> None:
    done = run(f"{pitfall}.in_{framework}", stack, program_environment)
    assert "Traceback" not in done.stderr, done.stderr
    assert done.stdout.strip() == verdict, done.stderr
    assert done.returncode == (verdict != HOLDS)


def test_no_increment_is_lost_where_a_view_gives_the_function(program_environment: Mapping[str, str]) -> None:
    done = run("lost_update.counted", "polysession", program_environment)
    assert done.stdout.strip() == HOLDS, done.stderr
