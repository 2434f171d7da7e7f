"""Spans in SQLite, bounded: when there are too many, the traces that began to arrive first go whole."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from local.traces.span import Event, Link, Span

SCHEMA = """
CREATE TABLE IF NOT EXISTS services (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);
CREATE TABLE IF NOT EXISTS traces (
    id INTEGER PRIMARY KEY,
    trace_id TEXT NOT NULL UNIQUE,
    start INTEGER NOT NULL,
    spans INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS traces_by_start ON traces (start);
CREATE TABLE IF NOT EXISTS spans (
    trace INTEGER NOT NULL REFERENCES traces (id) ON DELETE CASCADE,
    span_id TEXT NOT NULL,
    service TEXT NOT NULL,
    name TEXT NOT NULL,
    start INTEGER NOT NULL,
    duration INTEGER NOT NULL,
    attributes TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (trace, span_id)
);
CREATE INDEX IF NOT EXISTS spans_by_service ON spans (service, name);
"""
VERSION = 1
SPANS_A_TRACE = 2000


@dataclass(frozen=True)
class Query:
    """Which traces to find: those with one span that has all of this. Times in nanoseconds, None is any."""

    service: str | None = None
    operation: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    earliest: int | None = None
    latest: int | None = None
    shortest: int | None = None
    longest: int | None = None
    limit: int = 20


class Store:
    """Keeps the latest ``limit`` spans, give or take a trace. Safe to share between the threads of one process.

    A file that is not of this version, or damaged, is deleted and begun again: traces are no records. One that
    another process holds is waited for, ``patience`` seconds.
    """

    def __init__(
        self, path: Path, *, limit: int = 20_000, spans_a_trace: int = SPANS_A_TRACE, patience: float = 5.0
    ) -> None:
        self._limit = limit
        self._spans_a_trace = spans_a_trace
        self._lock = threading.Lock()
        self._database = _open(path, patience)

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._database.close()

    def add(self, spans: Iterable[Span]) -> int:
        """Keep spans, all or none; a span that is there already is replaced. Return how many did not fit.

        A trace takes ``spans_a_trace`` spans; more are dropped, so that one trace cannot drive out all others.
        """
        dropped = 0
        with self._lock, self._database as database:
            for span in spans:
                database.execute("INSERT OR IGNORE INTO services (name) VALUES (?)", (span.service,))
                dropped += not self._insert(span)
            self._shrink()
        return dropped

    def _insert(self, span: Span) -> bool:
        row = self._database.execute(
            """INSERT INTO traces (trace_id, start, spans) VALUES (?, ?, 0)
               ON CONFLICT (trace_id) DO UPDATE SET start = min(start, excluded.start) RETURNING id, spans""",
            (span.trace_id, span.start),
        ).fetchone()
        trace, count = row
        known = self._database.execute(
            "SELECT 1 FROM spans WHERE trace = ? AND span_id = ?", (trace, span.span_id)
        ).fetchone()
        if known is None and count >= self._spans_a_trace:
            return False
        self._database.execute(
            "INSERT OR REPLACE INTO spans VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                trace,
                span.span_id,
                span.service,
                span.name,
                span.start,
                span.end - span.start,
                json.dumps(_searchable(span)),
                json.dumps(asdict(span)),
            ),
        )
        if known is None:
            self._database.execute("UPDATE traces SET spans = spans + 1 WHERE id = ?", (trace,))
        return True

    def _shrink(self) -> None:
        (total,) = self._database.execute("SELECT coalesce(sum(spans), 0) FROM traces").fetchone()
        excess = total - self._limit
        if excess <= 0:
            return
        last = None
        for trace, count in self._database.execute("SELECT id, spans FROM traces ORDER BY id"):
            if excess <= 0:
                break
            excess -= count
            last = trace
        self._database.execute("DELETE FROM traces WHERE id <= ?", (last,))

    def services(self) -> list[str]:
        """Return the services in the order in which they were first seen, so each keeps its colour."""
        with self._lock:
            rows = self._database.execute("SELECT name FROM services ORDER BY id").fetchall()
        return [name for (name,) in rows]

    def operations(self, service: str) -> list[str]:
        """Return the names of a service's spans, sorted."""
        with self._lock:
            rows = self._database.execute(
                "SELECT DISTINCT name FROM spans WHERE service = ? ORDER BY name", (service,)
            ).fetchall()
        return [name for (name,) in rows]

    def trace(self, trace_id: str) -> list[Span]:
        """Return the spans of a trace by their start; none when it is not here (any more)."""
        with self._lock:
            rows = self._database.execute(
                """SELECT document FROM spans JOIN traces ON traces.id = spans.trace
                   WHERE trace_id = ? ORDER BY spans.start, span_id""",
                (trace_id,),
            ).fetchall()
        return [_load(document) for (document,) in rows]

    def find(self, query: Query) -> list[list[Span]]:
        """Return whole traces, the latest first."""
        conditions, values = _conditions(query)
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        # Only the fixed texts of _conditions are put into the statement; every value is a parameter.
        statement = f"""SELECT traces.trace_id FROM spans JOIN traces ON traces.id = spans.trace {where}
                        GROUP BY traces.id ORDER BY traces.start DESC, traces.id DESC LIMIT ?"""  # noqa: S608
        with self._lock:
            rows = self._database.execute(statement, (*values, query.limit)).fetchall()
        found = (self.trace(trace_id) for (trace_id,) in rows)
        return [spans for spans in found if spans]


def _conditions(query: Query) -> tuple[list[str], list[Any]]:
    conditions: list[str] = []
    values: list[Any] = []
    for condition, value in (
        ("spans.service = ?", query.service),
        ("spans.name = ?", query.operation),
        ("spans.start >= ?", query.earliest),
        ("spans.start <= ?", query.latest),
        ("spans.duration >= ?", query.shortest),
        ("spans.duration <= ?", query.longest),
    ):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    for name, tag in query.tags.items():
        conditions.append("EXISTS (SELECT 1 FROM json_each(spans.attributes) WHERE key = ? AND value = ?)")
        values += (name, tag)
    return conditions, values


def _searchable(span: Span) -> dict[str, str]:
    """Return what a tag can find: attributes of span and resource, as Jaeger writes their values."""
    found = {name: text(value) for name, value in (*span.resource.items(), *span.attributes.items())}
    found["span.kind"] = span.kind
    found["error"] = text(span.failed)
    return found


def text(value: Any) -> str:
    """Return a value as a query writes it: ``true``, ``42``, a list as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def _load(document: str) -> Span:
    members: dict[str, Any] = json.loads(document)
    events: Sequence[dict[str, Any]] = members.pop("events")
    links: Sequence[dict[str, Any]] = members.pop("links")
    return Span(
        **members,
        events=tuple(Event(**event) for event in events),
        links=tuple(Link(**link) for link in links),
    )


def _open(path: Path, patience: float) -> sqlite3.Connection:
    try:
        return _prepare(path, patience)
    except sqlite3.OperationalError:
        # Locked, or no permission: says nothing about the content.
        raise
    except (sqlite3.DatabaseError, _OtherVersionError):
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        return _prepare(path, patience)


class _OtherVersionError(Exception):
    pass


def _prepare(path: Path, patience: float) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=patience, check_same_thread=False)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute("PRAGMA foreign_keys = ON")
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version not in (0, VERSION):
            raise _OtherVersionError
        database.executescript(SCHEMA)
        database.execute(f"PRAGMA user_version = {VERSION}")
        database.commit()
    except BaseException:
        database.close()
        raise
    return database
