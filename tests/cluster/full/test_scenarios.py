"""Scenarios of each chart's ``ci`` folder, installed; landing has the API server look at all of them.

Left out: ``production`` (a registry and stores that are not here), ``openshift`` (IDs and DNS of OpenShift), ``kind`` and
``monitoring`` (other modules install them), and the two services alone (they need a release of their name).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from tests.cluster import kind, release
from tests.cluster.pods import Pods, wait
from tests.cluster.shell import ROOT, helm, kubectl

SPACE = "polysession-scenario"
NAME = "scenario"
SCENARIOS = (
    "polysession:default",
    "redis-cluster:default",
    "redis-cluster:valkey",
    "postgres:default",
    "react-shell:default",
    "observability:default",
    "observability:own-backend",
)
PASSWORDS = ("postgres-password", "users-database-password", "orders-database-password")

pytestmark = pytest.mark.usefixtures("defined")


@pytest.fixture(scope="module", autouse=True)
def alone(our_cluster: None) -> None:
    release.uninstall()


@pytest.fixture
def space() -> Iterator[str]:
    kind.make_namespace(SPACE)
    yield SPACE
    kubectl("delete", "namespace", SPACE, "--wait", "--timeout", "180s")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_scenario_is_ready_and_leaves(
    scenario: str, space: str, measured: Callable[[object], None]
) -> None:
    chart, _, values = scenario.partition(":")
    words = (str(ROOT / "charts" / chart), "--values", str(ROOT / f"charts/{chart}/ci/{values}-values.yaml"))
    kind.load_missing_images(*words)
    if chart == "postgres":  # by itself it has nobody who makes its passwords
        make_secret(space)
    helm("install", NAME, *words, "--namespace", space, "--wait", "--timeout", "240s")
    pods = Pods(space)
    pods.wait_ready(seconds=60)
    measured(f"{len(pods.all())} pods")
    assert pods.all()
    helm("uninstall", NAME, "--namespace", space, "--wait", "--timeout", "120s")
    wait(lambda: not pods.all(), "the last pod has gone", seconds=60)


def make_secret(space: str) -> None:
    meta = {"name": f"{NAME}-credentials", "namespace": space}
    data = {name: f"{name} of a test" for name in PASSWORDS}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": data}
    kubectl("apply", "-f", "-", text=json.dumps(secret))
