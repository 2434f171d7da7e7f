"""The optional dependencies: each adapter says which extra brings what it imports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def extra(name: str, *packages: str) -> Iterator[None]:
    """Around the imports of what the extra ``name`` brings.

    Raises ``ImportError`` that says what to install where one of ``packages`` (the extra's own name, if none is
    given) is missing; any other fault of the import stays as it is.
    """
    try:
        yield
    except ImportError as cause:
        if (cause.name or "").partition(".")[0] not in (packages or (name,)):
            raise
        needs = f"this part of polysession needs its extra: pip install 'polysession[{name}]'"
        raise ImportError(needs, name=cause.name) from cause
