"""What comes from Go modules: other people's CRDs, and Helm 3."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from tests.cluster.shell import run

HELM_3 = "helm.sh/helm/v3/cmd/helm@v3.19.5"
# Objects that charts make for operators.
DEFINITIONS = {
    "github.com/prometheus-operator/prometheus-operator@v0.85.0": [
        f"example/prometheus-operator-crd/monitoring.coreos.com_{name}.yaml"
        for name in ("podmonitors", "prometheusrules", "servicemonitors")
    ],
    "sigs.k8s.io/gateway-api@v1.6.3": ["config/crd/standard/gateway.networking.k8s.io_httproutes.yaml"],
}


def definitions() -> list[Path]:
    """Files of CRDs, downloaded if they are not here."""
    return [folder(module) / file for module, files in DEFINITIONS.items() for file in files]


def folder(module: str) -> Path:
    return Path(json.loads(run("go", "mod", "download", "-json", module))["Dir"])


def build(program: str, into: Path) -> None:
    """On one core: the cluster needs the other."""
    environment = {**os.environ, "GOBIN": str(into), "GOMAXPROCS": "1"}
    words = ("nice", "-n", "19", "go", "install", "-p", "1", program)
    subprocess.run(words, env=environment, check=True, capture_output=True, timeout=1500)
