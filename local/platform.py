"""The platform: its parts in order. One code for `make up` and for tests."""

import fcntl
import os
import stat
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local import processes
from local.errors import Busy, DeadPart, LocalError, NotRunning, PortTaken
from local.layout import Layout, can_listen
from local.logs import tail
from local.parts.edge import Edge
from local.parts.part import Part
from local.parts.postgres import Postgres
from local.parts.prometheus import Prometheus
from local.parts.redis_cluster import RedisCluster
from local.parts.services import Orders, Users
from local.parts.traces import Traces
from local.progress import Progress, Silent, Stopwatch
from local.readiness import Tick
from local.secrets import Secrets
from local.supervisor import Program, Running, Supervisor

Stages = Sequence[Sequence[Part]]


def all_parts(layout: Layout) -> Stages:
    """Everything. A stage starts when the one before it is ready; within a stage, all at once."""
    return (
        (Postgres(layout), RedisCluster(layout), Traces(layout), Prometheus(layout)),
        (Users(layout), Orders(layout)),
        (Edge(layout),),
    )


@dataclass(frozen=True)
class PartState:
    """One program of one part, for `status`. `seconds`: how long it has run."""

    title: str
    program: str
    address: str
    state: str
    pid: int
    seconds: int

    @property
    def alive(self) -> bool:
        """Whether its process is there."""
        return self.pid != 0


