"""The built wheel alone: what is in it, and what works with no framework, no Redis client and no test runner."""

from __future__ import annotations

import json
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.packaging.conftest import LIBRARY, Environment

SOURCE = LIBRARY / "src" / "polysession"

# Adapters of whose framework nothing is there: each says what to install. A stray installed one would prove nothing.
ADAPTERS = {
    "polysession.contrib.asgi": "asgi",
    "polysession.contrib.django": "django",
    "polysession.contrib.flask": "flask",
    "polysession.telemetry.otel": "otel",
    "polysession.telemetry.prometheus": "prometheus",
}

IMPORT_ALL = """
import importlib, json, sys
failed = {}
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except ImportError as error:
        failed[name] = [error.name, str(error)]
print(json.dumps(failed))
"""

A_SESSION = """
from polysession.testing import FakeClock, memory_manager

manager = memory_manager()
session = manager.open(None)
session["cart"] = {"steel-rule": 2}
session.sign_in("42", generation=0)
session.commit()
again = manager.open(session.token)
assert (again.principal, again["cart"]) == ("42", {"steel-rule": 2})
again.end("logout")
again.commit()
assert manager.open(session.token).principal is None
print("one life")
"""


def modules() -> list[str]:
    paths = (path.relative_to(SOURCE.parent).with_suffix("") for path in SOURCE.rglob("*.py"))
    names = (".".join(path.parts).removesuffix(".__init__") for path in paths)
    return sorted(name for name in names if not name.endswith("__main__"))


def test_the_wheel_holds_scripts_migrations_and_the_mark_of_types_and_no_test(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    files = {
        path.relative_to(SOURCE.parent).as_posix()
        for path in SOURCE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in inside if ".dist-info/" not in name} == files
    assert "polysession/py.typed" in inside
    assert {
        f"polysession/stores/scripts/{name}.lua" for name in ("create", "write", "end", "rotate")
    } <= inside
    assert "polysession/contrib/django/ledger/migrations/0001_initial.py" in inside
    assert not [name for name in inside if "/tests/" in name or Path(name).name.startswith("test_")]


def test_the_page_of_the_index_is_the_library_s_own(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        metadata = archive.read(name).decode()
    assert "Description-Content-Type: text/markdown" in metadata
    assert (LIBRARY / "README.md").read_text().strip() in metadata


def test_the_wheel_alone_brings_msgspec_and_nothing_else(bare: Environment):
    done = bare.python(
        "-c", "from importlib.metadata import distributions as d; print(*(one.name for one in d()))"
    )
    assert set(done.stdout.split()) == {"polysession", "msgspec"}, done.stderr


@pytest.fixture(scope="module")
def refused(bare: Environment) -> dict[str, tuple[str, str]]:
    """The modules that cannot be imported: the missing package and the message."""
    done = bare.python("-c", IMPORT_ALL, *modules())
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_without_extras_everything_imports_but_adapters_and_the_redis_client(
    refused: dict[str, tuple[str, str]],
):
    client = {
        name for name, (missing, _) in refused.items() if missing.partition(".")[0] in ("redis", "hiredis")
    }
    assert {name for name in client if not name.startswith("polysession.stores.")} == set()
    adapters = refused.keys() - client
    assert {
        name for name in adapters if not name.startswith(("polysession.contrib.", "polysession.telemetry."))
    } == set()
    assert refused.keys().isdisjoint(
        ("polysession", "polysession.stores.memory", "polysession.stores.ledger", "polysession.testing")
    )


def test_an_adapter_without_its_framework_says_which_extra_to_install(refused: dict[str, tuple[str, str]]):
    extras = tomllib.loads((LIBRARY / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    told = {
        name: message for name, (_, message) in refused.items() if not name.startswith("polysession.stores.")
    }
    says = {name: message.partition("polysession[")[2].removesuffix("]'") for name, message in told.items()}
    assert set(says.values()) <= set(extras), told
    assert {name: says.get(name) for name in ADAPTERS} == ADAPTERS


def test_without_extras_a_session_lives_and_ends_in_memory(bare: Environment):
    done = bare.python("-c", A_SESSION)
    assert done.stdout.strip() == "one life", done.stderr


def test_without_a_redis_client_connect_says_what_to_install(bare: Environment, tmp_path: Path):
    program = (
        "import sys, pathlib, polysession; polysession.connect('127.0.0.1:1', pathlib.Path(sys.argv[1]))"
    )
    done = bare.python("-c", program, str(tmp_path))
    assert done.stderr.strip().endswith("pip install 'polysession[redis]'")


def test_without_extras_the_command_makes_keys(bare: Environment, tmp_path: Path):
    done = bare.python("-m", "polysession", "keys", str(tmp_path / "keys"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "keys" / "placement").exists()
