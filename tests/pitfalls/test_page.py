"""docs/pitfalls.md shows what the programs run, and says of each stack what its program says."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from .test_pitfalls import HOLDS, VERDICTS

FOLDER = Path(__file__).parent
PAGE = (FOLDER.parents[1] / "docs" / "pitfalls.md").read_text()

# <!-- folder/program.py: part --> before a block: the lines between `# --- part` and `# --- end` of the program.
SHOWN = re.compile(r"<!-- (?P<file>[\w/.]+): (?P<part>\w+) -->\n```python\n(?P<code>.*?)```", re.DOTALL)
PITFALLS = ("lost_update", "resurrection", "fixation")
STACKS = (
    ("Django `cache`", "django", "cache"),
    ("Django `cached_db`", "django", "cached_db"),
    ("Django `db`", "django", "db"),
    ("Flask's cookie", "flask", "cookie"),
    ("Flask-Session", "flask", "flask-session"),
    ("Polysession, Django", "django", "polysession"),
    ("Polysession, Flask", "flask", "polysession"),
)


def part_of(file: str, part: str) -> str:
    found = re.search(
        rf"^ *# --- {part}\n(.*?)\n *# --- end$", (FOLDER / file).read_text(), re.DOTALL | re.MULTILINE
    )
    assert found is not None, f"{file} has no part {part}"
    return textwrap.dedent(found[1]).strip()


def test_every_python_block_of_the_page_is_a_part_of_a_program() -> None:
    blocks = list(SHOWN.finditer(PAGE))
    assert len(blocks) == PAGE.count("```python")
    assert {block["file"].split("/")[0] for block in blocks} >= set(PITFALLS)
    for block in blocks:
        assert block["code"].strip() == part_of(block["file"], block["part"]), block["file"]


def test_the_table_of_the_page_says_what_the_programs_say() -> None:
    for name, framework, stack in STACKS:
        cells = ["holds" if VERDICTS[pitfall, framework][stack] == HOLDS else "fails" for pitfall in PITFALLS]
        assert f"| {name} | {' | '.join(cells)} |" in PAGE
    assert {(framework, stack) for _, framework, stack in STACKS} == {
        (framework, stack) for (_, framework), verdicts in VERDICTS.items() for stack in verdicts
    }


def test_every_file_that_the_page_links_to_is_there() -> None:
    links = [target for target in re.findall(r"\]\(([^)#]+)\)", PAGE) if "://" not in target]
    assert links
    assert [target for target in links if not (FOLDER.parents[1] / "docs" / target).exists()] == []
