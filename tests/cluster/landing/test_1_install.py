"""Step 1: the API server takes every scenario; the platform is Ready in a namespace of Pod Security ``restricted``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster import kind, release
from tests.cluster.pods import Pods
from tests.cluster.shell import ROOT, documents, helm, kubectl

SCENARIOS = sorted(ROOT.glob("charts/*/ci/*-values.yaml"))
DRY = "polysession-dry"


@pytest.fixture(scope="module")
def dry_namespace() -> str:
    kind.make_namespace(DRY)
    return DRY


@pytest.fixture(scope="module")
def served() -> set[str]:
    """Kinds that this cluster knows: those of operators are tried where their definitions are."""
    return set(kubectl("api-resources", "--no-headers", "-o", "name").split())


@pytest.mark.parametrize(
    "values", SCENARIOS, ids=lambda path: f"{path.parts[-3]}:{path.stem.removesuffix('-values')}"
)
def test_the_api_server_takes_the_scenario(values: Path, dry_namespace: str, served: set[str]) -> None:
    """Strict validation, a warning is an error."""
    chart = str(values.parents[1])
    rendered = documents(helm("template", "dry", chart, "--namespace", DRY, "--values", str(values)))
    known = [one for one in rendered if resource(one) in served]
    assert known
    for one in known:
        one["metadata"].setdefault("namespace", DRY)
        for port in one["spec"].get("ports", []) if one["kind"] == "Service" else []:
            port.pop("nodePort", None)  # the release that runs beside it has that one
    kubectl(
        *(
            "apply",
            "--namespace",
            DRY,
            "--dry-run=server",
            "--validate=strict",
            "--warnings-as-errors",
            "-f",
            "-",
        ),
        text=yaml.safe_dump_all(known),
    )


def resource(document: dict[str, Any]) -> str:
    group = document["apiVersion"].rpartition("/")[0]
    kind = document["kind"].lower()
    plural = (
        kind + "es" if kind.endswith(("s", "ss")) else kind[:-1] + "ies" if kind.endswith("y") else kind + "s"
    )
    return f"{plural}.{group}" if group else plural


def test_everything_is_ready(pods: Pods, measured: Callable[[object], None]) -> None:
    """The release that ``kind-up`` has just installed, or a new one."""
    if release.revision() != 1:
        release.uninstall()
        release.install()
    pods.wait_ready(seconds=60)
    seconds = release.seconds_to_ready()
    measured(f"{len(pods.all())} pods Ready in {seconds:.0f} s")
    labels = pods.core.read_namespace(pods.namespace).metadata.labels
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert seconds < 180
