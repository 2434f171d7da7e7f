"""docs/testing.md: its files, as they stand there, are tests that pass; and they are run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parents[4] / "docs"
PAGE = DOCS / "testing.md"
BLOCK = re.compile(r"```python\n# ([\w.-]+)\n(.*?)```", re.DOTALL)
FILES = dict(BLOCK.findall(PAGE.read_text()))
DJANGO_SETTINGS = dict(BLOCK.findall((DOCS / "django.md").read_text()))["settings"]


def run(folder: Path, *arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_tests_for_pytest_pass(tmp_path: Path) -> None:
    for name in ("shop.py", "test_shop.py", "test_live.py"):
        (tmp_path / name).write_text(FILES[name])
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    assert "4 passed" in run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider")


def test_the_tests_for_django_pass(tmp_path: Path) -> None:
    run(tmp_path, "-m", "django", "startproject", "mysite", ".")
    with (tmp_path / "mysite" / "settings.py").open("a") as stream:
        stream.write(DJANGO_SETTINGS)
    for name in ("settings_for_tests.py", "tests.py"):
        (tmp_path / "mysite" / name).write_text(FILES[name])
    said = run(tmp_path, "manage.py", "test", "mysite", "--settings=mysite.settings_for_tests")
    assert "Ran 3 tests" in said


def test_every_block_is_used() -> None:
    assert FILES.keys() == {"shop.py", "test_shop.py", "settings_for_tests.py", "tests.py", "test_live.py"}
    assert PAGE.read_text().count("```python") == len(FILES)
