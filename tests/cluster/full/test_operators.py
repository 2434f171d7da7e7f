"""Objects for the operators of Prometheus and of a Gateway: with their definitions here, the API server takes each."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster import release
from tests.cluster.landing.test_1_install import (
    SCENARIOS,
    dry_namespace,
    resource,
    served,
    test_the_api_server_takes_the_scenario,
)
from tests.cluster.pods import Pods
from tests.cluster.shell import NAMESPACE, RELEASE, ROOT, documents, helm, kubectl

__all__ = ["dry_namespace", "served", "test_the_api_server_takes_the_scenario"]

MONITORING = ROOT / "charts/polysession/ci/monitoring-values.yaml"
KINDS = {"HTTPRoute": 1, "PodMonitor": 3, "PrometheusRule": 1, "ServiceMonitor": 3}

pytestmark = pytest.mark.usefixtures("defined")


@pytest.mark.parametrize("values", SCENARIOS, ids=lambda path: f"{path.parts[-3]}:{path.stem}")
def test_no_object_is_left_out(values: Path, served: set[str]) -> None:
    """Each is of a kind that this cluster knows."""
    rendered = documents(helm("template", "dry", str(values.parents[1]), "--values", str(values)))
    assert [one["kind"] for one in rendered if resource(one) not in served] == []


def test_a_release_brings_them(pods: Pods) -> None:
    """Of ``ci/monitoring-values.yaml``, installed and Ready, and gone with the release."""
    release.renew("--values", str(MONITORING))
    pods.wait_ready(seconds=120)
    found = [one["kind"] for one in documents(helm("get", "manifest", RELEASE))]
    assert {kind: found.count(kind) for kind in KINDS} == KINDS
    kinds = ",".join(KINDS)
    assert len(kubectl("get", kinds, "--namespace", NAMESPACE, "-o", "name").split()) == sum(KINDS.values())
    release.uninstall()
    assert kubectl("get", kinds, "--namespace", NAMESPACE, "-o", "name") == ""
