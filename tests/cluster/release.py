"""The release: installed, upgraded, rolled back and removed by Helm, as a platform team does it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from tests.cluster import kind
from tests.cluster.shell import NAMESPACE, RELEASE, ROOT, STATE, helm, kubectl

CHARTS = STATE / "charts"
CHART = str(CHARTS / "polysession")
VALKEY = ("--set", "redis.engine=valkey")
READY_SECONDS = 300
_RECORD = STATE / "installed.json"


def values_of(charts: Path) -> tuple[str, str]:
    """For this cluster, as those charts spell them."""
    return "--values", str(charts / "polysession/ci/kind-values.yaml")


VALUES = values_of(CHARTS)


def take_charts() -> None:
    """The charts as they are now: what is edited while the steps run is none of theirs."""
    shutil.rmtree(CHARTS, ignore_errors=True)
    shutil.copytree(ROOT / "charts", CHARTS, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))


def install(*more: str, charts: Path = CHARTS) -> float:
    """Seconds until everything is Ready. ``charts``: others than the checkout's."""
    if charts == CHARTS:
        take_charts()
    kind.make_namespace()
    started = time.monotonic()
    words = (*values_of(charts), *more, "--wait", "--timeout", f"{READY_SECONDS}s")
    helm("install", RELEASE, str(charts / "polysession"), *words)
    seconds = time.monotonic() - started
    _RECORD.write_text(json.dumps({"seconds": seconds, "values": more}))
    return seconds


def seconds_to_ready() -> float:
    """Of the installation that is there."""
    return float(json.loads(_RECORD.read_text())["seconds"])


def is_as_installed(*more: str) -> bool:
    """With these values, and never upgraded."""
    return revision() == 1 and json.loads(_RECORD.read_text())["values"] == list(more)


def upgrade(*more: str, seconds: float = READY_SECONDS * 2) -> float:
    """``seconds``: how long until everything must be Ready, else ``CommandFailed``."""
    started = time.monotonic()
    words = ("--wait", "--timeout", f"{seconds:.0f}s")
    helm("upgrade", RELEASE, CHART, *VALUES, *more, *words)
    return time.monotonic() - started


def rollback(revision: int = 0) -> float:
    """``0``: to the one before."""
    started = time.monotonic()
    helm("rollback", RELEASE, str(revision), "--wait", "--timeout", f"{READY_SECONDS * 2}s")
    return time.monotonic() - started


def uninstall() -> None:
    helm("uninstall", RELEASE, "--wait", "--timeout", f"{READY_SECONDS}s", "--ignore-not-found")


def renew(*more: str) -> float:
    """Installs anew; of what was before, accounts and keys stay, and Redis' data goes: no engine reads the other's files.

    Returns the seconds until everything is Ready.
    """
    uninstall()
    gone = ("--namespace", NAMESPACE, "--selector", "app.kubernetes.io/name=redis-cluster")
    kubectl("delete", "pods,pvc", *gone, "--wait", "--timeout", "120s", "--ignore-not-found")
    take_charts()
    kind.load_missing_images(CHART, *VALUES, *more)
    return install(*more)


def revision() -> int:
    """``0``: nothing is installed."""
    found = json.loads(helm("list", "--namespace", NAMESPACE, "--filter", f"^{RELEASE}$", "--output", "json"))
    return int(found[0]["revision"]) if found else 0


def images() -> Sequence[str]:
    """What the installed release runs."""
    return sorted(kind.images_of(helm("get", "manifest", RELEASE)))
