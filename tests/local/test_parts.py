"""The pure bits: ports, supervisor's configuration, what is shown."""

import io
import random
import socket
from pathlib import Path

import pytest

from local import layout as layouts
from local import processes
from local.errors import LocalError
from local.layout import CLUSTER_BUS_OFFSET, Layout, Ports
from local.logs import tail
from local.otlp import Trace
from local.parts import redis_cluster
from local.parts.edge import version
from local.platform import all_parts, secure_folder
from local.progress import Terminal
from local.supervisor import Program, configuration


def test_free_ports_are_distinct_and_leave_room_for_the_cluster_bus() -> None:
    ports = layouts.free_ports(random.Random(7), is_free=lambda _: True)
    one_each = [getattr(ports, name) for name in Ports.__dataclass_fields__ if name != "redis"]
    buses = [port + CLUSTER_BUS_OFFSET for port in ports.redis]
    everything = [*one_each, *ports.redis, *buses]
    assert len(set(everything)) == len(everything) == 19
    assert max(everything) < 32_768  # where Linux takes the ports of outgoing connections from


def test_a_port_is_not_taken_when_its_bus_is_not_free() -> None:
    ports = layouts.free_ports(random.Random(7), is_free=lambda port: port < 22_000 or port % 2 == 0)
    assert all(port % 2 == 0 for port in ports.redis)


def test_no_two_parts_want_the_same_port(layout: Layout) -> None:
    parts = [part for stage in all_parts(layout) for part in stage]
    wanted = [port for part in parts for port in part.ports]
    assert len(wanted) == len(set(wanted)) == 19


def test_two_checkouts_have_two_states(tmp_path: Path) -> None:
    one, two = layouts.of_checkout(tmp_path / "one"), layouts.of_checkout(tmp_path / "two")
    assert one.state != two.state
    assert layouts.of_checkout(tmp_path / "one") == one


def test_a_state_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "state").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LocalError, match="somebody else"):
        secure_folder(tmp_path / "state")


def test_a_percent_sign_reaches_the_program_and_a_quote_is_refused(layout: Layout) -> None:
    def written(value: str) -> str:
        program = Program("one", ["true"], Path("/"), {"NAME": value})
        return configuration(layout, [program], Path("/s"), Path("/p"))

    assert 'NAME="100%%"' in written("100%")
    with pytest.raises(ValueError, match="quote"):
        written('say "yes"')


def test_nothing_restarts_by_itself(layout: Layout) -> None:
    programs = [program for stage in all_parts(layout) for part in stage for program in part.programs]
    text = configuration(layout, programs, Path("/s"), Path("/p"))
    assert text.count("[program:") == len(programs)
    assert text.count("autorestart=false") == len(programs)
    assert text.count("autostart=false") == len(programs)


def test_a_stream_that_is_no_terminal_gets_plain_lines() -> None:
    stream = io.StringIO()
    terminal = Terminal(stream)
    terminal.waiting("users", "preparing")
    terminal.done("users", "127.0.0.1:8401", 1.2)
    terminal.failed(LocalError("It broke.", "Mend it.", evidence=["because"]))
    assert "\x1b" not in stream.getvalue()
    assert "\r" not in stream.getvalue()
    assert [line.strip() for line in stream.getvalue().splitlines() if line.strip()] == [
        "✓ users             127.0.0.1:8401                 1.2 s",
        "✗ It broke.",
        "because",
        "Mend it.",
    ]


def test_an_old_caddy_is_told_by_its_version(tmp_path: Path) -> None:
    for said, number in (("v2.11.7 h1:abc=", (2, 11)), ("2.6.2", (2, 6)), ("who knows", (0,))):
        program = tmp_path / "caddy"
        program.write_text(f"#!/bin/sh\necho '{said}'\n")
        program.chmod(0o755)
        assert version(program) == number


def test_nobody_holds_a_free_port() -> None:
    ports = layouts.free_ports(random.SystemRandom())
    assert processes.holder(ports.edge) is None


def test_a_request_is_a_child_of_the_storys_root() -> None:
    trace = Trace(service="demo", root="story")
    with trace.client_span("GET /") as span:
        span.attributes["http.response.status_code"] = 200
    written = span.as_json()
    assert span.traceparent == f"00-{trace.trace_id}-{span.span_id}-01"
    assert written["parentSpanId"]
    assert int(str(written["endTimeUnixNano"])) >= int(str(written["startTimeUnixNano"]))
    assert written["attributes"] == [{"key": "http.response.status_code", "value": {"intValue": "200"}}]


def test_the_end_of_a_json_log_says_what_was_raised(tmp_path: Path) -> None:
    log = tmp_path / "users.log"
    lines = [
        "plain words",
        '{"level": "error", "event": "Worker failed", "exception": "Traceback:\\n  here\\n  there\\nKeyError: 7"}',
        '{"level": "info", "event": "Shutting down"}',
        "{not json",
    ]
    log.write_text("\n".join(lines))
    assert tail(log) == [
        "plain words",
        "error: Worker failed",
        "    here",
        "    there",
        "  KeyError: 7",
        "info: Shutting down",
        "{not json",
    ]
    assert tail(tmp_path / "missing.log") == []


def test_a_node_that_gives_no_answer_while_the_cluster_forms_is_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        node = redis_cluster.connect(silent.getsockname()[1], seconds=0.05)
        assert str(redis_cluster._all_know_each_other([node])).startswith("redis-1: ")
        node.close()
