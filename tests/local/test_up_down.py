"""What `make up`, `down`, `reset`, `status` and `logs` promise, with the two parts that keep data and small stand-ins."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
import pytest
import redis

from local import __main__ as command
from local import processes
from local.errors import Busy, DeadPart, MissingPackage, NotReady, PortTaken
from local.layout import HOST, MARKER, Layout
from local.parts.postgres import Postgres
from local.parts.redis_cluster import RedisCluster
from local.platform import Platform
from local.readiness import Tick, wait
from local.secrets import Secrets
from local.supervisor import Program


class Script:
    """A part that is a few lines of Python."""

    def __init__(self, layout: Layout, name: str, code: str, *, ports: Sequence[int] = ()) -> None:
        self.title = f"part {name}"
        self.address = "nowhere"
        self.ports = ports
        self.programs = [Program(name, [sys.executable, str(layout.state / f"{name}.py")], layout.state)]
        self.is_ready = lambda: True
        self._source = layout.state / f"{name}.py"
        self._code = code

    def require(self) -> None:
        pass

    def prepare(self) -> None:
        self._source.write_text(self._code)

    def settle(self, tick: Tick) -> None:
        wait(self.title, lambda: None if self.is_ready() else "still warming up", tick, seconds=5)


SLEEP = "import time\ntime.sleep(600)\n"
DIE = "print('no more coffee')\nraise SystemExit(3)\n"
# A service whose worker outlives a TERM of its parent alone: only its group's end ends it.
FAMILY = f"""import subprocess, sys
subprocess.Popen([sys.executable, '-c', {SLEEP!r}]).wait()
"""


@contextlib.contextmanager
def started(platform: Platform) -> Iterator[Platform]:
    platform.start()
    try:
        yield platform
    finally:
        platform.stop()


def left(layout: Layout) -> list[processes.Process]:
    """Whatever of this layout still runs, by the mark in its environment or its folder in its command."""
    found = {process.pid: process for process in processes.marked(layout.state)}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and str(layout.state) in processes.command(int(entry.name)):
            found[int(entry.name)] = processes.Process(int(entry.name), processes.command(int(entry.name)))
    return list(found.values())


def data_parts(layout: Layout) -> Sequence[Sequence[object]]:
    return ((Postgres(layout), RedisCluster(layout)),)


def query(layout: Layout, statement: str) -> list[tuple[object, ...]]:
    password = Secrets(layout).database_password("users").read_text()
    where = {"host": HOST, "port": layout.ports.postgres, "user": "users", "dbname": "users"}
    with psycopg.connect(**where, password=password) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_data_is_kept_from_down_to_up_and_nothing_is_left_running(layout: Layout) -> None:
    cluster = redis.RedisCluster
    with started(Platform(layout, stages=data_parts(layout))) as platform:
        pids = [state.pid for state in platform.states()]
        assert len(pids) == 7
        query(layout, "CREATE TABLE kept (word text)")
        query(layout, "INSERT INTO kept VALUES ('still here')")
        with contextlib.closing(cluster(host=HOST, port=layout.ports.redis[0])) as store:
            store.set("{0007}kept", "still here")
        time.sleep(1.1)  # the append-only file is written each second
    assert processes.survivors(pids, seconds=0) == []
    assert left(layout) == []
    with started(Platform(layout, stages=data_parts(layout))):
        assert query(layout, "SELECT word FROM kept") == [("still here",)]
        with contextlib.closing(cluster(host=HOST, port=layout.ports.redis[5])) as store:
            assert store.get("{0007}kept") == b"still here"
    assert left(layout) == []


def test_a_role_cannot_enter_the_other_services_database(layout: Layout) -> None:
    password = Path(Secrets(layout).database_password("orders"))
    where = {"host": HOST, "port": layout.ports.postgres, "user": "orders"}
    with started(Platform(layout, stages=((Postgres(layout),),))):
        psycopg.connect(**where, dbname="orders", password=password.read_text()).close()
        with pytest.raises(psycopg.OperationalError, match="permission denied"):
            psycopg.connect(**where, dbname="users", password=password.read_text())
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(**where, dbname="orders", password="guessed")


def test_a_second_start_starts_only_what_has_died(layout: Layout) -> None:
    stages = ((Script(layout, "one", SLEEP), Script(layout, "two", SLEEP)),)
    with started(Platform(layout, stages=stages)) as platform:
        before = {state.program: state.pid for state in platform.states()}
        platform.kill("two")
        assert not processes.is_alive(before["two"])
        platform.start()
        after = {state.program: state.pid for state in platform.states()}
    assert after["one"] == before["one"]
    assert after["two"] not in (0, before["two"])


def test_a_taken_port_is_named_with_the_process_that_holds_it(layout: Layout) -> None:
    with socket.create_server((HOST, layout.ports.users)):
        part = Script(layout, "one", SLEEP, ports=[layout.ports.users])
        with pytest.raises(PortTaken) as caught:
            Platform(layout, stages=((part,),)).start()
    assert f"Port {layout.ports.users} (part one)" in caught.value.what
    assert f"PID {os.getpid()}" in caught.value.what
    assert f"kill {os.getpid()}" in caught.value.todo
    assert left(layout) == []


def test_a_part_that_dies_is_named_with_the_end_of_its_log_and_all_is_stopped(layout: Layout) -> None:
    sleeper, dying = Script(layout, "sleeper", SLEEP), Script(layout, "dying", DIE)
    dying.is_ready = lambda: False
    with pytest.raises(DeadPart) as caught:
        Platform(layout, stages=((sleeper,), (dying,))).start()
    assert "dying" in caught.value.what
    assert "no more coffee" in caught.value.evidence
    assert str(layout.logs / "dying.log") in caught.value.todo
    assert left(layout) == []


def test_a_part_that_never_gets_ready_is_given_up_with_its_last_answer(layout: Layout) -> None:
    part = Script(layout, "slow", SLEEP)
    part.is_ready = lambda: False
    with pytest.raises(NotReady) as caught:
        Platform(layout, stages=((part,),)).start()
    assert caught.value.evidence == ("last answer: still warming up",)
    assert left(layout) == []


def test_a_failed_start_leaves_what_ran_before_alone(layout: Layout) -> None:
    one, two = Script(layout, "one", SLEEP), Script(layout, "two", SLEEP)
    with started(Platform(layout, stages=((one,), (two,)))) as platform:
        pid = platform.states()[0].pid
        platform.kill("two")
        two.is_ready = lambda: False
        with pytest.raises(NotReady):
            platform.start()
        assert [state.alive for state in platform.states()] == [True, False]
        assert platform.states()[0].pid == pid


def test_stop_ends_the_children_of_a_part_too(layout: Layout) -> None:
    with started(Platform(layout, stages=((Script(layout, "family", FAMILY),),))):
        deadline = time.monotonic() + 10
        while len(left(layout)) < 3 and time.monotonic() < deadline:  # the supervisor, the part, its child
            time.sleep(0.05)
        assert len(left(layout)) == 3
    assert left(layout) == []


def test_what_a_killed_supervisor_left_behind_is_stopped_too(layout: Layout) -> None:
    platform = Platform(layout, stages=((Script(layout, "orphan", SLEEP),),))
    platform.start()
    orphan = platform.states()[0].pid
    supervisor = int((layout.run / "supervisord.pid").read_text())
    os.kill(supervisor, signal.SIGKILL)
    assert processes.survivors([supervisor], seconds=5) == []
    assert processes.is_alive(orphan)
    platform.stop()
    assert left(layout) == []


def test_a_process_without_our_mark_is_never_touched(layout: Layout) -> None:
    environment = {**os.environ, MARKER: f"{layout.state}-of-somebody-else"}
    with subprocess.Popen([sys.executable, "-c", SLEEP], env=environment) as bystander:
        try:
            with started(Platform(layout, stages=((Script(layout, "one", SLEEP),),))):
                pass
            assert bystander.poll() is None
        finally:
            bystander.kill()


def test_an_interrupted_start_stops_what_it_had_started(layout: Layout) -> None:
    part = Script(layout, "slow", SLEEP)

    def interrupt() -> bool:
        raise KeyboardInterrupt

    part.is_ready = interrupt
    assert command.main(["up"], layout=layout, stages=((Script(layout, "one", SLEEP),), (part,))) == 130
    assert left(layout) == []


def test_two_commands_at_once_are_refused(layout: Layout) -> None:
    part = Script(layout, "slow", SLEEP)
    go_on, asked = threading.Event(), threading.Event()

    def is_ready() -> bool:
        asked.set()
        return go_on.is_set()

    part.is_ready = is_ready
    platform = Platform(layout, stages=((part,),))
    first = threading.Thread(target=platform.start)
    first.start()
    try:
        assert asked.wait(10)
        with pytest.raises(Busy, match=f"PID {os.getpid()}"):
            Platform(layout, stages=((part,),)).stop()
    finally:
        go_on.set()
        first.join()
        platform.stop()


def test_another_release_of_a_part_is_started_anew(layout: Layout) -> None:
    with started(Platform(layout, stages=((Script(layout, "one", SLEEP),),))) as platform:
        before = platform.states()[0].pid
        other = Platform(layout, stages=((Script(layout, "one", SLEEP), Script(layout, "two", SLEEP)),))
        other.start()
        assert [state.alive for state in other.states()] == [True, True]
        assert not processes.is_alive(before)


def test_status_names_what_does_not_run_and_fails(layout: Layout, capsys: pytest.CaptureFixture[str]) -> None:
    stages = ((Script(layout, "one", SLEEP), Script(layout, "two", SLEEP)),)
    assert command.main(["status"], layout=layout, stages=stages) == 1
    assert "make up" in capsys.readouterr().out
    with started(Platform(layout, stages=stages)) as platform:
        assert command.main(["status"], layout=layout, stages=stages) == 0
        assert f"PID {platform.states()[0].pid}" in capsys.readouterr().out
        platform.kill("two")
        assert command.main(["status"], layout=layout, stages=stages) == 1
    out = capsys.readouterr().out
    assert "✗ two" in out
    assert "Not running: two." in out
    assert "\x1b[" not in out


def test_up_says_where_to_look_and_reset_deletes_everything(
    layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    stages = ((Script(layout, "one", SLEEP),),)
    assert command.main(["up"], layout=layout, stages=stages) == 0
    out = capsys.readouterr().out
    assert layout.public_url in out
    assert "✓ part one" in out
    assert command.main(["reset"], layout=layout, stages=stages) == 0
    assert not layout.state.exists()
    layout.state.mkdir()  # for the fixture to remove
    assert left(layout) == []


def test_logs_of_an_unknown_part_name_the_known_ones(
    layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    stages = ((Script(layout, "one", SLEEP),),)
    with started(Platform(layout, stages=stages)):
        assert command.main(["logs", "nobody"], layout=layout, stages=stages) == 1
    assert "There are logs of: one" in capsys.readouterr().out


def test_a_missing_program_is_named_with_its_package(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(MissingPackage) as caught:
        Platform(layout, stages=((RedisCluster(layout),),)).start()
    assert "redis-server" in caught.value.what
    assert "local/install.sh" in caught.value.todo


def test_secrets_are_made_once_and_are_their_owners_alone(layout: Layout) -> None:
    Secrets(layout).make()
    files = [path for path in layout.secrets.rglob("*") if path.is_file()]
    assert len(files) >= 5
    assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o600"}
    before = {path: path.read_bytes() for path in files}
    Secrets(layout).make()
    assert {path: path.read_bytes() for path in files} == before
