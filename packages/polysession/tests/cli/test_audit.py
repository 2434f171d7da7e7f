"""The audit tells a stack that keeps the rules from stacks that do not: stock Django and stock Flask-Session fail just
what is listed here; the same Flask app on polysession fails nothing but what the app itself lacks.
"""

from __future__ import annotations

import io
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from polysession.cli import Terminal, main
from polysession.cli.audit.app import load_app
from polysession.cli.audit.checks import CHECKS
from redis import Redis

PAGE = Path(__file__).parents[4] / "docs" / "audit.md"
PASSWORD = "correct horse battery staple"
NOTES = """
[write]
path = "/note/{name}"
anonymous = true

[read]
path = "/notes"
"""
OURS = (
    'cookie = "__Host-session"\n'
    + NOTES
    + """
[csrf]
page = "/login"
take = "json:csrf_token"
give = "header:X-CSRF-Token"

[sign_out]
method = "POST"
path = "/logout"

[timeouts]
idle = 1800
absolute = 43200
aal = 2
"""
)
BY_HAND = [
    *("ASVS-7.1.1", "ASVS-7.1.2", "ASVS-7.1.3", "ASVS-7.4.2", "ASVS-7.4.4", "ASVS-7.4.5"),
    *("ASVS-7.5.1", "ASVS-7.5.3", "ASVS-7.6.1"),
]
DJANGO_FAILS = [
    "ASVS-3.3.1",  # no Secure, no prefix: SESSION_COOKIE_SECURE is off
    "ASVS-3.3.3",
    "NIST-5.1",  # the cookie lives for two weeks
    "SMCS-name",  # sessionid
    "ASVS-7.2.4c",  # login() of the same user keeps the key
    "NIST-2.2.3",
    "ASVS-7.5.2a",
    "ASVS-7.5.2b",
    "ASVS-7.3.2",
    "ASVS-15.4.1",  # the last save wins it all
    "ASVS-7.4.1b",  # a save between check and set brings it back
    "ASVS-14.3.2",
    "SMCS-storage",  # the key's name is the token
    "ASVS-1.5.2",
]
FLASK_FAILS = [
    "ASVS-3.3.1",
    "ASVS-3.3.2",  # SESSION_COOKIE_SAMESITE is None
    "ASVS-3.3.3",
    "NIST-5.1",
    "ASVS-7.2.4a",  # fixation: the quickstart's sign-in renews nothing
    "ASVS-7.2.4b",
    "ASVS-7.2.4c",
    "NIST-2.2.3",
    "ASVS-7.5.2a",
    "ASVS-7.5.2b",
    "ASVS-7.3.2",
    "ASVS-15.4.1",
    "ASVS-7.4.1b",
    "ASVS-3.5.1",
    "ASVS-3.5.3",
    "ASVS-14.3.2",
    "SMCS-storage",
]
NO_TELEMETRY = ["OTEL-session.id", "OTEL-no-token", "ASVS-16.2.5"]


def run(*arguments: str) -> tuple[int, dict[str, Any]]:
    out, err = io.StringIO(), io.StringIO()
    terminal = Terminal(out=out, err=err, environment={"AUDIT_PASSWORD": PASSWORD})
    code = main(["audit", *arguments, "--user", "ada", "--json"], terminal)
    assert err.getvalue() == ""
    assert PASSWORD not in out.getvalue()
    report = json.loads(out.getvalue())
    assert not [one for one in report["checks"] if seems_a_token(one["evidence"])]
    return code, report


def seems_a_token(text: str) -> bool:
    return re.search(r"[A-Za-z0-9_-]{24,}", text) is not None


def ids(report: dict[str, Any], result: str) -> list[str]:
    return [one["id"] for one in report["checks"] if one["result"] == result]


def describe(folder: Path, text: str) -> str:
    file = folder / "app.toml"
    file.write_text(text)
    return str(file)


@pytest.fixture(scope="module")
def django_url(serve: Any, plain_redis: int, tmp_path_factory: pytest.TempPathFactory) -> str:
    database = tmp_path_factory.mktemp("django") / "db.sqlite3"
    redis = f"redis://127.0.0.1:{plain_redis}/0"
    return str(serve("stock_django:application", STOCK_DATABASE=str(database), STOCK_REDIS_URL=redis))


