"""charts/observability: the rules fire when they should, by promtool."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

RULES = Path(__file__).resolve().parents[2] / "charts/observability/rules"


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    assert found, "promtool is missing: Debian's package prometheus has it (make install)"
    return found


def test_every_rule_fires_when_it_should_and_not_before(promtool: str) -> None:
    done = subprocess.run(
        [promtool, "test", "rules", "polysession.test.yaml"], cwd=RULES, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_are_what_prometheus_reads(promtool: str) -> None:
    done = subprocess.run(
        [promtool, "check", "rules", "polysession.yaml"], cwd=RULES, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 rules found" in done.stdout
