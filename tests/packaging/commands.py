"""The commands of a page: each must be one that a reader can type."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.packaging.conftest import LIBRARY, ROOT

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`((?:make|pip install|python -m polysession|polysession) [^`]*)`")
OURS = ("charts/", "docs/", "infra/", "local/", "packages/", "services/", "tests/", "web/")
ELSEWHERE = {
    "apt",
    "cd",
    "curl",
    "docker",
    "git",
    "helm",
    "kind",
    "kubectl",
    "redis-cli",
    "redis-server",
    "sudo",
    "terraform",
}


@dataclass(frozen=True)
class Block:
    """A fenced block of a page. ``line``: where its first line stands."""

    language: str
    text: str
    line: int


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text()
    for found in BLOCK.finditer(text):
        yield Block(found[1], found[2], text.count("\n", 0, found.start(2)) + 1)


def commands(page: Path) -> Iterator[str]:
    """Of shell blocks, of consoles behind the prompt, and those that stand in a sentence."""
    for block in blocks(page):
        lines = block.text.replace("\\\n", " ").splitlines()
        if block.language in ("sh", "bash"):
            yield from (line for line in lines if line.strip() and not line.startswith("#"))
        elif block.language == "console":
            yield from (line.removeprefix("$ ") for line in lines if line.startswith("$ "))
    yield from (found[1] for found in SPAN.finditer(page.read_text()))


def fault(command: str) -> str | None:
    """Why this command cannot be typed; ``None``: it can. Runs nothing but ``--help``."""
    words = shlex.split(command, comments=True)
    missing = [
        word for word in words if word.startswith(OURS) and not (ROOT / word.partition("[")[0]).exists()
    ]
    if missing:
        return f"there is no {', '.join(missing)}"
    match words:
        case ["make", *targets]:
            return _not_made([word for word in targets if "=" not in word])
        case ["pip", "install", *packages]:
            return _no_extras(packages)
        case ["python", "-m", "polysession", *rest] | ["polysession", *rest]:
            return _no_help(rest)
        case [program, *_] if program in ELSEWHERE or program.startswith("./"):
            return None
    return "tests/packaging/commands.py does not know it: teach it"


def _not_made(targets: list[str]) -> str | None:
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    unknown = sorted(set(targets) - known)
    return f"the Makefile has no {', '.join(unknown)}" if unknown else None


def _no_extras(packages: list[str]) -> str | None:
    project = tomllib.loads((LIBRARY / "pyproject.toml").read_text())["project"]
    for package in packages:
        name, _, extras = package.partition("[")
        unknown = set(filter(None, extras.rstrip("]").split(","))) - set(project["optional-dependencies"])
        if not name.endswith("polysession") or unknown:
            return f"{package} has no {sorted(unknown)}"
    return None


def _no_help(words: list[str]) -> str | None:
    done = subprocess.run(
        [sys.executable, "-m", "polysession", words[0], "--help"], capture_output=True, text=True, check=False
    )
    return None if done.returncode == 0 else done.stderr
