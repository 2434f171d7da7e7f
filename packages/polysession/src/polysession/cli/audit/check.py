"""A check: its number, where its rule stands, and what to do where it fails; and what one run of it found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from .subject import Subject

Result = Literal["pass", "fail", "not applicable", "needs input"]

ASVS = "OWASP ASVS 5.0.0, {}"
SMCS = "OWASP Session Management Cheat Sheet, “{}”"
NIST = "NIST SP 800-63B-4, section {}"
OTEL = "OpenTelemetry semantic conventions, {}"


@dataclass(frozen=True, slots=True)
class Finding:
    """``evidence``: what was seen. Never a token: see ``mask``."""

    result: Result
    evidence: str


@dataclass(frozen=True, slots=True)
class Check:
    id: str
    title: str
    source: str
    advice: str
    run: Callable[[Subject], Finding]
    group: str = ""


def check(
    id: str, title: str, *, source: str, advice: str
) -> Callable[[Callable[[Subject], Finding]], Check]:
    """Makes a check of the function that runs it."""
    return lambda run: Check(id, title, source, advice, run)


def passed(evidence: str) -> Finding:
    return Finding("pass", evidence)


def failed(evidence: str) -> Finding:
    return Finding("fail", evidence)


def not_applicable(why: str) -> Finding:
    return Finding("not applicable", why)


def needs(what: str) -> Finding:
    return Finding("needs input", what)


def judged(holds: bool, evidence: str) -> Finding:
    return passed(evidence) if holds else failed(evidence)


def mask(token: str) -> str:
    """The first four characters: enough to tell two apart, too little to use."""
    return token[:4] + "…"
