"""An audit's outcome: run every check, and write it down for people (80 columns) or machines."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, get_args

from ...core.errors import StoreUnavailable
from .app import App
from .check import Check, Finding, Result, needs
from .http import AppUnreachable, BudgetSpent
from .subject import CannotSignIn, Subject

WIDTH = 80
_DETAILS, _TITLE = 11, 28  # columns
RESULTS: tuple[Result, ...] = get_args(Result)
_MARKS = {"pass": "✓ pass", "fail": "✗ FAIL", "not applicable": "- n/a", "needs input": "? input"}
_COLOURS = {"pass": "32", "fail": "31;1", "not applicable": "2", "needs input": "33"}
RULES = "OWASP ASVS 5.0.0 · OWASP Session Management Cheat Sheet · NIST SP 800-63B-4 · OpenTelemetry"


@dataclass(frozen=True, slots=True)
class Line:
    check: Check
    finding: Finding


@dataclass(frozen=True, slots=True)
class Report:
    app: App
    at: datetime
    lines: tuple[Line, ...]
    requests: int

    def ids(self, result: Result) -> tuple[str, ...]:
        return tuple(line.check.id for line in self.lines if line.finding.result == result)

    @property
    def failed(self) -> bool:
        return bool(self.ids("fail"))


def audit(subject: Subject, checks: Sequence[Check]) -> Report:
    """Raises ``CannotSignIn``, and ``AppUnreachable`` where nothing answers at all; a check in which the app, its store
    or its traces gave no answer needs input.
    """
    subject.check_door()
    _ = subject.first
    lines = tuple(Line(one, _run(one, subject)) for one in checks)
    subject.leave()
    return Report(subject.app, datetime.now(UTC), lines, subject.http.asked)


def _run(check: Check, subject: Subject) -> Finding:
    try:
        return check.run(subject)
    except (AppUnreachable, BudgetSpent, CannotSignIn, StoreUnavailable) as error:
        return needs(f"{type(error).__name__}: {error}")


def describe(report: Report) -> dict[str, Any]:
    """Ready for JSON."""
    return {
        "app": report.app.name,
        "base_url": report.app.base_url,
        "at": report.at.isoformat(timespec="seconds"),
        "rules": RULES.split(" · "),
        "requests": report.requests,
        "counts": {result: len(report.ids(result)) for result in RESULTS},
        "checks": [
            {
                "id": line.check.id,
                "title": line.check.title,
                "source": line.check.source,
                "result": line.finding.result,
                "evidence": line.finding.evidence,
                "advice": line.check.advice if line.finding.result == "fail" else None,
            }
            for line in report.lines
        ],
    }


def layout(report: Report, *, colour: bool = False) -> str:
    """A group a heading; a failure tells what to do and where its rule stands."""

    def paint(text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if colour else text

    lines = [
        paint(f"Session audit of {report.app.name}", "1"),
        f"{report.app.base_url} · {report.at:%Y-%m-%d %H:%M} UTC · {report.requests} requests",
        *_wrapped(RULES, 0),
    ]
    group = ""
    for line in report.lines:
        if line.check.group != group:
            group = line.check.group
            lines += ["", paint(group, "1"), ""]
        result = line.finding.result
        title = _wrapped(line.check.title, _TITLE)
        mark = paint(_MARKS[result], _COLOURS[result]) + " " * (_DETAILS - 2 - len(_MARKS[result]))
        lines.append(f"  {mark}{line.check.id.ljust(_TITLE - _DETAILS)}{title[0].strip()}")
        lines += title[1:]
        lines += [paint(one, "2") for one in _wrapped(line.finding.evidence, _DETAILS)]
        if result == "fail":
            lines += _wrapped(f"→ {line.check.advice}", _DETAILS)
            lines += [paint(one, "2") for one in _wrapped(line.check.source, _DETAILS)]
    counts = [paint(f"{len(report.ids(result))} {result}", _COLOURS[result]) for result in RESULTS]
    return "\n".join([*lines, "", "  " + " · ".join(counts)])


def _wrapped(text: str, indent: int) -> list[str]:
    blank = " " * indent
    return textwrap.wrap(text, WIDTH, initial_indent=blank, subsequent_indent=blank, break_on_hyphens=False)
