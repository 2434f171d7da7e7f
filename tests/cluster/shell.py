"""Commands, and what they said when they fail."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / ".kind"
KUBECONFIG = STATE / "kubeconfig"
NAME = "polysession"
CONTEXT = f"kind-{NAME}"
NAMESPACE = "polysession"
RELEASE = "polysession"
NODES = (f"{NAME}-worker", f"{NAME}-worker2")


class CommandFailed(Exception):
    """A command, its code, and the end of what it said."""


def run(*words: str, text: str | None = None, check: bool = True, seconds: float = 900) -> str:
    """Standard output. Raises ``CommandFailed``. Every command speaks to our cluster and no other."""
    done = subprocess.run(
        words,
        input=text,
        cwd=ROOT,
        env={**os.environ, "KUBECONFIG": str(KUBECONFIG), "HELM_NAMESPACE": NAMESPACE},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    if check and done.returncode:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-60:])
        raise CommandFailed(f"{' '.join(words)}\nended with {done.returncode}:\n{said}")
    return done.stdout


def helm(*words: str, text: str | None = None, check: bool = True) -> str:
    return run("helm", "--kube-context", CONTEXT, *words, text=text, check=check)


def kubectl(*words: str, text: str | None = None, check: bool = True) -> str:
    return run("kubectl", "--context", CONTEXT, *words, text=text, check=check)


def documents(text: str) -> list[dict[str, Any]]:
    """The objects of a manifest."""
    return [one for one in yaml.safe_load_all(text) if one]


def refuse_without(programs: Sequence[str]) -> None:
    missing = [name for name in programs if shutil.which(name) is None]
    if missing:
        raise CommandFailed(f"Not on the PATH: {', '.join(missing)}.")
    if "docker" in programs:
        run("docker", "info")


def refuse_other_contexts() -> None:
    """The tests break what they find: they touch nothing but the cluster that ``kind-up`` made."""
    if not KUBECONFIG.exists():
        raise CommandFailed("There is no cluster of ours: `make kind-up` makes it.")
    found = run("kubectl", "config", "current-context").strip()
    server = run("kubectl", "config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")
    if found != CONTEXT or not server.startswith("https://127.0.0.1:"):
        raise CommandFailed(f"{KUBECONFIG} leads to {found} at {server}, not to {CONTEXT} on this machine.")
