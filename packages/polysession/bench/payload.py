"""The session that everybody keeps: twelve attributes, 1 KB."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

NAMES = tuple(f"field_{number:02d}" for number in range(12))
READ, WRITTEN = NAMES[3], NAMES[7]
_VALUE_CHARACTERS = 73  # 1,016 bytes as Flask-Session stores it


def make_values() -> dict[str, str]:
    return {name: f"{name}:".ljust(_VALUE_CHARACTERS, "x") for name in NAMES}


def other_values() -> Iterator[str]:
    """Of the same size, no two alike: a write that changes nothing need not be written."""
    return (f"{number:012d}:".ljust(_VALUE_CHARACTERS, "y") for number in itertools.count())


BLOB = "".join(f"{name}{value}" for name, value in make_values().items()).encode()
