"""The paths and origins that an app names to the middleware: one that has no effect, or a far too wide one, is refused."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

from ...core.errors import InvalidSettings


def read_paths(*, csrf_exempt: Iterable[str], unused: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Both. Raises ``InvalidSettings`` with every fault. A ``str`` would be read character by character, and its ``/``
    is the whole app.
    """
    given = {"csrf_exempt": csrf_exempt, "unused": unused}
    read: list[tuple[str, ...]] = []
    faults: list[str] = []
    for name, example in (("csrf_exempt", "/webhooks"), ("unused", "/static")):
        paths = _read(name, "paths", given[name], example, faults)
        faults += [
            f"{name}: {one!r} must begin with /, such as {example!r}"
            for one in paths
            if not one.startswith("/")
        ]
        read.append(paths)
    if faults:
        raise InvalidSettings(tuple(faults))
    return tuple(read)


def read_origins(origins: Iterable[str]) -> frozenset[str]:
    """Raises ``InvalidSettings``."""
    faults: list[str] = []
    read = _read("origins", "origins", origins, "https://shop.example.com", faults)
    for one in read:
        parts = urlsplit(one)
        if not parts.netloc or one != f"{parts.scheme}://{parts.netloc}":
            faults.append(
                f"origins: {one!r} must be a scheme and a host without a path, such as 'https://shop.example.com'"
            )
    if faults:
        raise InvalidSettings(tuple(faults))
    return frozenset(read)


def is_below(path: str, prefixes: Collection[str]) -> bool:
    return any(path == one or path.startswith(one.rstrip("/") + "/") for one in prefixes)


def _read(name: str, what: str, given: object, example: str, faults: list[str]) -> tuple[str, ...]:
    fault = f'{name} must be a list of {what}, such as ["{example}"], not '
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        faults.append(f"{fault}a {type(given).__name__}")
        return ()
    read = tuple(given)  # once: an iterator would be empty at the second request
    wrong = sorted({type(one).__name__ for one in read if not isinstance(one, str)})
    if wrong:
        faults.append(f"{fault}of {', '.join(wrong)}")
        return ()
    return read
