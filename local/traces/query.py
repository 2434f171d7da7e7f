"""The parameters of Jaeger's query API, as a query of the store."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from local.traces.store import Query

MAX_LIMIT = 500
_UNITS = {"us": 1_000, "µs": 1_000, "ms": 1_000_000, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_UNITS["d"] = 24 * _UNITS["h"]


class BadParameterError(Exception):
    """A parameter of a query is not usable; the message says how to write it."""


def parse(parameters: Mapping[str, str], *, tags: Sequence[str] = (), now: int) -> Query:
    """Return the query that the parameters ask for; ``tags`` are those written ``name:value``.

    ``start`` and ``end`` are microseconds since 1970; ``lookback`` (``1h``) counts back from ``now``, which is in
    nanoseconds. Durations are written ``1.5ms``. Raises BadParameterError.
    """
    lookback = _duration("lookback", parameters.get("lookback"))
    earliest = _micros("start", parameters.get("start"))
    if earliest is None and lookback is not None:
        earliest = now - lookback
    return Query(
        service=parameters.get("service") or None,
        operation=_operation(parameters.get("operation")),
        tags=_tags(parameters.get("tags"), tags),
        earliest=earliest,
        latest=_micros("end", parameters.get("end")),
        shortest=_duration("minDuration", parameters.get("minDuration")),
        longest=_duration("maxDuration", parameters.get("maxDuration")),
        limit=_limit(parameters.get("limit")),
    )


def _operation(value: str | None) -> str | None:
    return None if value in (None, "", "all") else value


def _tags(document: str | None, pairs: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in pairs:
        name, colon, value = pair.partition(":")
        if not colon or not name:
            raise BadParameterError("write tag=name:value")
        found[name] = value
    if document:
        try:
            members = json.loads(document)
        except ValueError as error:
            raise BadParameterError('write tags as JSON: {"session.id": "…"}') from error
        if not isinstance(members, dict) or not all(isinstance(value, str) for value in members.values()):
            raise BadParameterError('write tags as a JSON object of strings: {"error": "true"}')
        found.update(members)
    return found


def _micros(name: str, value: str | None) -> int | None:
    if not value:
        return None
    if not (value.isascii() and value.isdigit()) or len(value) > 16:
        raise BadParameterError(f"write {name} in microseconds since 1970")
    return int(value) * 1000


def _duration(name: str, value: str | None) -> int | None:
    if not value:
        return None
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)(us|µs|ms|s|m|h|d)", value)
    if match is None:
        raise BadParameterError(f"write {name} as 100ms, 1.5s or 2h")
    return int(float(match[1]) * _UNITS[match[2]])


def _limit(value: str | None) -> int:
    if not value:
        return 20
    if not (value.isascii() and value.isdigit() and 1 <= int(value) <= MAX_LIMIT):
        raise BadParameterError(f"write a limit from 1 to {MAX_LIMIT}")
    return int(value)
