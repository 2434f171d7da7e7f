"""What comes from Go modules: other people's CRDs."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cluster.shell import run

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
