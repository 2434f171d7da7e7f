"""Each check of the audit can fail."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from polysession.cli import Terminal, main
from polysession.cli.audit.checks import CHECKS, by_hand, storage, telemetry
from polysession.cli.audit.checks.request import by_tls
from polysession.cli.audit.http import Http

PASSWORD = "correct horse battery staple"
APP = """
name = "the worst app"
cookie = "PHPSESSID"
protected = "/profile"

[sign_in]
path = "/login"
form = { username = "{username}", password = "{password}" }

[sign_out]
path = "/logout"

[write]
path = "/note/{name}"
anonymous = true

[read]
path = "/notes"

[sessions]
path = "/nothing"

[end_all]
path = "/nothing"

[password]
path = "/password"
form = { user = "ada", new = "{new}" }

[timeouts]
idle = 0
absolute = 0
aal = 1

[logs]
files = ["LOG"]
"""
# Clear-Site-Data is one of two ways, so its absence is no failure.
NEVER = {"ASVS-14.3.1"}
# Each has a test of its own.
ELSEWHERE = {one.id for one in (*storage.CHECKS, *by_hand.CHECKS, by_tls)} | {
    one.id for one in telemetry.CHECKS if one.id.startswith("OTEL")
}


def test_every_check_that_a_request_decides_fails_on_an_app_that_breaks_every_rule(
    serve: Any, certificate: Any, tmp_path: Path
) -> None:
    log, file = tmp_path / "access.log", tmp_path / "app.toml"
    file.write_text(APP.replace("LOG", str(log)))
    limits = "--limit-request-line 0 --limit-request-field_size 30000"
    url = serve("worst:application", STOCK_LOG=str(log), GUNICORN_CMD_ARGS=limits)
    out, err = io.StringIO(), io.StringIO()
    code = main(
        ["audit", url, "--app", str(file), "--user", "ada", "--ca-file", str(certificate.file), "--json"],
        Terminal(out=out, err=err, environment={"AUDIT_PASSWORD": PASSWORD}),
    )
    report = json.loads(out.getvalue())
    results = {one["id"]: one for one in report["checks"]}
    kept = {
        id: one["evidence"]
        for id, one in results.items()
        if one["result"] != "fail" and id not in NEVER | ELSEWHERE
    }
    assert kept == {}
    assert set(results) == {one.id for one in CHECKS}
    assert code == 1


def test_plain_http_is_a_failure_where_users_are() -> None:
    class Away:
        http = Http("http://192.0.2.1")

    assert by_tls.run(Away()).result == "fail"  # type: ignore[arg-type]
