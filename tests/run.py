"""`make test`: every suite, one pytest process a project, on servers of its own. `python -m tests.run NAME…` runs
some, `full` takes all at their whole size.

Suites that need a Redis Cluster and PostgreSQL share one that is started here on free ports and stopped at the end;
the suites under tests/ start the whole platform themselves. All suites run even when one fails; then the exit code is 1.

A test that fails is asked once more after its suite: most wait on real servers, and a machine that gives those no
processor for seconds fails a few of 2,500 (two landings were refused for one each). It passes then by the second answer,
the summary names it, and who reads it there more than once has found a fault.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.errors import LocalError
from local.layout import for_tests
from local.parts.postgres import SERVICES, Postgres
from local.parts.redis_cluster import RedisCluster
from local.platform import Platform
from local.progress import Stopwatch, Terminal
from local.secrets import Secrets
from tests import engines

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
SHELL = "web/react-shell"


@dataclass(frozen=True)
class Suite:
    """One command. ``backed``: it needs the Redis Cluster and PostgreSQL that are shared. ``missing``: why it cannot
    run here, which the summary then says.
    """

    name: str
    command: Sequence[str]
    folder: str = "."
    backed: bool = False
    missing: Callable[[], str | None] = lambda: None


def pytest(*arguments: str) -> Sequence[str]:
    return (sys.executable, "-m", "pytest", *arguments)


TESTS_FAILED = 1
"""pytest's exit code where it came to its end, and a test failed."""

FULL = "POLYSESSION_FULL"
"""Set: tests that are bounded for `make test` take their whole size. Each says by itself what that is."""

CHECKS = (
    Suite("ruff", (str(BIN / "ruff"), "check", ".")),
    Suite("format", (str(BIN / "ruff"), "format", "--check", "--quiet", ".")),
    Suite("types", (sys.executable, "-m", "tests.typing")),
    Suite("arrows", (str(BIN / "lint-imports"),)),
)
TESTS = (
    Suite("polysession", pytest("tests"), "packages/polysession", backed=True),
    Suite("chassis", pytest("tests"), "packages/chassis"),
    Suite("operations", pytest("tests"), "packages/operations"),  # starts Redis nodes of its own
    Suite("users", pytest("tests"), "services/django-users", backed=True),
    Suite("orders", pytest("tests"), "services/flask-orders", backed=True),
    Suite("shell", (str(BIN / "npm"), "run", "--silent", "check"), SHELL),
    Suite("pitfalls", pytest("tests/pitfalls"), backed=True),
    Suite("traces", pytest("local/traces/tests")),
    Suite("architecture", pytest("tests/architecture")),
    Suite("charts", pytest("tests/charts", "-rs")),  # says what it skips where there is no helm
    Suite("terraform", pytest("tests/terraform", "-rs")),  # says what was not validated, and what was checked
    Suite("packaging", pytest("tests/packaging")),
    Suite("engines", (sys.executable, "-m", "tests.engines"), missing=engines.missing),
    Suite("platform", pytest("tests/contract", "tests/integration", "tests/failure", "tests/e2e")),
    Suite("local", pytest("tests/local")),
)

ON_REQUEST = (
    Suite("bench", (sys.executable, "-m", "bench"), "packages/polysession", backed=True),
    Suite("growth", (sys.executable, "-m", "bench.growth"), "packages/polysession"),  # on nodes of its own
)


def main(names: Sequence[str]) -> int:
    terminal = Terminal(sys.stdout)
    suites = [*CHECKS, *TESTS]
    known = {suite.name: suite for suite in (*suites, *ON_REQUEST)}
    if names == ["check"]:
        suites = list(CHECKS)
    elif names == ["full"]:
        os.environ[FULL] = "1"
        suites.append(known["growth"])
    elif names:
        unknown = sorted(set(names) - known.keys())
        if unknown:
            terminal.note(f"No suite is named {', '.join(unknown)}. There are: {', '.join(known)}.")
            return 2
        suites = [suite for suite in known.values() if suite.name in names]
    try:
        return run_all(suites, terminal)
    except LocalError as error:
        terminal.failed(error)
        return 1
    except KeyboardInterrupt:
        terminal.note("\nInterrupted; what was started is stopped.")
        return 130


