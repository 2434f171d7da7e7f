"""The parts of an audit: what it asks to be told, whom it refuses, how it counts and what it writes down."""

from __future__ import annotations

import io
import json
import re
import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from polysession import InvalidSettings
from polysession.cli import Terminal, main
from polysession.cli.audit.app import PRESETS, Action, load_app
from polysession.cli.audit.check import Finding, mask
from polysession.cli.audit.checks import CHECKS
from polysession.cli.audit.checks.cookie import opaque
from polysession.cli.audit.checks.telemetry import no_token_in_spans, session_named
from polysession.cli.audit.checks.token import entropy
from polysession.cli.audit.http import Browser, BudgetSpent, Http, SetCookie, check_target
from polysession.cli.audit.report import RESULTS, Line, Report, layout
from polysession.cli.audit.subject import Subject

MINIMAL = {
    "base_url": "http://127.0.0.1:1",
    "protected": "/me",
    "sign_in": {"path": "/in", "form": {"user": "{username}", "password": "{password}"}},
}


def command(*arguments: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    code = main(["audit", *arguments], Terminal(out=out, err=err, environment={"AUDIT_PASSWORD": "x"}))
    return code, out.getvalue(), err.getvalue()


# --- whom it asks


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8400", "https://localhost", "http://[::1]:80", "http://a.localhost"]
)
def test_this_machine_may_be_audited(url: str) -> None:
    check_target(url, [])


def test_another_host_only_where_it_was_named() -> None:
    for url in ("https://shop.example", "http://192.0.2.1:80", "https://127.0.0.1.example"):
        with pytest.raises(InvalidSettings, match="--allow-host"):
            check_target(url, ["another.example"])
    check_target("https://shop.example", ["shop.example"])
    code, _, err = command("https://shop.example", "--preset", "django", "--user", "ada")
    assert code == 2
    assert "--allow-host shop.example" in err


def test_an_app_that_is_not_there_is_exit_code_3() -> None:
    code, _, err = command("http://127.0.0.1:1", "--preset", "django", "--user", "ada")
    assert code == 3
    assert "gave no answer" in err


def test_the_number_of_requests_is_bounded() -> None:
    http = Http("http://127.0.0.1:1", requests=0)
    with pytest.raises(BudgetSpent):
        Browser(http).ask("GET", "/")


# --- what it is told


def test_every_fault_of_a_description_is_in_one_message() -> None:
    wrong = {
        "sign_in": {"path": "in", "json": {}, "form": {}},
        "csrf": {"page": "/", "take": "x", "give": "y"},
        "colour": "red",
        "write": {"path": "/w", "verb": "PUT"},
    }
    with pytest.raises(InvalidSettings) as caught:
        load_app(None, preset=None, overrides=wrong)
    told = str(caught.value)
    for word in (
        "base_url",
        "protected",
        "sign_in.path",
        "json and form",
        "csrf.take",
        "csrf.give",
        "colour",
        "verb",
        "read",
    ):
        assert word in told


def test_a_file_goes_over_a_preset_and_options_over_both(tmp_path: Path) -> None:
    file = tmp_path / "app.toml"
    file.write_text(
        'preset = "django"\nprotected = "/desk/"\n[timeouts]\nidle = 60\n[sign_out]\npath = "/bye"\n'
    )
    app = load_app(file, preset=None, overrides={"base_url": "https://127.0.0.1:1/"})
    assert (app.base_url, app.protected, app.cookie) == ("https://127.0.0.1:1", ("/desk/",), "sessionid")
    assert (app.timeouts.idle, app.timeouts.absolute, app.timeouts.aal) == (60, 0, 1)
    assert app.sign_out is not None
    assert (app.sign_out.method, app.sign_out.path) == ("POST", "/bye")


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_whole_but_for_the_address(name: str) -> None:
    app = load_app(None, preset=name, overrides={"base_url": "http://127.0.0.1:1"})
    assert app.sign_out is not None
    assert set(app.stated) <= {one.id for one in CHECKS}


