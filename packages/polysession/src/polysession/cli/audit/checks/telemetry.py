"""What traces and logs say of a session: its name, never its token."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import quote, urlsplit

from ..check import ASVS, OTEL, SMCS, Finding, check, failed, judged, mask, needs, passed
from ..http import AppUnreachable, Browser, Http, sleep
from ..subject import Subject
from .storage import WINDOW

TRACES = 200  # of each service, the newest
SETTLE_SECONDS = 8.0  # until spans are exported
LOG_BYTES = 4 << 20  # the end of a file
TRACE_BYTES = 64 << 20  # an answer of the traces' store
_TRACES = "traces.url: the query API of Jaeger, or of what speaks it"


@check(
    "OTEL-session.id",
    "Spans of a session's requests carry session.id, which is not the token",
    source=OTEL.format("“Session”: session.id"),
    advice="Put a name of the session that opens nothing on every span of its requests.",
)
def session_named(subject: Subject) -> Finding:
    if not subject.app.traces:
        return needs(_TRACES)
    browser = subject.sign_in().browser
    token, named = subject.token(browser), subject.session_id(browser)
    subject.is_signed_in(browser)
    until = time.monotonic() + SETTLE_SECONDS
    while True:
        found = {value for name, value in _tags(subject.app.traces) if name == "session.id"}
        if (named in found if named else found) or time.monotonic() > until:
            break
        sleep(0.5)
    if any(value == token or (len(value) >= WINDOW and value in token) for value in found):
        return failed(f"session.id is the token {mask(token)}")
    if named and named not in found:
        return failed(f"no span carries session.id {named}")
    return judged(bool(found), f"{named or f'{len(found)} sessions'} on spans" if found else "on no span")


@check(
    "OTEL-no-token",
    "No token stands in a span",
    source=OTEL.format("“URL”: Sensitive information") + "; " + ASVS.format("14.2.3"),
    advice="Capture no Cookie, Set-Cookie or Authorization header, and scrub URLs.",
)
def no_token_in_spans(subject: Subject) -> Finding:
    if not subject.app.traces:
        return needs(_TRACES)
    subject.is_signed_in(subject.first.browser)
    sleep(1.0)
    looked = 0
    for name, value in _tags(subject.app.traces):
        looked += 1
        for token in subject.tokens:
            if token and (token in value or _pieces(token) & _windows(value)):
                return failed(f"{mask(token)} stands in {name}")
    if not looked:
        return needs(f"{_TRACES}: it has no spans")
    return passed(f"{looked} attributes, {len(subject.tokens)} tokens of this audit: none in any")


@check(
    "ASVS-16.2.5",
    "No token stands in a log",
    source=ASVS.format("16.2.5")
    + "; "
    + SMCS.format("Logging Sessions Life Cycle: Monitoring Creation, Usage, and Destruction of Session IDs"),
    advice="Log the session ID, or a keyed hash of the token, never the token.",
)
def no_token_in_logs(subject: Subject) -> Finding:
    if not subject.app.logs:
        return needs("logs.files: the app's log files")
    subject.is_signed_in(subject.first.browser)
    sleep(0.2)
    for file in subject.app.logs:
        try:
            with file.open("rb") as stream:
                stream.seek(max(0, file.stat().st_size - LOG_BYTES))
                text = stream.read(LOG_BYTES).decode("utf-8", "replace")
        except OSError as cause:
            return needs(f"logs.files: {file.name}: {cause.strerror}")
        for token in subject.tokens:
            if token and (token in text or any(piece in text for piece in _pieces(token))):
                return failed(f"{mask(token)} stands in {file.name}")
    return passed(f"{len(subject.app.logs)} files, {len(subject.tokens)} tokens of this audit: none in any")


def _pieces(token: str) -> set[str]:
    return {token[start : start + WINDOW] for start in range(max(1, len(token) - WINDOW + 1))}


def _windows(text: str) -> set[str]:
    return {text[start : start + WINDOW] for start in range(max(1, min(len(text), 4096) - WINDOW + 1))}


def _tags(url: str) -> list[tuple[str, str]]:
    """Name and value of every attribute, process tag and log field, and each span's name. Jaeger's query API."""
    parts = urlsplit(url)
    browser = Browser(Http(url, body_bytes=TRACE_BYTES, timeout=30))
    base = parts.path.rstrip("/")
    found: list[tuple[str, str]] = []
    for service in _data(browser, f"{base}/api/services"):
        query = f"service={quote(str(service))}&limit={TRACES}&lookback=1h"
        for trace in _data(browser, f"{base}/api/traces?{query}"):
            for process in trace.get("processes", {}).values():
                found += _fields(process.get("tags", ()))
            for span in trace.get("spans", ()):
                found.append(("a span's name", str(span.get("operationName", ""))))
                found += _fields(span.get("tags", ()))
                for log in span.get("logs") or ():
                    found += _fields(log.get("fields", ()))
    return found


def _fields(tags: Any) -> list[tuple[str, str]]:
    return [(str(tag.get("key")), str(tag.get("value"))) for tag in tags or ()]


def _data(browser: Browser, path: str) -> list[Any]:
    answer = browser.ask("GET", path)
    try:
        return list(json.loads(answer.body)["data"] or ())
    except (ValueError, KeyError, TypeError) as cause:
        raise AppUnreachable(
            f"the traces' query API answered {answer.status} to {path.partition('?')[0]}"
        ) from cause


CHECKS = (session_named, no_token_in_spans, no_token_in_logs)
