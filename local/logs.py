"""The programs' logs."""

import json
from pathlib import Path

_WIDEST = 300


def tail(log: Path, *, lines: int = 15) -> list[str]:
    """The last lines of a log, each cut at 300 characters; none when there is no such file."""
    try:
        with log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - 100_000))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    return [part[:_WIDEST] for line in text.splitlines()[-lines:] for part in readable(line)]


def readable(line: str) -> list[str]:
    """A service's JSON line as a person reads it: level, event, and where an exception came to its point."""
    try:
        entry = json.loads(line)
    except ValueError:
        return [line]
    if not isinstance(entry, dict) or "event" not in entry:
        return [line]
    exception = str(entry.get("exception", "")).strip().splitlines()
    return [f"{entry.get('level', '')}: {entry['event']}", *(f"  {text}" for text in exception[-3:])]
