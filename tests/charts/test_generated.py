"""What is written by a program is what that program writes today."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from tests.charts.rendering import CHARTS

HELM_S_OWN = {"global", "common", "enabled"}
VALUES = """\
# How many.
# @schema {minimum: 1}
count: 2
# One thing.
# It is small.
thing:
  # @schema quantity
  size: 1Gi
  open: true
"""


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_charts", CHARTS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    (tmp_path / "Chart.yaml").write_text("name: one\ndescription: A chart.\n")
    (tmp_path / "values.yaml").write_text(VALUES)
    return tmp_path


def shapes() -> dict:
    return yaml.safe_load((CHARTS / "common/shapes.yaml").read_text())


def test_schema_and_readme_of_each_chart_are_those_of_its_values(generate: ModuleType):
    assert len(list(generate.charts())) >= 6
    outdated = [
        f"{chart.folder.name}/{name}"
        for chart in generate.charts()
        for name, text in chart.files().items()
        if (chart.folder / name).read_text() != text
    ]
    assert outdated == [], "run `python charts/generate.py`"


def test_the_umbrella_shows_every_value_that_charts_share():
    shape, values = shapes()["global"], yaml.safe_load((CHARTS / "polysession/values.yaml").read_text())

    def leaves(of: dict, path: str = "") -> set[str]:
        found = set()
        for key, value in of.items():
            inner = value.get("properties")
            found |= leaves(inner, f"{path}{key}.") if inner else {f"{path}{key}"}
        return found

    def keys(of: dict, path: str = "") -> set[str]:
        found = set()
        for key, value in of.items():
            found |= keys(value, f"{path}{key}.") if isinstance(value, dict) and value else {f"{path}{key}"}
        return found

    assert leaves(shape["properties"]) == keys(values["global"])


def test_a_schema_says_type_rule_and_meaning_and_is_closed(generate: ModuleType, chart: Path):
    schema = generate.json.loads(generate.Chart(chart, shapes()).files()["values.schema.json"])
    assert schema["additionalProperties"] is False
    assert schema["properties"].keys() == {"count", "thing"} | HELM_S_OWN
    assert schema["properties"]["count"] == {"description": "How many.", "type": "integer", "minimum": 1}
    thing = schema["properties"]["thing"]
    assert thing["description"] == "One thing. It is small."
    assert thing["additionalProperties"] is False
    assert thing["properties"]["size"]["pattern"] == shapes()["quantity"]["pattern"]


def test_a_readme_has_a_line_a_value(generate: ModuleType, chart: Path):
    page = generate.Chart(chart, shapes()).files()["README.md"]
    assert "| `count` | `2` | How many. |" in page
    assert '| `thing.size` | `"1Gi"` |  |' in page


@pytest.mark.parametrize("text", ["a: null\n", "# @schema nothing\na: 1\n"])
def test_a_value_that_says_too_little_is_refused_by_name(generate: ModuleType, chart: Path, text: str):
    (chart / "values.yaml").write_text(text)
    with pytest.raises(generate.Undecided, match=r"^a: "):
        generate.Chart(chart, shapes()).files()


def test_every_value_says_what_it_means(generate: ModuleType):
    silent = [
        f"{chart.folder.name}: {'.'.join(value.path)}"
        for chart in generate.charts()
        for value in chart.values()
        if not value.description
    ]
    assert silent == []


def templates(chart: str) -> str:
    own = [
        *(CHARTS / chart).glob("templates/*"),
        *(CHARTS / chart).glob("config/*"),
        *(CHARTS / chart).glob("files/*"),
    ]
    return "\n".join(path.read_text() for path in own)


def test_every_value_is_used(generate: ModuleType):
    """A key that a chart documents and ignores is a lie that nobody notices."""
    common = templates("common")
    for chart in generate.charts():
        text = templates(chart.folder.name) + common
        for value in chart.values():
            key = value.path[-1]
            by_name = rf"index [$]?\.Values\.{value.path[-2]}\b" if len(value.path) > 1 else "$^"
            used = re.search(rf"\.{key}\b|\"{key}\"|{by_name}", text)
            assert used or value.shape == "subchart", (chart.folder.name, ".".join(value.path))


def test_every_value_that_a_template_uses_is_documented(generate: ModuleType):
    for chart in generate.charts():
        values = yaml.safe_load((chart.folder / "values.yaml").read_text())
        for path in re.findall(r"\.Values((?:\.\w+)+)", templates(chart.folder.name)):
            here = values
            for key in path.strip(".").split("."):
                if (
                    path.startswith(".global.")
                    or here == {"enabled": True}
                    or not here
                    or not isinstance(here, dict)
                ):
                    break
                assert key in here, (chart.folder.name, path)
                here = here[key]