def test_what_a_request_needs_is_filled_in() -> None:
    action = Action("POST", "/note/{name}", form={"v": "{value}"})
    assert action.fill({"name": "a", "value": "b c"}, {"csrf": "t"}) == (
        "/note/a",
        b"v=b+c&csrf=t",
        "application/x-www-form-urlencoded",
    )
    action = Action("PUT", "/x", json={"password": "{new}", "count": 1})
    assert action.fill({"new": "n"}, {})[1] == b'{"password": "n", "count": 1}'


# --- what it sees


def test_a_cookie_is_read_as_it_was_sent() -> None:
    cookie = SetCookie.parse('__Host-session="abc"; Path=/; Secure; HttpOnly; SameSite=Lax')
    assert (cookie.name, cookie.value) == ("__Host-session", "abc")
    assert cookie.attributes == {"path": "/", "secure": "", "httponly": "", "samesite": "Lax"}
    assert not cookie.clears
    for gone in ("a=; Path=/", "a=b; Max-Age=0", "a=b; expires=Thu, 01 Jan 1970 00:00:00 GMT"):
        assert SetCookie.parse(gone).clears


@pytest.mark.parametrize(
    ("make", "least", "most"),
    [
        (lambda: secrets.token_hex(16), 120, 128),
        (lambda: secrets.token_urlsafe(16), 120, 132),
        (lambda: "user-42-" + secrets.token_hex(4), 20, 32),
        (lambda: f"{secrets.randbelow(10**8):08}", 20, 27),
        (lambda: "the same", 0, 0),
    ],
)
def test_entropy_is_bounded_by_what_varies(make: Callable[[], str], least: int, most: int) -> None:
    _, bits, _ = entropy(tuple(make() for _ in range(16)))
    assert least <= bits <= most


class _Subject:
    """Just what ``opaque`` looks at."""

    username = "ada"

    def __init__(self, token: str) -> None:
        self.first = type("First", (), {"cookie": SetCookie("session", token, {})})


@pytest.mark.parametrize(
    ("token", "result"),
    [
        ("eyJ1c2VybmFtZSI6ImFkYSJ9.aSdfgh.qwertz", "fail"),  # Flask's own: a JSON object, signed
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2ln", "fail"),
        ("ada:4f3e2d1c", "fail"),
        ("4f3e2d1c5b6a79880011223344556677", "pass"),
        ("sAdO1k8sHq3ZbX9vWmT2yRcPeLfGjNu4aQwErTyUiOpAsDfGhJkLzXcVbNm0123456789", "pass"),
    ],
)
def test_a_token_that_can_be_read_is_not_opaque(token: str, result: str) -> None:
    assert opaque.run(_Subject(token)).result == result  # type: ignore[arg-type]


# --- traces


