"""Every landing: the steps in their order, thirty minutes at most."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from tests.cluster.limit import Limit

_limit = Limit(minutes=30)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    return (yield from _limit.hold(item))
