"""The key files of ``docs/configuration.md``: read once at start; ``python -m polysession.keys DIR`` makes what is missing."""

from __future__ import annotations

from pathlib import Path

from .core.token import Keys


def load_keys(directory: Path) -> Keys:
    """Raises ``InvalidSettings`` with every fault, none of which holds a value."""
    raise NotImplementedError


def make_keys(directory: Path) -> tuple[Path, ...]:
    """Makes what is missing (directories 0700, files 0600) and overwrites nothing. Returns what was made."""
    raise NotImplementedError
