"""supervisor runs the processes: its configuration, its XML-RPC on a unix socket, its life."""

import http.client
import socket
import subprocess
import time
import xmlrpc.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local import processes
from local.errors import LocalError, NotRunning, StepFailed
from local.layout import Layout

_RUNNING = frozenset({"STARTING", "RUNNING", "STOPPING"})
_BAD_NAME = 10
_ALREADY_STARTED = 60
_NOT_RUNNING = 70


@dataclass(frozen=True)
class Program:
    """One process to run. `stop_seconds` after `stop_signal` it is killed."""

    name: str
    command: Sequence[str]
    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    stop_signal: str = "TERM"
    stop_seconds: int = 30


@dataclass(frozen=True)
class Running:
    """A program as the supervisor sees it: `since` in seconds since the epoch, 0 when it never ran."""

    name: str
    state: str
    pid: int
    since: int

    @property
    def alive(self) -> bool:
        """Whether its process is there."""
        return self.state in _RUNNING


class Supervisor:
    """One supervisord of one layout. Nothing starts by itself and nothing is restarted: an empty Redis
    primary that comes back by itself would wipe its replica, and a part that dies should be seen."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._socket = layout.run / "supervisor.sock"
        self._config = layout.run / "supervisord.conf"
        self._pid_file = layout.run / "supervisord.pid"

    def start(self, programs: Sequence[Program]) -> None:
        """Start supervisord with these programs, none of them running. Left alone if it runs already."""
        if self.is_running:
            return
        self._config.write_text(configuration(self._layout, programs, self._socket, self._pid_file))
        self._config.chmod(0o600)
        python = str(self._layout.python)
        # -W: supervisor imports pkg_resources, which warns that it will go away.
        command = [python, "-W", "ignore", "-m", "supervisor.supervisord", "-c", str(self._config)]
        started = subprocess.run(
            command,
            capture_output=True,
            text=True,
            env=self._layout.environment(),
            cwd=self._layout.state,
            check=False,
        )
        if started.returncode:
            raise StepFailed(
                "supervisord did not start.",
                "Run `local/install.sh`, then try again.",
                evidence=(started.stdout + started.stderr).splitlines()[-10:],
            )

    @property
    def is_running(self) -> bool:
        """Whether it answers."""
        try:
            self._call("getState")
        except LocalError:
            return False
        return True

    def would_change(self, programs: Sequence[Program]) -> bool:
        """Whether the programs differ from those it was started with."""
        wanted = configuration(self._layout, programs, self._socket, self._pid_file)
        return not self._config.exists() or self._config.read_text() != wanted

    @property
    def pid(self) -> int | None:
        """supervisord's own process ID."""
        try:
            return int(self._pid_file.read_text())
        except (OSError, ValueError):
            return None

    def programs(self) -> dict[str, Running]:
        """Every program by name, running or not."""
        rows: Any = self._call("getAllProcessInfo")
        return {row["name"]: Running(row["name"], row["statename"], row["pid"], row["start"]) for row in rows}

    def begin(self, name: str) -> None:
        """Start one program; it may already run. Returns when its process is no longer a copy of supervisord.

        A copy between fork and exec has supervisord's signal handlers: a signal is lost on it, and a stop
        would take until the kill. Right after a kill supervisord may not know yet that the process is gone and
        answer ALREADY_STARTED: callers that killed wait for `programs()` first.
        """
        self._call("startProcess", name, False, tolerated=_ALREADY_STARTED)
        pid, parent = self.programs()[name].pid, self.pid
        deadline = time.monotonic() + 2
        while parent and pid and processes.command(pid) == processes.command(parent):
            if time.monotonic() > deadline:
                return
            time.sleep(0.005)

    def end(self, name: str) -> None:
        """Ask one program to stop, without waiting; it may not run."""
        self._call("stopProcess", name, False, tolerated=_NOT_RUNNING)

    def signal(self, name: str, signal: str) -> None:
        """Send a signal (`KILL`, `STOP`, `CONT`, …) to one program's process."""
        self._call("signalProcess", name, signal, tolerated=_NOT_RUNNING)

    def shut_down(self) -> None:
        """End supervisord and whatever it still runs; returns when its process is gone."""
        pid = self.pid
        try:
            self._call("shutdown")
        except NotRunning:
            return
        if pid is not None and processes.survivors([pid], seconds=60):
            processes.end([pid])

    def _call(self, method: str, *arguments: object, tolerated: int | None = None) -> object:
        proxy = xmlrpc.client.ServerProxy("http://localhost", transport=_UnixTransport(self._socket))
        try:
            with proxy:
                return getattr(proxy.supervisor, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode == tolerated:
                return None
            todo = "See `make status` for the names." if fault.faultCode == _BAD_NAME else "Run `make down`."
            what = f"The supervisor refused {method}{arguments}: {fault.faultString}."
            raise LocalError(what, todo) from fault
        except (OSError, http.client.HTTPException) as fault:
            raise NotRunning("The platform does not run.", "Start it with `make up`.") from fault


def configuration(layout: Layout, programs: Sequence[Program], socket_path: Path, pid_file: Path) -> str:
    """supervisord.conf as text: the same programs give the same text."""
    head = [
        "[supervisord]",
        f"pidfile={pid_file}",
        f"logfile={layout.logs / 'supervisord.log'}",
        f"childlogdir={layout.logs}",
        f"directory={layout.state}",
        "nodaemon=false",
        "umask=077",
        "minfds=4096",
        "[unix_http_server]",
        f"file={socket_path}",
        "chmod=0600",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface",
    ]
    for program in programs:
        head += _section(layout, program)
    return "\n".join(head) + "\n"


def _section(layout: Layout, program: Program) -> list[str]:
    lines = [
        f"[program:{program.name}]",
        f"command={' '.join(_quoted(word) for word in program.command)}",
        f"directory={_escaped(str(program.directory))}",
        f"stdout_logfile={_escaped(str(layout.logs / program.name))}.log",
        "stdout_logfile_maxbytes=10MB",
        "stdout_logfile_backups=1",
        "redirect_stderr=true",
        "autostart=false",
        "autorestart=false",
        "startsecs=0",
        "startretries=0",
        f"stopsignal={program.stop_signal}",
        f"stopwaitsecs={program.stop_seconds}",
        "killasgroup=true",
    ]
    if program.environment:
        pairs = [f"{name}={_quoted(value)}" for name, value in program.environment.items()]
        lines.append(f"environment={','.join(pairs)}")
    if program.user:
        lines.append(f"user={program.user}")
    return lines


def _quoted(text: str) -> str:
    if any(mark in text for mark in '"\\\n'):
        raise ValueError("supervisor cannot carry a quote, a backslash or a line break here")
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    return text.replace("%", "%%")


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(self.timeout)
        try:
            connection.connect(str(self._path))
        except OSError:
            connection.close()
            raise
        self.sock = connection


class _UnixTransport(xmlrpc.client.Transport):
    """supervisor's own transport imports half of supervisor, with a warning; this is all that is needed."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: object) -> _UnixConnection:
        connection = _UnixConnection(self._path)
        self._connection = (str(host), connection)  # so that close() finds it
        return connection
