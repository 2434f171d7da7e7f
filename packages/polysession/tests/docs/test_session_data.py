"""docs/session-data.md: what it shows is what happens."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[4] / "docs" / "session-data.md"
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


def test_every_block_of_the_page_runs_in_its_order() -> None:
    page = PAGE.read_text()
    shared: dict[str, Any] = {"__name__": __name__}
    blocks = list(BLOCK.finditer(page))
    assert len(blocks) == page.count("```python") == 7
    for block in blocks:
        line = page.count("\n", 0, block.start(1))
        # Blank lines in front: a failure names the line of the page.
        code = compile("\n" * line + block[1], PAGE.name, "exec", dont_inherit=True)
        exec(code, shared)
    assert shared["payments"] == ["charged"]


def test_each_section_has_an_example() -> None:
    sections = PAGE.read_text().split("\n## ")[1:]
    assert [section[0] for section in sections] == list("123456")
    assert all("```python" in section for section in sections)
