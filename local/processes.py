"""Processes of this machine, read from /proc: who listens where, and which ones are ours."""

import contextlib
import os
import signal
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from local.layout import MARKER

_PROC = Path("/proc")
_LISTEN = "0A"


@dataclass(frozen=True)
class Process:
    """A process as a person knows it."""

    pid: int
    command: str


def holder(port: int) -> Process | None:
    """The process that listens on a port; none if it cannot be known (another user's, or nobody)."""
    inodes = set(_listening_inodes(port))
    if not inodes:
        return None
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for pid in _pids():
        if wanted & set(_open_files(pid)):
            return Process(pid, command(pid))
    return None


def _open_files(pid: int) -> Iterator[str]:
    try:
        links = list((_PROC / str(pid) / "fd").iterdir())
    except OSError:
        return  # gone meanwhile, or not ours to look into
    for link in links:
        with contextlib.suppress(OSError):  # closed meanwhile
            yield os.readlink(link)


def _listening_inodes(port: int) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        try:
            lines = (_PROC / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            _, local, _, state, *rest = line.split()
            if state == _LISTEN and int(local.rsplit(":", 1)[1], 16) == port:
                yield rest[5]


def marked(state: Path) -> list[Process]:
    """The processes that carry this state folder in their environment: ours, and nobody else's."""
    wanted = f"{MARKER}={state}".encode()
    found = []
    for pid in _pids():
        try:
            environment = (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if wanted in environment and pid != os.getpid():
            found.append(Process(pid, command(pid)))
    return found


def command(pid: int) -> str:
    """A process's command line on one line, cut at 100 characters; empty when it is gone."""
    try:
        text = (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
    return text.strip()[:100]


def is_alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        state = (_PROC / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def end(pids: Iterable[int], *, patience: float = 5.0) -> None:
    """End exactly these: TERM, then KILL for what is still there after `patience` seconds."""
    left = list(pids)
    for signum, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 2.0)):
        for pid in left:
            _signal(pid, signum)
        left = survivors(left, seconds=seconds)
        if not left:
            return


def survivors(pids: Iterable[int], *, seconds: float) -> list[int]:
    """Those still alive after at most so many seconds."""
    deadline = time.monotonic() + seconds
    left = [pid for pid in pids if is_alive(pid)]
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = [pid for pid in left if is_alive(pid)]
    return left


def _signal(pid: int, signum: signal.Signals) -> None:
    try:
        os.kill(pid, signum)
    except ProcessLookupError:
        return


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())
