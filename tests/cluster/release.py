"""The release: installed, upgraded, rolled back and removed by Helm, as a platform team does it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence

from tests.cluster import kind
from tests.cluster.shell import NAMESPACE, RELEASE, ROOT, STATE, helm

CHARTS = STATE / "charts"
CHART = str(CHARTS / "polysession")
VALUES = ("--values", str(CHARTS / "polysession/ci/kind-values.yaml"))
READY_SECONDS = 300
_RECORD = STATE / "installed.json"


def take_charts() -> None:
    """The charts as they are now: what is edited while the steps run is none of theirs."""
    shutil.rmtree(CHARTS, ignore_errors=True)
    shutil.copytree(ROOT / "charts", CHARTS, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))


def install(*more: str) -> float:
    """Seconds until everything is Ready."""
    take_charts()
    kind.make_namespace()
    started = time.monotonic()
    helm("install", RELEASE, CHART, *VALUES, *more, "--wait", "--timeout", f"{READY_SECONDS}s")
    seconds = time.monotonic() - started
    _RECORD.write_text(json.dumps({"seconds": seconds}))
    return seconds


def seconds_to_ready() -> float:
    """Of the installation that is there."""
    return float(json.loads(_RECORD.read_text())["seconds"])


def upgrade(*more: str) -> float:
    started = time.monotonic()
    words = ("--wait", "--timeout", f"{READY_SECONDS * 2}s")
    helm("upgrade", RELEASE, CHART, *VALUES, *more, *words)
    return time.monotonic() - started


def rollback(revision: int = 0) -> float:
    """``0``: to the one before."""
    started = time.monotonic()
    helm("rollback", RELEASE, str(revision), "--wait", "--timeout", f"{READY_SECONDS * 2}s")
    return time.monotonic() - started


def uninstall() -> None:
    helm("uninstall", RELEASE, "--wait", "--timeout", f"{READY_SECONDS}s", "--ignore-not-found")


def revision() -> int:
    """``0``: nothing is installed."""
    found = json.loads(helm("list", "--namespace", NAMESPACE, "--filter", f"^{RELEASE}$", "--output", "json"))
    return int(found[0]["revision"]) if found else 0


def images() -> Sequence[str]:
    """What the installed release runs."""
    return sorted(kind.images_of(helm("get", "manifest", RELEASE)))
