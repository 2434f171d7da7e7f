"""``polysession.connect`` and what importing the package needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import polysession
import pytest
from polysession.testing import make_keys


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_the_package_alone_imports_nothing_but_msgspec() -> None:
    done = run(
        "import sys, polysession\n"
        "extras = {'redis', 'hiredis', 'django', 'flask', 'opentelemetry', 'prometheus_client'}\n"
        "print(*extras & set(sys.modules))"
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")


def test_without_its_extra_connect_says_what_to_install() -> None:
    done = run(
        "import sys; sys.modules['redis'] = None\n"
        "import polysession, pathlib\n"
        "polysession.connect('127.0.0.1:1', pathlib.Path('.'))"
    )
    assert "pip install 'polysession[redis]'" in done.stderr


def test_connect_makes_no_connection_and_the_first_use_does() -> None:
    manager = polysession.connect("127.0.0.1:1", make_keys())
    with pytest.raises(polysession.StoreUnavailable):
        manager.ping()
    manager.close()


def test_connect_reads_key_files_and_reaches_the_cluster(
    tmp_path: Path, redis_nodes: tuple[tuple[str, int], ...], redis_prefix: str
) -> None:
    from polysession.keys import make_keys as make_key_files

    make_key_files(tmp_path)
    nodes = ",".join(f"{host}:{port}" for host, port in redis_nodes)
    manager = polysession.connect(nodes, tmp_path, prefix=redis_prefix, deadline_ms=5000)
    manager.ping()
    session = manager.open(None)
    session["theme"] = "dark"
    session.commit()
    assert manager.open(session.token)["theme"] == "dark"
    manager.close()


def test_nodes_are_host_and_port_and_every_fault_is_named_without_its_value() -> None:
    assert polysession.parse_nodes("a:1, [::1]:2") == (("a", 1), ("::1", 2))
    with pytest.raises(polysession.InvalidSettings) as caught:
        polysession.parse_nodes("good:1,secret,host:99999,:5")
    assert caught.value.faults == tuple(f"Redis node {number} is not host:port" for number in (2, 3, 4))


def test_every_public_name_is_there() -> None:
    assert all(hasattr(polysession, name) for name in polysession.__all__)
