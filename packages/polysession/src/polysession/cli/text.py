"""How the commands write times, sizes and tables: lines of 80 columns, numbers under each other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

WIDTH = 80
_UNITS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s"))


def moment(milliseconds: int) -> str:
    """RFC 3339, to the second, UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def span(milliseconds: int) -> str:
    """``29 min 55 s``: the two largest units."""
    rest = max(0, milliseconds)
    parts: list[str] = []
    for size, unit in _UNITS:
        if rest >= size or (unit == "s" and not parts):
            parts.append(f"{rest // size} {unit}")
            rest %= size
        elif parts:
            break
    return " ".join(parts[:2])


def ago(then: int, now: int) -> str:
    return f"{moment(then)}  {span(now - then)} ago" if then else "never"


def left(until: int, now: int) -> str:
    return f"{moment(until)}  in {span(until - now)}"


def size(count: int) -> str:
    """Bytes, in binary units."""
    if count < 1024:
        return f"{count} B"
    amount = float(count)
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        amount /= 1024
        if amount < 1024 or unit == "TiB":
            break
    return f"{amount:.1f} {unit}"


def cut(text: str, width: int) -> str:
    """One printable line of at most ``width`` characters: what a browser sent must not move the cursor."""
    line = "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)
    return line if len(line) <= width else line[: width - 1] + "…"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset()) -> str:
    """Columns as wide as they must be, two spaces apart; those in ``right`` end under each other. The last one is cut
    where the line would be longer than 80.
    """
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    widths[-1] = min(widths[-1], max(8, WIDTH - sum(widths[:-1]) - 2 * (len(head) - 1) - 2))

    def line(row: Sequence[str]) -> str:
        cells = [
            cut(cell, width).rjust(width) if column in right else cut(cell, width).ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return ("  " + "  ".join(cells)).rstrip()

    return "\n".join([line(head), "  " + "  ".join("─" * width for width in widths), *map(line, rows)])


def facts(pairs: Sequence[tuple[str, str]]) -> str:
    """Name and value, values under each other."""
    width = max(len(name) for name, _ in pairs)
    return "\n".join(f"  {name.ljust(width)}  {cut(value, WIDTH - width - 4)}" for name, value in pairs)