@dataclass(frozen=True)
class Result:
    """``again``: the tests that passed by their second answer only."""

    suite: Suite
    code: int
    seconds: float
    again: Sequence[str]


def run_one(suite: Suite, environment: Mapping[str, str]) -> Result:
    def answer(*more: str) -> int:
        command, folder = (*suite.command, *more), ROOT / suite.folder
        everything = {**clean_environment(), **environment}
        return subprocess.run(command, cwd=folder, env=everything, check=False).returncode

    watch = Stopwatch()
    if suite.command[1:3] != ("-m", "pytest"):
        return Result(suite, answer(), watch.seconds, ())
    with tempfile.TemporaryDirectory() as folder:
        cache = ("-o", f"cache_dir={folder}")
        code = answer(*cache)
        failed: Sequence[str] = ()
        if code == TESTS_FAILED:
            failed = list(json.loads((Path(folder) / "v/cache/lastfailed").read_text()))
            code = answer(*cache, "--last-failed", "--last-failed-no-failures", "none")
        return Result(suite, code, watch.seconds, failed if code == 0 else ())


def run_all(suites: Sequence[Suite], terminal: Terminal) -> int:
    results: list[Result] = []
    skipped: list[tuple[Suite, str]] = []
    with lazy_backing() as backing:
        for suite in suites:
            terminal.note(f"\n── {suite.name} " + "─" * (70 - len(suite.name)))
            if reason := suite.missing():
                skipped.append((suite, reason))
                continue
            results.append(run_one(suite, backing() if suite.backed else {}))
    tell(results, skipped, terminal)
    return 1 if any(result.code for result in results) else 0


def tell(results: Sequence[Result], skipped: Sequence[tuple[Suite, str]], terminal: Terminal) -> None:
    terminal.note("")
    for result in results:
        mark = terminal.paint("✓", "32") if result.code == 0 else terminal.paint("✗", "31;1")
        again = f'   again: make test ONLY="{result.suite.name}"' if result.code else ""
        terminal.note(f"  {mark} {result.suite.name:<13} {result.seconds:6.1f} s{again}")
        for test in result.again:
            terminal.note(f"    {terminal.paint('!', '33')} passed by its second answer: {test}")
    for suite, reason in skipped:
        terminal.note(f"  {terminal.paint('-', '33')} {suite.name:<13} skipped: {reason}")
    failed = sum(result.code != 0 for result in results)
    terminal.note(f"\nsuites: {len(results) - failed} passed, {failed} failed, {len(skipped)} skipped")


def clean_environment() -> dict[str, str]:
    """The caller's, with this virtual environment first, so that npm is the pinned Node's."""
    return {**os.environ, "PATH": f"{BIN}:{os.environ.get('PATH', '')}"}


@contextmanager
def lazy_backing() -> Iterator[Callable[[], Mapping[str, str]]]:
    """Started by the first suite that needs it."""
    started: list[tuple[Platform, Mapping[str, str]]] = []
    with tempfile.TemporaryDirectory(prefix="polysession-backing-", dir="/var/tmp") as folder:
        os.chmod(folder, 0o711)  # PostgreSQL's own user must pass through

        def start() -> Mapping[str, str]:
            if not started:
                layout = for_tests(ROOT, Path(folder) / "state", choose=random.SystemRandom())
                # No test fails these nodes: on a starved machine they shall not think so either.
                redis_cluster = RedisCluster(layout, node_timeout_ms=15_000)
                stages = ((Postgres(layout, may_create=True), redis_cluster),)
                platform = Platform(layout, stages=stages)
                platform.start()
                secrets = Secrets(layout)
                address = f"127.0.0.1:{layout.ports.postgres}"
                environment = {"TEST_REDIS_NODES": layout.redis_nodes}
                for service in SERVICES:
                    password = secrets.database_password(service).read_text()
                    url = f"postgresql://{service}:{password}@{address}/{service}"
                    environment[f"TEST_{service.upper()}_DATABASE_URL"] = url
                started.append((platform, environment))
            return started[0][1]

        try:
            yield start
        finally:
            for platform, _ in started:
                platform.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
