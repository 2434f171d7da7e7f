"""What is installed is what was locked. The lock itself is not committed, since it has download addresses: the five
exports are, and must agree.
"""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALL = "requirements-dev.txt"  # of the whole workspace
IMAGES = {
    "services/django-users": "services/django-users/requirements.txt",
    "services/flask-orders": "services/flask-orders/requirements.txt",
    "packages/operations": "packages/operations/requirements.txt",
}
FILES = (ALL, "requirements-wheels.txt", *IMAGES.values())
PINNED = re.compile(
    r"(?P<name>[a-z0-9-]+)(?:\[[a-z0-9,-]+\])?==(?P<version>[^ ;]+)(?: ; .*?)?(?: +--hash=sha256:[0-9a-f]{64})+ *"
)


@cache
def lines_of(file: str) -> tuple[str, ...]:
    joined = re.sub(r" *\\\n *", " ", (ROOT / file).read_text())
    return tuple(line for line in joined.splitlines() if line and not line.startswith("#"))


@dataclass(frozen=True)
class Pin:
    """Of one package there may be two, for different Pythons."""

    name: str
    version: str
    hashes: frozenset[str]


def locked(file: str) -> frozenset[Pin]:
    found = set()
    for line in lines_of(file):
        match = PINNED.fullmatch(line)
        assert match is not None, f"{file}: {line[:80]}"
        found.add(Pin(match["name"], match["version"], frozenset(re.findall(r"sha256:(\w+)", line))))
    return frozenset(found)


def test_every_export_is_here():
    command = ["git", "ls-files", "--", "*requirements*.txt"]
    tracked = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    assert sorted(tracked) == sorted(FILES)


@pytest.mark.parametrize("file", FILES)
def test_every_requirement_is_pinned_by_version_and_hash(file: str):
    assert len(locked(file)) == len(lines_of(file)) > 4


@pytest.mark.parametrize("file", FILES[1:])
def test_an_image_and_a_wheel_are_made_of_what_was_tested(file: str):
    assert locked(file) - locked(ALL) == set(), "make requirements"


def declared(member: str) -> Iterator[str]:
    """The packages that a member needs to run; its neighbours' for them."""
    project = tomllib.loads((ROOT / member / "pyproject.toml").read_text())["project"]
    for requirement in project["dependencies"]:
        named = re.match(r"([A-Za-z0-9._-]+)(?:\[([^]]*)\])?", requirement)
        assert named is not None
        name = named[1].lower().replace("_", "-").replace(".", "-")
        if (ROOT / "packages" / name).is_dir():
            yield from declared(f"packages/{name}")
        else:
            yield name


@pytest.mark.parametrize("member", IMAGES)
def test_an_image_gets_all_that_its_packages_declare(member: str):
    missing = set(declared(member)) - {pin.name for pin in locked(IMAGES[member])}
    assert missing == set(), "make requirements"
