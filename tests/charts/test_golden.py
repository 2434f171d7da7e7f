"""What two scenarios render, to the letter: a change of the charts shows in the diff of its commit, wanted or not.

WRITE_GOLDEN=1 python -m pytest tests/charts/test_golden.py      writes them anew
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from tests.charts.rendering import name_of, objects, scenario

GOLDEN = Path(__file__).parent / "golden"


class Plain(yaml.SafeDumper):
    """Without anchors: they are numbered through, so one more would change every later line."""

    def ignore_aliases(self, data: object) -> bool:
        return True


@pytest.mark.parametrize("name", ["default", "production"])
def test_it_renders_what_it_rendered(name: str):
    found = sorted(
        objects("polysession", *scenario(name)), key=lambda one: (name_of(one), str(one["metadata"]))
    )
    text = yaml.dump_all(found, Dumper=Plain, width=200, explicit_start=True)
    path = GOLDEN / f"{name}.yaml"
    if os.environ.get("WRITE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text(), (
        f"if that is what you want: WRITE_GOLDEN=1, then look at the diff of {path.name}"
    )