@pytest.fixture(scope="module")
def flask_url(serve: Any, plain_redis: int) -> str:
    redis = f"redis://127.0.0.1:{plain_redis}/1"
    return str(serve("stock_flask:app", STOCK_STACK="flask-session", STOCK_REDIS_URL=redis))


def test_stock_django_fails_what_it_is_known_to_fail(
    django_url: str, plain_redis: int, certificate: Any, tmp_path: Path
) -> None:
    code, report = run(
        *(django_url, "--preset", "django", "--app", describe(tmp_path, NOTES)),
        *("--ca-file", str(certificate.file), "--redis", f"127.0.0.1:{plain_redis}/0"),
    )
    assert ids(report, "fail") == DJANGO_FAILS
    assert ids(report, "not applicable") == []
    assert ids(report, "needs input") == ["ASVS-14.3.1", "ASVS-7.3.1", *NO_TELEMETRY, *BY_HAND]
    assert code == 1
    assert report["requests"] < 400


def test_stock_flask_session_fails_what_it_is_known_to_fail(
    flask_url: str, plain_redis: int, certificate: Any, tmp_path: Path
) -> None:
    code, report = run(
        *(flask_url, "--preset", "flask", "--app", describe(tmp_path, NOTES)),
        *("--ca-file", str(certificate.file), "--redis", f"127.0.0.1:{plain_redis}/1"),
    )
    assert ids(report, "fail") == FLASK_FAILS
    assert ids(report, "not applicable") == ["ASVS-7.4.3"]
    assert ids(report, "needs input") == ["ASVS-14.3.1", "ASVS-7.3.1", *NO_TELEMETRY, *BY_HAND]
    assert code == 1


def our_app(
    serve: Any,
    keys: Path,
    prefix: str,
    nodes: tuple[tuple[str, int], ...],
    *,
    app: str = "stock_flask:app",
    **settings: str,
) -> str:
    joined = ",".join(f"{host}:{port}" for host, port in nodes)
    given = {"STOCK_KEYS": str(keys), "STOCK_PREFIX": prefix, "STOCK_REDIS_NODES": joined, **settings}
    return str(serve(app, STOCK_STACK="polysession", **given))


def test_the_same_flask_app_on_polysession_fails_only_what_the_app_lacks(
    serve: Any,
    keys: Path,
    prefix: str,
    redis_nodes: tuple[tuple[str, int], ...],
    certificate: Any,
    tmp_path: Path,
) -> None:
    url = our_app(serve, keys, prefix, redis_nodes)
    nodes = ",".join(f"{host}:{port}" for host, port in redis_nodes)
    _, report = run(
        *(url, "--preset", "flask", "--app", describe(tmp_path, OURS)),
        *("--ca-file", str(certificate.file), "--redis", nodes),
    )
    assert ids(report, "fail") == ["ASVS-7.5.2a", "ASVS-7.5.2b"]  # it has no page for them
    assert ids(report, "needs input") == [
        "ASVS-14.3.1",
        "ASVS-7.3.1",
        "ASVS-7.3.2",
        *NO_TELEMETRY,
        *BY_HAND,
    ]


def test_the_same_django_app_on_polysession_fails_only_what_the_app_lacks(
    serve: Any,
    keys: Path,
    prefix: str,
    redis_nodes: tuple[tuple[str, int], ...],
    certificate: Any,
    tmp_path: Path,
) -> None:
    django = {"app": "stock_django:application", "STOCK_DATABASE": str(tmp_path / "db.sqlite3")}
    url = our_app(serve, keys, prefix, redis_nodes, **django)
    nodes = ",".join(f"{host}:{port}" for host, port in redis_nodes)
    _, report = run(
        *(url, "--preset", "django-polysession", "--app", describe(tmp_path, NOTES)),
        *("--ca-file", str(certificate.file), "--redis", nodes),
    )
    # It has no page that lists sessions, and its views ask for no Cache-Control (Django: never_cache).
    assert ids(report, "fail") == ["ASVS-7.5.2a", "ASVS-7.5.2b", "ASVS-14.3.2"]


