"""Checks the session rules of OWASP ASVS 5.0.0, the OWASP Session Management
Cheat Sheet, NIST SP 800-63B-4 and OpenTelemetry on a running app, by HTTP, and
prints a report. It signs in about 40 times as the user given, writes, signs
out, and changes the password and back where it is told how: use an account of
its own. Only this machine is audited, unless --allow-host names another that is
yours.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ...core.errors import InvalidSettings
from .. import DONE, NOT_FOUND, UNAVAILABLE, Terminal
from .app import PRESETS, load_app
from .checks import CHECKS
from .http import AppUnreachable, Http, check_target
from .report import audit, describe, layout
from .subject import CannotSignIn, Subject

NAME = "audit"
SUMMARY = "check the session rules of any running web app"
PASSWORD = "AUDIT_PASSWORD"  # noqa: S105 - the variable's name


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("url", nargs="?", metavar="URL", help="the app's origin: https://host:port")
    parser.add_argument("--app", type=Path, metavar="FILE", help="its description, TOML: see docs/audit.md")
    parser.add_argument("--preset", choices=PRESETS, metavar="NAME", help=f"one of {', '.join(PRESETS)}")
    parser.add_argument("--user", metavar="NAME", help="who signs in")
    parser.add_argument("--user-password-file", type=Path, metavar="FILE", help=f"or the variable {PASSWORD}")
    parser.add_argument("--ca-file", metavar="FILE", help="authority of the app's certificate")
    parser.add_argument("--traces", metavar="URL", help="Jaeger's query API")
    parser.add_argument("--redis", metavar="HOST:PORT,…", help="look into the store, read-only")
    parser.add_argument("--wait", type=float, default=0, metavar="S", help="longest timeout to sit out")
    parser.add_argument("--only", metavar="ID,…", help="run these checks")
    parser.add_argument(
        "--allow-host", action="append", default=[], metavar="HOST", help="a host that is yours"
    )
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.add_argument("--list", action="store_true", help="print the checks and their sources; ask nothing")


def run(options: argparse.Namespace, terminal: Terminal) -> int:
    """0: no check failed. 1: one did."""
    if options.list:
        for one in CHECKS:
            terminal.say(f"{one.id:<16} {one.title}\n{'':<16} {one.source}")
        return DONE
    app = load_app(options.app, preset=options.preset, overrides=_overrides(options))
    check_target(app.base_url, options.allow_host)
    if app.traces:
        check_target(app.traces, options.allow_host)
    checks = CHECKS
    if options.only:
        wanted = set(options.only.split(","))
        checks = tuple(one for one in CHECKS if one.id in wanted)
        if len(checks) != len(wanted):
            raise InvalidSettings(("--only names a check that is none: `polysession audit --list`",))
    subject = Subject(
        app, Http(app.base_url, ca_file=app.ca_file), *_account(options, terminal), wait=options.wait
    )
    try:
        report = audit(subject, checks)
    except CannotSignIn as error:
        raise InvalidSettings((str(error),)) from error
    except AppUnreachable as error:
        terminal.complain(str(error))
        return UNAVAILABLE
    if options.json:
        terminal.say(json.dumps(describe(report), indent=2, ensure_ascii=False))
    else:
        terminal.say(layout(report, colour=terminal.out.isatty()))
    return NOT_FOUND if report.failed else DONE


def _overrides(options: argparse.Namespace) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if options.url:
        given["base_url"] = options.url
    if options.ca_file:
        given["ca_file"] = options.ca_file
    if options.traces:
        given["traces"] = {"url": options.traces}
    if options.redis:
        given["redis"] = {"nodes": options.redis}
    return given


def _account(options: argparse.Namespace, terminal: Terminal) -> tuple[str, str]:
    faults = []
    if not options.user:
        faults.append("--user is missing: who signs in")
    password = terminal.environment.get(PASSWORD, "")
    if options.user_password_file:
        try:
            password = options.user_password_file.read_text().rstrip("\r\n")
        except OSError as cause:
            faults.append(f"--user-password-file: {cause.strerror}")
    elif not password:
        faults.append(f"--user-password-file or {PASSWORD} is missing")
    if faults:
        raise InvalidSettings(tuple(faults))
    return options.user, password
