"""`polysession audit` on the running platform, by https: every check that applies passes."""

from __future__ import annotations

import io
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from polysession.cli import Terminal, main

from local.platform import Platform
from local.secrets import Secrets
from local.testing import running

USER, PASSWORD = "auditor", "correct horse battery staple"


@pytest.fixture(scope="module")
def secure_platform() -> Iterator[Platform]:
    with running(tls=True) as platform:
        yield platform


def sign_up(origin: str, certificate: Path) -> None:
    context = ssl.create_default_context(cafile=certificate)
    with httpx.Client(base_url=origin, verify=context, trust_env=False, timeout=20) as browser:
        csrf = browser.get("/api/users/csrf").json()["csrf_token"]
        body = {"username": USER, "email": "auditor@example.org", "password": PASSWORD}
        headers = {"X-CSRF-Token": csrf, "Origin": origin, "Referer": f"{origin}/"}
        answer = browser.post("/api/users/accounts", json=body, headers=headers)
        assert answer.status_code == 201, answer.text


def description(platform: Platform, folder: Path) -> Path:
    files = ", ".join(f'"{file}"' for file in sorted(platform.layout.logs.glob("*.log")))
    file = folder / "app.toml"
    file.write_text(f"[logs]\nfiles = [{files}]\n")
    return file


def ids(report: dict[str, Any], result: str) -> list[str]:
    return [one["id"] for one in report["checks"] if one["result"] == result]


def test_the_platform_passes_every_check_that_applies(secure_platform: Platform, tmp_path: Path) -> None:
    layout = secure_platform.layout
    certificate = Secrets(layout).certificate
    sign_up(layout.public_url, certificate)
    out, err = io.StringIO(), io.StringIO()
    code = main(
        [
            *("audit", layout.public_url, "--preset", "polysession", "--user", USER, "--json"),
            *("--app", str(description(secure_platform, tmp_path)), "--ca-file", str(certificate)),
            *("--traces", layout.url(layout.ports.traces), "--redis", layout.redis_nodes),
        ],
        Terminal(out=out, err=err, environment={"AUDIT_PASSWORD": PASSWORD}),
    )
    assert err.getvalue() == ""
    report = json.loads(out.getvalue())
    assert [one for one in report["checks"] if one["result"] == "fail"] == []
    assert ids(report, "not applicable") == []
    # What no request can tell, and timeouts of hours.
    assert ids(report, "needs input") == [
        *("ASVS-14.3.1", "ASVS-7.3.1", "ASVS-7.3.2"),
        *("ASVS-7.4.2", "ASVS-7.4.4", "ASVS-7.4.5", "ASVS-7.5.1", "ASVS-7.5.3"),
    ]
    assert code == 0
