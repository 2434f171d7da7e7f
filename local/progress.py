"""What a person sees while parts start: a line a part, rewritten in place on a terminal, plain otherwise."""

import os
import time
from typing import Protocol, TextIO

from local.errors import LocalError

_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Progress(Protocol):
    """Hears how a start or a stop goes on."""

    def waiting(self, title: str, detail: str) -> None:
        """A part is being waited for; called again and again."""

    def done(self, title: str, detail: str, seconds: float) -> None:
        """A part is ready, or stopped."""

    def note(self, text: str) -> None:
        """One sentence that is about no part."""


class Silent:
    """Hears and says nothing: for tests."""

    def waiting(self, title: str, detail: str) -> None:
        """Ignored."""

    def done(self, title: str, detail: str, seconds: float) -> None:
        """Ignored."""

    def note(self, text: str) -> None:
        """Ignored."""


class Terminal:
    """Writes to a stream. Colour and rewriting only on a terminal, and no colour when NO_COLOR is set."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._tty = stream.isatty()
        self._colour = self._tty and not os.environ.get("NO_COLOR")
        self._frame = 0
        self._open = False

    def waiting(self, title: str, detail: str) -> None:
        """Rewrite the present line; nothing when it is no terminal."""
        if not self._tty:
            return
        self._frame += 1
        spinner = self.paint(_SPINNER[self._frame % len(_SPINNER)], "36")
        self._write(f"\r\x1b[K  {spinner} {title:<17} {self.paint(detail[:70], '2')}")
        self._open = True

    def done(self, title: str, detail: str, seconds: float) -> None:
        """A line that stays."""
        took = f"{seconds:5.1f} s"
        self._line(f"  {self.paint('✓', '32')} {title:<17} {detail:<28} {self.paint(took, '2')}")

    def note(self, text: str) -> None:
        """A line that stays."""
        self._line(text)

    def failed(self, error: LocalError) -> None:
        """What happened, the evidence, what to do."""
        self._line(f"\n  {self.paint('✗', '31;1')} {self.paint(error.what, '1')}")
        for line in error.evidence:
            self._line(f"      {self.paint(line, '2')}")
        for line in error.todo.splitlines():
            self._line(f"    {line}")
        self._line("")

    def paint(self, text: str, code: str) -> str:
        """The text in a colour (an SGR code), or as it is."""
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text

    def _line(self, text: str) -> None:
        self._write(("\r\x1b[K" if self._open else "") + text + "\n")
        self._open = False

    def _write(self, text: str) -> None:
        encoding = self._stream.encoding or "utf-8"
        self._stream.write(text.encode(encoding, errors="replace").decode(encoding))
        self._stream.flush()


class Stopwatch:
    """Seconds since it was made, by the monotonic clock."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long ago that was."""
        return time.monotonic() - self._start
