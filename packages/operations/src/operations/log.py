"""One JSON object a line on standard output, in the words of the services' logs."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TextIO

_lock = threading.Lock()


class Log:
    """``service`` names the command. Thread-safe."""

    def __init__(
        self,
        service: str,
        *,
        stream: TextIO | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._service = service
        self._stream = stream or sys.stdout
        self._now = now

    def info(self, event: str, **fields: object) -> None:
        self._write("info", event, fields)

    def warning(self, event: str, **fields: object) -> None:
        self._write("warning", event, fields)

    def error(self, event: str, **fields: object) -> None:
        self._write("error", event, fields)

    def _write(self, level: str, event: str, fields: dict[str, object]) -> None:
        line = {
            "timestamp": self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": level,
            "service": self._service,
            "event": event,
            **fields,
        }
        with _lock:
            print(json.dumps(line, ensure_ascii=False, default=str), file=self._stream, flush=True)
