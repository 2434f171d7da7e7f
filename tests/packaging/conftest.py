"""The wheel as an index would serve it, and a fresh virtual environment that has it and no extra."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIBRARY = ROOT / "packages" / "polysession"
UV = Path(sys.executable).parent / "uv"


@dataclass(frozen=True)
class Environment:
    """A virtual environment. ``python`` runs a program in it: away from the checkout, and without its variables."""

    folder: Path

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        clean = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        program = str(self.folder / "bin" / "python")
        return subprocess.run(
            [program, "-W", "error", *arguments],
            cwd=self.folder,
            env=clean,
            capture_output=True,
            text=True,
            check=False,
        )


def uv(*arguments: str | Path) -> None:
    """Takes what it needs from its cache, and from the index what is not there."""
    done = subprocess.run(
        [UV, "--quiet", "--no-config", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the checkout by the build backend of this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    uv("build", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", folder, LIBRARY)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The wheel and what it requires; no extra."""
    folder = tmp_path_factory.mktemp("bare") / "venv"
    uv("venv", "--python", sys.executable, folder)
    uv("pip", "install", "--python", folder / "bin" / "python", wheel)
    return Environment(folder)