class Traces:
    """Jaeger's query API with one span, on this machine."""

    def __init__(self) -> None:
        self.tags: dict[str, str] = {}
        traces = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content: Any = ["app"] if self.path == "/api/services" else [traces.trace()]
                body = json.dumps({"data": content}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def trace(self) -> dict[str, Any]:
        tags = [{"key": key, "value": value} for key, value in self.tags.items()]
        return {"processes": {}, "spans": [{"operationName": "GET /me", "tags": tags, "logs": []}]}


@pytest.fixture
def traces() -> Iterator[Traces]:
    made = Traces()
    thread = Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


class Signed(Subject):
    """Signed in already, with a token that is known."""

    token_text = "sAQhYmFkZ2VyLW1vcmUtdGhhbi0yNC1jaGFyYWN0ZXJzLWxvbmc"

    def sign_in(self, browser: Browser | None = None) -> Any:
        self.tokens.add(self.token_text)
        made = browser or Browser(self.http, {"session": self.token_text})
        return type("In", (), {"browser": made, "cookie": SetCookie("session", self.token_text, {})})

    def is_signed_in(self, browser: Browser) -> bool:
        return True


@pytest.fixture
def subject(traces: Traces) -> Subject:
    app = load_app(
        None, preset=None, overrides={**MINIMAL, "cookie": "session", "traces": {"url": traces.url}}
    )
    return Signed(app, Http(app.base_url), "ada", "x")


def test_a_token_in_a_span_is_found_whole_or_in_part(traces: Traces, subject: Subject) -> None:
    _ = subject.first
    traces.tags = {"session.id": "badger"}
    assert no_token_in_spans.run(subject).result == "pass"
    for value in (f"session={Signed.token_text}", Signed.token_text[9:40]):
        traces.tags = {"http.request.header.cookie": value}
        found = no_token_in_spans.run(subject)
        assert found.result == "fail"
        assert "http.request.header.cookie" in found.evidence
        assert value not in found.evidence


def test_many_spans_are_looked_through_whole(traces: Traces, subject: Subject) -> None:
    _ = subject.first
    traces.tags = {f"http.{number}": "x" * 1000 for number in range(2000)} | {"zz": Signed.token_text}
    assert no_token_in_spans.run(subject).result == "fail"


def test_a_session_id_that_is_the_token_is_found(traces: Traces, subject: Subject) -> None:
    traces.tags = {"session.id": "badger"}
    assert session_named.run(subject).result == "pass"
    traces.tags = {"session.id": Signed.token_text}
    assert session_named.run(subject).result == "fail"


# --- the report


def test_checks_are_numbered_and_each_names_its_source() -> None:
    numbers = [one.id for one in CHECKS]
    assert len(set(numbers)) == len(numbers)
    for one in CHECKS:
        family, _, rest = one.id.partition("-")
        if family == "ASVS":
            number = re.match(r"\d+\.\d+\.\d+", rest)
            assert number is not None
            assert f"ASVS 5.0.0, {number[0]}" in one.source
        else:
            assert {"SMCS": "Cheat Sheet", "NIST": "800-63B-4, section", "OTEL": "OpenTelemetry"}[
                family
            ] in one.source
    chapter = {one.id.removeprefix("ASVS-").rstrip("abc") for one in CHECKS if one.id.startswith("ASVS-7.")}
    sizes = {1: 3, 2: 4, 3: 2, 4: 5, 5: 3, 6: 2}  # ASVS 5.0.0, chapter V7
    assert chapter == {f"7.{section}.{n}" for section, size in sizes.items() for n in range(1, size + 1)}


def test_the_report_fits_into_80_columns_and_says_what_to_do_where_a_check_fails() -> None:
    lines = tuple(
        Line(one, Finding(RESULTS[number % 4], f"evidence {number} " * 9))
        for number, one in enumerate(CHECKS)
    )
    app = load_app(None, preset=None, overrides=MINIMAL)
    text = layout(Report(app, datetime(2026, 1, 2, tzinfo=UTC), lines, 7))
    assert max(len(line) for line in text.splitlines()) <= 80
    flat = " ".join(text.split())
    for line in lines:
        assert line.check.id in flat
        advice = " ".join(f"→ {line.check.advice}".split())
        failing = [
            one for one in lines if one.finding.result == "fail" and one.check.advice == line.check.advice
        ]
        assert flat.count(advice) == len(failing)
    assert (
        " · ".join(f"{sum(one.finding.result == result for one in lines)} {result}" for result in RESULTS)
        in flat
    )


def test_colours_change_no_text() -> None:
    app = load_app(None, preset=None, overrides=MINIMAL)
    lines = tuple(Line(CHECKS[0], Finding(result, "seen")) for result in RESULTS)
    report = Report(app, datetime(2026, 1, 2, tzinfo=UTC), lines, 7)
    coloured = layout(report, colour=True)
    assert coloured != layout(report)
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == layout(report)


def test_a_token_is_shown_by_four_characters() -> None:
    assert mask("abcdefghij") == "abcd…"


def test_list_prints_every_check_and_asks_nothing() -> None:
    code, out, _ = command("--list")
    assert code == 0
    assert all(one.id in out and one.source in out for one in CHECKS)


def test_a_check_that_is_none_is_named_as_a_fault() -> None:
    code, _, err = command("http://127.0.0.1:1", "--preset", "django", "--user", "ada", "--only", "ASVS-99.1")
    assert code == 2
    assert "--only" in err


def test_whoever_signs_in_must_be_named(tmp_path: Path) -> None:
    code, _, err = command(
        "http://127.0.0.1:1", "--preset", "django", "--user-password-file", str(tmp_path / "none")
    )
    assert code == 2
    assert "--user is missing" in err
    assert "--user-password-file" in err