class Platform:
    """One platform of one layout.

    `start` may be called when some or all of it runs: it starts the rest. When it fails or is interrupted,
    what this call started is stopped again, and what ran before is left alone.
    Every call that changes something holds a lock on the state folder: a second one gets `Busy`.
    """

    def __init__(
        self, layout: Layout, *, stages: Stages | None = None, progress: Progress | None = None
    ) -> None:
        self.layout = layout
        self._stages = all_parts(layout) if stages is None else stages
        self._progress = progress or Silent()
        self._supervisor = Supervisor(layout)

    def start(self) -> None:
        """Return when every part is ready. Errors: `LocalError`; nothing of this call runs then."""
        parts = [part for stage in self._stages for part in stage]
        for part in parts:
            part.require()
        secure_folder(self.layout.state)
        with self._lock():
            for folder in (self.layout.run, self.layout.logs):
                folder.mkdir(mode=0o700, exist_ok=True)
            self._refresh([program for part in parts for program in part.programs])
            ran_before = self._alive()
            self._check_ports(parts, ran_before)
            Secrets(self.layout).make()
            self._supervisor.start([program for part in parts for program in part.programs])
            try:
                for stage in self._stages:
                    self._start_stage(stage, ran_before)
            except BaseException:
                self._progress.note("  Stopping what was started …")
                self._stop(keep=ran_before)
                raise

    def stop(self) -> None:
        """Stop exactly what was started here, the last first; harmless when nothing runs."""
        if not self.layout.state.exists():
            return
        with self._lock():
            self._stop(keep=frozenset())

    def states(self) -> list[PartState]:
        """Each program as it is now; `NotRunning` when the platform does not run."""
        running = self._supervisor.programs()
        now = time.time()
        rows = []
        for part in (part for stage in self._stages for part in stage):
            for program in part.programs:
                row = running.get(program.name, Running(program.name, "STOPPED", 0, 0))
                seconds = int(now - row.since) if row.pid else 0
                rows.append(
                    PartState(part.title, program.name, part.address, row.state.lower(), row.pid, seconds)
                )
        return rows

    def kill(self, program: str, signal: str = "KILL") -> None:
        """Send a signal to one program's process. After KILL it is gone when this returns."""
        pid = self._supervisor.programs()[program].pid
        self._supervisor.signal(program, signal)
        if signal in ("KILL", "TERM", "INT"):
            self._wait_until_ended([program])
            processes.survivors([pid], seconds=5)

    def start_program(self, program: str) -> None:
        """Start one program that was killed. Returns when its part is ready; of a part of several programs of
        which some still do not run, at once: it cannot get ready before the last of them is started."""
        self._wait_until_ended([program], seconds=5)
        self._supervisor.begin(program)
        alive = self._alive()
        for part in (part for stage in self._stages for part in stage):
            names = [one.name for one in part.programs]
            if program in names and alive.issuperset(names):
                part.settle(self._tick(part, [program], Stopwatch()))

    def _refresh(self, programs: Sequence[Program]) -> None:
        """A running supervisor that was started with other programs (another release) ends first."""
        if self._supervisor.is_running:
            if self._supervisor.would_change(programs):
                self._progress.note("  The configuration has changed: starting anew.")
                self._stop(keep=frozenset())
            return
        self._end_leftovers()

    def _alive(self) -> frozenset[str]:
        try:
            return frozenset(name for name, row in self._supervisor.programs().items() if row.alive)
        except NotRunning:
            return frozenset()

    def _check_ports(self, parts: Sequence[Part], ran_before: frozenset[str]) -> None:
        for part in parts:
            if any(program.name in ran_before for program in part.programs):
                continue
            for port in part.ports:
                if not can_listen(port):
                    raise _port_taken(part, port)

    def _start_stage(self, stage: Sequence[Part], ran_before: frozenset[str]) -> None:
        watch = Stopwatch()
        new = [part for part in stage if not ran_before.issuperset(one.name for one in part.programs)]
        with ThreadPoolExecutor(max_workers=max(1, len(new))) as threads:
            preparing = [threads.submit(part.prepare) for part in new]
            for part, prepared in zip(new, preparing, strict=True):
                while not prepared.done():
                    self._progress.waiting(part.title, f"preparing, {watch.seconds:.0f} s")
                    time.sleep(0.1)
        for prepared in preparing:
            prepared.result()
        for part in new:
            for program in part.programs:
                self._supervisor.begin(program.name)
        for part in stage:
            part.settle(self._tick(part, [program.name for program in part.programs], watch))
            self._progress.done(part.title, part.address, watch.seconds)

    def _tick(self, part: Part, names: Sequence[str], watch: Stopwatch) -> Tick:
        looked = 0.0

        def tick(reason: str) -> None:
            nonlocal looked
            self._progress.waiting(part.title, f"{watch.seconds:.0f} s  {reason}")
            if watch.seconds - looked < 0.2:
                return
            looked = watch.seconds
            running = self._supervisor.programs()
            for name in names:
                if not running[name].alive:
                    raise self._dead(part, name)

        return tick

    def _dead(self, part: Part, program: str) -> DeadPart:
        log = self.layout.logs / f"{program}.log"
        where = "" if program in part.title else f" ({program})"
        return DeadPart(
            f"{part.title}{where} ended while it started.",
            f"Its whole log: {log}",
            evidence=tail(log) or ["(its log is empty)"],
        )

    def _stop(self, *, keep: frozenset[str]) -> None:
        """Stop all programs but those to keep; the supervisor too if it then has nothing left to do."""
        for stage in reversed(self._stages):
            watch = Stopwatch()
            try:
                ours = {program.name for part in stage for program in part.programs}
                # An older release may have started fewer; what it had more, the supervisor's end ends.
                names = ours & self._supervisor.programs().keys() - keep
                for name in names:
                    self._supervisor.end(name)
                self._wait_until_ended(names)
            except NotRunning:
                break
            titles = ", ".join(part.title for part in stage)
            self._progress.waiting("stopping", f"{titles} {watch.seconds:.1f} s")
        if not keep:
            self._supervisor.shut_down()
            self._end_leftovers()

    def _end_leftovers(self) -> None:
        """What a supervisor that was killed left behind: found by the mark that only our processes carry."""
        processes.end(process.pid for process in processes.marked(self.layout.state))

    def _wait_until_ended(self, names: Collection[str], *, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            running = self._supervisor.programs()
            if not any(running[name].alive for name in names if name in running):
                return
            time.sleep(0.05)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        path = self.layout.state / "lock"
        with path.open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as fault:
                file.seek(0)
                raise Busy(
                    f"Another command is at work on this platform (PID {file.read().strip() or 'unknown'}).",
                    "Wait until it has finished, or press Ctrl-C where it runs.",
                ) from fault
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield


def _port_taken(part: Part, port: int) -> PortTaken:
    process = processes.holder(port)
    if process is None:
        by, todo = "by a process of another user", f"`sudo ss -ltnp 'sport = :{port}'` names it. Stop it"
    else:
        by, todo = f"by PID {process.pid} ({process.command})", f"Stop it (`kill {process.pid}`)"
    return PortTaken(f"Port {port} ({part.title}) is taken {by}.", f"{todo}, then run `make up` again.")


def secure_folder(path: Path) -> None:
    """Make the state folder, or check that it is ours: anybody may have made one in /var/tmp first.

    0700; as root 0711, because PostgreSQL's user must pass through it to its own folder inside.
    """
    mode = 0o711 if os.getuid() == 0 else 0o700
    path.mkdir(mode=mode, parents=False, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise LocalError(f"{path} belongs to somebody else.", "Have it removed, then try again.")
    path.chmod(mode)
