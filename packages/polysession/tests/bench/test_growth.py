"""``python -m bench.growth``, small: that it tells what it measured, and leaves no node behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parents[2]
SECONDS = 300.0  # of a machine that is starved


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench.growth", *arguments]
    return subprocess.Popen(
        command, cwd=PACKAGE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def test_every_store_has_its_row_in_every_table() -> None:
    with start("--sizes", "40", "20", "--rounds", "1") as process:
        text, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
    names = [row[0].removeprefix("| ") for row in rows]
    stores, principals = ["sessions", "---", "20", "40"], ["sessions of a principal", "---", "1", "10", "100"]
    used = "40, 20 of them in use"
    assert names == [*stores, used, *stores, used, *stores, *stores, *principals, *principals]
    for row in rows:
        if row[0] == "| 20":
            assert all(cell.startswith("-") or float(cell.split()[0].strip("%")) > 0 for cell in row[1:])


def test_ended_by_a_signal_it_stops_its_nodes() -> None:
    with start("--sizes", "1000000000") as process:
        nodes = until(lambda: len(found := children(process.pid)) == 3 and found)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=SECONDS)
    assert process.returncode == 128 + signal.SIGTERM
    assert not [node for node in nodes if node.exists()]


def children(parent: int) -> list[Path]:
    """Of the process, in ``/proc``: those that are Redis by now."""
    return [
        one.parent
        for one in Path("/proc").glob("[0-9]*/stat")
        if (fields := read(one).rpartition(")")[2].split())
        and fields[1] == str(parent)
        and "redis-server" in read(one.parent / "cmdline")
    ]


def read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""  # it has ended meanwhile


def until(holds: Callable[[], Any]) -> Any:
    end = time.monotonic() + SECONDS
    while not (found := holds()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found
