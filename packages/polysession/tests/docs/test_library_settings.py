"""docs/library-settings.md names each parameter and field there is, with its default."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from pathlib import Path

from polysession import SessionSettings, connect
from polysession.keys import make_keys

PAGE = Path(__file__).parents[4] / "docs" / "library-settings.md"


def table(heading: str) -> dict[str, str]:
    """Default by name; one default stands for all names of a row."""
    section = PAGE.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    found: dict[str, str] = {}
    for names, default in re.findall(r"(?m)^\| (`[^|]*) \| ([^|]*) \|", section):
        each = names.replace("`", "").split(", ")
        defaults = default.replace("`", "").split(", ")
        found |= dict(zip(each, defaults if len(defaults) > 1 else defaults * len(each), strict=True))
    return found


def test_every_parameter_of_connect_is_there_with_its_default() -> None:
    parameters = inspect.signature(connect).parameters.values()
    assert table("connect()") == {
        one.name: "required" if one.default is one.empty else repr(one.default) for one in parameters
    }


def test_every_field_of_the_settings_is_there_with_its_default() -> None:
    assert table("SessionSettings") == {
        one.name: repr(one.default) for one in fields(SessionSettings) if one.init
    }


def test_the_example_is_made_without_a_connection(tmp_path: Path) -> None:
    make_keys(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(code.replace("/run/keys", str(tmp_path)), PAGE.name, "exec", dont_inherit=True), names)
    assert names["manager"].settings.idle == 900  # type: ignore[attr-defined]
