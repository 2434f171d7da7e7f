"""``python -m tests.cluster up|test|test-full|down``: the Makefile's ``kind-*``. ``test`` takes paths; without, every
landing. ``test-full`` takes names of its modules (``resize``); without, all of them.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.cluster import evidence, kind, release
from tests.cluster.shell import (
    KUBECONFIG,
    NAMESPACE,
    ROOT,
    CommandFailed,
    refuse_other_contexts,
    refuse_without,
)


def up() -> int:
    """Repeats harmlessly: a cluster that is there is kept, a release that is there is upgraded."""
    refuse_without(("docker", "kind", "kubectl", "helm"))
    if not kind.exists():
        _tell("the cluster", kind.create)
    refuse_other_contexts()
    _tell("images of users, orders, shell and tools", kind.build_images)
    release.take_charts()
    _tell("into the workers", lambda: kind.load_images(release.CHART, *release.VALUES))
    try:
        _tell(
            "helm install, until all is Ready",
            release.install if release.revision() == 0 else release.upgrade,
        )
    except CommandFailed:
        print(f"What the cluster looked like is in {evidence.collect('up').relative_to(ROOT)}.")
        raise
    print(
        f"\nThe platform is at {kind.ORIGIN}\n"
        f"  pods     KUBECONFIG={KUBECONFIG.relative_to(ROOT)} kubectl --namespace {NAMESPACE} get pods\n"
        "  tests    make kind-test\n"
        "  remove   make kind-down"
    )
    return 0


def test(*paths: str) -> int:
    refuse_without(("docker", "kind", "kubectl", "helm"))
    refuse_other_contexts()
    words = ("-x", "-p", "no:cacheprovider", "-rA", "--show-capture=no")
    return subprocess.run([sys.executable, "-m", "pytest", *words, *paths], cwd=ROOT, check=False).returncode


def _modules(names: Sequence[str]) -> list[str]:
    """Paths of modules of the full suite: ``resize`` is one. Without names, the folder. Raises ``CommandFailed``."""
    folder = Path("tests/cluster/full")
    files = {file.stem.removeprefix("test_"): str(file) for file in sorted((ROOT / folder).glob("test_*.py"))}
    if unknown := [name for name in names if name not in files]:
        raise CommandFailed(f"There is no {', '.join(unknown)}. There are: {', '.join(files)}.")
    return [files[name] for name in names] or [str(folder)]


def _tell(what: str, work: Callable[[], object]) -> None:
    started = time.monotonic()
    if sys.stdout.isatty():
        print(f"  … {what}", end="\r", flush=True)
    work()
    print(f"  ✓ {what} ({time.monotonic() - started:.0f} s)", flush=True)


def main(words: list[str]) -> int:
    try:
        match words:
            case ["up"]:
                return up()
            case ["test", *paths]:
                return test(*(paths or ["tests/cluster/landing"]))
            case ["test-full", *names]:
                return test(*_modules(names))
            case ["down"]:
                kind.delete()
                return 0
    except CommandFailed as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    print("There are: up, test, test-full, down.", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