def test_timeouts_that_are_short_enough_are_sat_out(
    serve: Any,
    keys: Path,
    prefix: str,
    redis_nodes: tuple[tuple[str, int], ...],
    certificate: Any,
    tmp_path: Path,
) -> None:
    url = our_app(serve, keys, prefix, redis_nodes, STOCK_IDLE="2", STOCK_ABSOLUTE="3")
    description = OURS.replace("idle = 1800", "idle = 2").replace("absolute = 43200", "absolute = 3")
    code, report = run(
        *(url, "--preset", "flask", "--app", describe(tmp_path, description)),
        *("--ca-file", str(certificate.file), "--wait", "3", "--only", "ASVS-7.3.1,ASVS-7.3.2"),
    )
    assert ids(report, "pass") == ["ASVS-7.3.1", "ASVS-7.3.2"]
    assert code == 0


def test_a_timeout_that_does_not_come_is_found(flask_url: str, certificate: Any, tmp_path: Path) -> None:
    description = NOTES + "\n[timeouts]\nidle = 1\nabsolute = 1\n"
    code, report = run(
        *(flask_url, "--preset", "flask", "--app", describe(tmp_path, description)),
        *("--ca-file", str(certificate.file), "--wait", "3", "--only", "ASVS-7.3.1,ASVS-7.3.2"),
    )
    assert ids(report, "fail") == ["ASVS-7.3.1", "ASVS-7.3.2"]
    assert code == 1


def test_a_page_that_opens_to_everybody_is_no_test_of_a_session(
    flask_url: str, certificate: Any, tmp_path: Path
) -> None:
    out, err = io.StringIO(), io.StringIO()
    arguments = ["audit", flask_url, "--preset", "flask", "--user", "ada", "--ca-file", str(certificate.file)]
    terminal = Terminal(out=out, err=err, environment={"AUDIT_PASSWORD": PASSWORD})
    description = describe(tmp_path, 'protected = "/login"\n')
    assert main([*arguments, "--app", description], terminal) == 2
    assert "opens without a sign-in" in err.getvalue()
    description = describe(tmp_path, 'protected = "/login"\nmarker = "never there"\n')
    assert main([*arguments, "--app", description], terminal) == 2
    assert "sign-in was answered 302" in err.getvalue()


def test_an_audit_leaves_no_session_behind(
    flask_url: str, plain_redis: int, certificate: Any, tmp_path: Path
) -> None:
    with Redis(port=plain_redis, db=1) as store:
        store.flushdb()
        run(
            *(flask_url, "--preset", "flask", "--app", describe(tmp_path, NOTES)),
            *("--ca-file", str(certificate.file), "--only", "ASVS-7.2.3,ASVS-7.2.4c"),
        )
        assert store.keys("session:*") == []


# --- docs/audit.md


def rows_of(page: str, section: str) -> list[list[str]]:
    text = page.split(f"\n## {section}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in row] for row in rows[2:]]


def test_the_page_lists_every_check_with_its_source_and_what_the_stock_stacks_fail() -> None:
    page = PAGE.read_text()
    checks = {row[0]: row for row in rows_of(page, "The checks")}
    assert list(checks) == [one.id for one in CHECKS]
    for one in CHECKS:
        assert checks[one.id][1:3] == [one.title, one.source]
    assert [id for id, row in checks.items() if row[3] == "fails"] == DJANGO_FAILS
    assert [id for id, row in checks.items() if row[4] == "fails"] == FLASK_FAILS


def test_the_pages_description_is_a_description() -> None:
    text = PAGE.read_text().split("```toml\n")[1].split("```")[0]
    app = load_app(None, preset=None, overrides=tomllib.loads(text))
    assert app.write is not None
    assert {one for one in dir(app) if not one.startswith("_")} >= {"logs", "stated"}
    for name in (
        "csrf",
        "sign_out",
        "end_all",
        "password",
        "traces",
        "redis",
        "logs",
        "stated",
        "absent",
        "marker",
    ):
        assert getattr(app, name), f"the page's example does not show {name}"
