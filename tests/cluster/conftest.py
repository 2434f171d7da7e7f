"""The cluster that ``make kind-up`` made, and what the steps measured."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.cluster import evidence
from tests.cluster.pods import Pods
from tests.cluster.shell import ROOT, STATE, refuse_other_contexts

SUMMARY = STATE / "summary.json"
_measured: dict[str, list[str]] = {}
_took: dict[str, float] = {}


@pytest.fixture(scope="session", autouse=True)
def our_cluster() -> None:
    refuse_other_contexts()


@pytest.fixture(scope="session")
def pods(our_cluster: None) -> Pods:
    return Pods()


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Callable[[object], None]:
    """Call it with what is to stand in the summary, also when the step fails afterwards."""
    return lambda what: _measured.setdefault(_title(request.node), []).append(str(what))


def _title(item: pytest.Item) -> str:
    """The promise; in the full suite, where modules share some, after its module."""
    name = item.name.removeprefix("test_").replace("_", " ")
    if item.path.parent.name != "full":
        return name
    return f"{item.path.stem.removeprefix('test_').replace('_', ' ')}: {name}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Iterator[None]:
    report = yield
    if call.when == "call":
        _took[_title(item)] = call.duration
    if report.failed:
        folder = evidence.collect(item.name)
        report.sections.append(("the cluster", f"What it looked like is in {folder.relative_to(ROOT)}."))
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not _took:
        return
    terminalreporter.section("what was measured")
    for name, seconds in _took.items():
        terminalreporter.write_line(f"{seconds:6.1f} s  {name}")
        for what in _measured.get(name, []):
            terminalreporter.write_line(f"          {what}")
    steps = [
        {"step": name, "seconds": round(s, 1), "measured": _measured.get(name, [])}
        for name, s in _took.items()
    ]
    text = json.dumps({"date": time.strftime("%Y-%m-%d"), "steps": steps}, indent=1)
    SUMMARY.write_text(text + "\n")
