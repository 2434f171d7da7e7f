"""What Helm makes of the charts, as objects."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CHARTS = ROOT / "charts"
APPLICATIONS = sorted(
    path.parent.name for path in CHARTS.glob("*/Chart.yaml") if "type: library" not in path.read_text()
)
SCENARIOS = sorted(
    path.name.removesuffix("-values.yaml") for path in (CHARTS / "polysession/ci").glob("*-values.yaml")
)

Object = Mapping[str, Any]


@dataclass(frozen=True)
class Pods:
    """A pod template and what makes pods of it. ``count`` is the least number; a Job's pods are not there for long."""

    owner: Object
    template: Object
    count: int

    @property
    def name(self) -> str:
        return f"{self.owner['kind']}/{self.owner['metadata']['name']}"

    @property
    def spec(self) -> Object:
        return self.template["spec"]

    @property
    def labels(self) -> Mapping[str, str]:
        return self.template["metadata"]["labels"]

    @property
    def passing(self) -> bool:
        """Whether they end by themselves."""
        return self.owner["kind"] in ("Job", "Pod")

    @property
    def containers(self) -> Sequence[Object]:
        return [*self.spec.get("initContainers", ()), *self.spec["containers"]]


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it; a test that needs it is skipped, and says so, where there is none."""
    program = shutil.which("helm")
    if program is None:
        pytest.skip("helm is not on the PATH: the charts are not tested here")
    return subprocess.run([program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


@cache
def rendered(chart: str, *options: str, release: str = "polysession") -> str:
    """The YAML. A refusal is an AssertionError with Helm's sentence."""
    done = helm("template", release, f"charts/{chart}", "--namespace", "shop", *options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def objects(chart: str, *options: str, release: str = "polysession") -> Sequence[Object]:
    """Every object, hooks included."""
    return [one for one in parsed(rendered(chart, *options, release=release)) if one]


@cache
def parsed(text: str) -> Sequence[Any]:
    """Its documents; an empty one is None."""
    return list(yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))


def scenario(name: str) -> Sequence[str]:
    """The options that set it up."""
    return ("--values", f"charts/polysession/ci/{name}-values.yaml")


def refusal(chart: str, *options: str) -> str:
    """Why Helm refuses; "" when it does not."""
    done = helm("template", "polysession", f"charts/{chart}", *options)
    return done.stderr if done.returncode else ""


def pods(of: Sequence[Object]) -> Iterator[Pods]:
    """Whatever makes pods among objects."""
    for one in of:
        if one["kind"] == "Pod":
            yield Pods(one, {"metadata": one["metadata"], "spec": one["spec"]}, 1)
        elif one["kind"] in ("Deployment", "StatefulSet", "DaemonSet", "Job"):
            yield Pods(one, one["spec"]["template"], one["spec"].get("replicas", 1))


def name_of(one: Object) -> str:
    return f"{one['kind']}/{one['metadata']['name']}"
