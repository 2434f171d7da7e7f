"""The two README pages: what they show works, and what both show is the same.

The six lines of Django and Flask run together in tests/integration/test_readme.py.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.packaging.commands import blocks, commands, fault
from tests.packaging.conftest import LIBRARY, ROOT

OF_THE_PROJECT, OF_THE_LIBRARY = ROOT / "README.md", LIBRARY / "README.md"
PAGES = pytest.mark.parametrize("page", [OF_THE_PROJECT, OF_THE_LIBRARY], ids=["project", "library"])
SHOWN = {"", "mermaid", "text"}  # pictures and output, nothing to type
OF_A_NEW_PROJECT = (  # the lines of `django-admin startproject` that the example replaces
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
)
KEYS = "/srv/shop/keys"  # of both pages' examples; of the test, a directory of its own
CHECKED = {"python", "sh", "bash", "console", "toml"}


def python(page: Path) -> list[str]:
    return [block.text for block in blocks(page) if block.language == "python"]


@PAGES
def test_each_command_can_be_typed(page: Path):
    typed = list(commands(page))
    assert typed
    assert {command: why for command in typed if (why := fault(command))} == {}


def test_a_command_that_cannot_be_typed_is_found():
    wrong = (
        "make nothing",
        "pip install 'polysession[nothing]'",
        "polysession nothing",
        "cat docs/nothing.md",
        "rm x",
    )
    assert all(fault(command) for command in wrong)


@PAGES
def test_no_example_is_left_out(page: Path):
    assert {block.language for block in blocks(page)} <= SHOWN | CHECKED
    for block in blocks(page):
        if block.language == "toml":
            tomllib.loads(block.text)


def test_the_six_lines_of_each_framework_are_the_same_on_both_pages():
    ours = python(OF_THE_PROJECT)
    assert len(ours) == 2, "tests/integration/test_readme.py runs two"
    assert ours == python(OF_THE_LIBRARY)[:2]


def test_each_example_of_the_library_runs_in_its_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    command = "python -m polysession keys /srv/shop/keys"
    assert command in list(commands(OF_THE_LIBRARY))
    subprocess.run(
        [sys.executable, *command.replace(KEYS, "keys").split()[1:]], check=True, capture_output=True
    )
    shared: dict[str, Any] = {"__name__": "readme", "MIDDLEWARE": [*OF_A_NEW_PROJECT], "INSTALLED_APPS": []}
    examples = [block for block in blocks(OF_THE_LIBRARY) if block.language == "python"]
    assert len(examples) == 4
    for block in examples:
        # Blank lines in front: a failure names the line of the page.
        code = "\n" * (block.line - 1) + block.text.replace(KEYS, "keys")
        exec(compile(code, "README.md", "exec", dont_inherit=True), shared)
    assert shared["app"].session_interface.manager is not shared["POLYSESSION_MANAGER"]
    assert shared["newest"]["cart"] == {"book": 1, "pen": 2, "ink": 3}
    contract = [name for name in dir(shared["TestMyStore"]) if name.startswith("test_")]
    assert len(contract) > 40


def test_links_of_the_library_s_page_work_on_an_index():
    assert "](" not in OF_THE_LIBRARY.read_text().replace("](https://", "")
