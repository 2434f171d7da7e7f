"""The programs' logs."""

from pathlib import Path


def tail(log: Path, *, lines: int = 15) -> list[str]:
    """The last lines of a log, each cut at 300 characters; none when there is no such file."""
    try:
        with log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - 100_000))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    return [line[:300] for line in text.splitlines()[-lines:]]
