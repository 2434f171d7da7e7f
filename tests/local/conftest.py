"""Layouts that share nothing with a running `make up`."""

import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import layout as layouts
from local.layout import Layout

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def layout() -> Iterator[Layout]:
    """Free ports, and a state folder under /var/tmp: PostgreSQL's user cannot enter pytest's own."""
    state = Path(tempfile.mkdtemp(prefix="polysession-test-", dir="/var/tmp"))
    yield layouts.for_tests(ROOT, state, choose=random.SystemRandom())
    shutil.rmtree(state)
