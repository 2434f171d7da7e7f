"""What the two pages show: traces in a list, and the spans of one as a waterfall. Pure: no IO, no HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from local.traces.span import Span

COLOURS = 8
MAX_INDENT = 12
# A span of no length is still to be seen: per cent of the width.
THINNEST = 0.3


@dataclass(frozen=True)
class Service:
    """A service in one trace, with the number of its colour and of its spans there."""

    name: str
    colour: int
    spans: int


@dataclass(frozen=True)
class Summary:
    """One trace as a line of the list. Times in nanoseconds."""

    trace_id: str
    name: str
    service: str
    start: int
    duration: int
    spans: int
    failed: int
    services: tuple[Service, ...]
    session_ids: tuple[str, ...]


@dataclass(frozen=True)
class Bar:
    """Where a span is, in per cent of the trace, and where its duration is written: after, before, inside."""

    left: float
    width: float
    label: str

    @property
    def label_at(self) -> float:
        """Where the label is put, in per cent."""
        return self.left + self.width if self.label == "after" else self.left


@dataclass(frozen=True)
class Row:
    """A span of the waterfall."""

    span: Span
    colour: int
    indent: int
    bar: Bar


def colours(services: Sequence[str]) -> Mapping[str, int]:
    """Give each service a colour by its place, so that it has the same on every page."""
    return {name: place % COLOURS for place, name in enumerate(services)}


def summarise(spans: Sequence[Span], colour_of: Mapping[str, int]) -> Summary:
    """Return what the list says about a trace; ``spans`` are its spans, at least one."""
    walked = walk(spans)
    root = walked[0][0]
    start = min(span.start for span in spans)
    names = list(dict.fromkeys(span.service for span in spans))
    return Summary(
        trace_id=root.trace_id,
        name=_name([span for span, _ in walked]),
        service=root.service,
        start=start,
        duration=max(span.end for span in spans) - start,
        spans=len(spans),
        failed=sum(span.failed for span in spans),
        services=tuple(
            Service(name, colour_of.get(name, 0), sum(span.service == name for span in spans))
            for name in names
        ),
        session_ids=tuple(dict.fromkeys(span.session_id for span in spans if span.session_id)),
    )


def _name(walked: Sequence[Span]) -> str:
    """Return the first name that says more than which service it is: the edge calls all its spans `edge`."""
    return next((span.name for span in walked if span.name != span.service), walked[0].name)


def waterfall(spans: Sequence[Span], colour_of: Mapping[str, int]) -> list[Row]:
    """Return the spans as a tree, parents before children, each with its bar."""
    start = min(span.start for span in spans)
    total = max(1, max(span.end for span in spans) - start)
    return [
        Row(
            span=span,
            colour=colour_of.get(span.service, 0),
            indent=min(depth, MAX_INDENT),
            bar=_bar(100 * (span.start - start) / total, 100 * (span.end - span.start) / total),
        )
        for span, depth in walk(spans)
    ]


def walk(spans: Sequence[Span]) -> list[tuple[Span, int]]:
    """Return each span once with its depth, children by their start under their parent.

    A span whose parent is not here is a root. Spans that are each other's parents (nothing stops a client from
    sending them) come last, as roots, so that none is hidden.
    """
    known = {span.span_id for span in spans}
    children: dict[str, list[Span]] = {}
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        parent = span.parent_id if span.parent_id in known else ""
        children.setdefault(parent, []).append(span)
    walked: list[tuple[Span, int]] = []
    seen: set[str] = set()
    for start in (children.get("", []), list(spans)):
        # A stack, not a recursion: a trace may be deeper than Python's.
        stack = [(span, 0) for span in reversed(start)]
        while stack:
            span, depth = stack.pop()
            if span.span_id in seen:
                continue
            seen.add(span.span_id)
            walked.append((span, depth))
            stack += [(child, depth + 1) for child in reversed(children.get(span.span_id, []))]
    return walked


def _bar(left: float, width: float) -> Bar:
    width = max(width, THINNEST)
    left = min(left, 100 - width)
    if left + width <= 80:
        label = "after"
    elif left >= 20:
        label = "before"
    else:
        label = "inside"
    return Bar(round(left, 3), round(width, 3), label)


def length(nanoseconds: float) -> str:
    """Write a duration with three digits: ``87 µs``, ``4.21 ms``, ``1.25 s``."""
    value, unit = nanoseconds / 1000, "µs"
    if value >= 999.5:
        value, unit = value / 1000, "ms"
    if unit == "ms" and value >= 999.5:
        value, unit = value / 1000, "s"
    digits = 0 if value >= 99.95 or unit == "µs" else 1 if value >= 9.995 else 2
    return f"{value:.{digits}f} {unit}"


def ago(start: int, now: int) -> str:
    """Write how long ago something was, coarsely: ``just now``, ``12 s ago``, ``3 min ago``."""
    seconds = (now - start) // 10**9
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return "just now"


def moment(nanoseconds: int) -> str:
    """Write a time in full, in UTC."""
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC"


def short(identifier: str) -> str:
    """Write the beginning of an ID, enough to tell a few apart."""
    return identifier if len(identifier) <= 8 else identifier[:8] + "…"
