"""The schema and the README of each chart, from its values.yaml: one truth, and tests/charts holds them to it.

    python charts/generate.py           writes values.schema.json and README.md of every chart that says `@schema`
    python charts/generate.py --check   writes nothing; exit code 1 and the names of what is out of date

A comment above a key is its description. `# @schema <shape>` names a shape of common/shapes.yaml, `# @schema {…}` is
JSON schema; both are merged over what the default says. Every map is closed, so that a typo is refused.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CHARTS = Path(__file__).resolve().parent
MARK = "@schema"
_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}

Schema = dict[str, Any]


class Undecided(Exception):
    """A value whose schema its default does not tell: the message names it."""


@dataclass(frozen=True)
class Value:
    """One key of a values.yaml. ``shape`` is the name that its annotation gives, if it gives a name."""

    path: tuple[str, ...]
    default: Any
    description: str
    shape: str | None
    schema: Schema

    @property
    def whole(self) -> bool:
        """Whether readers see it as one thing, not key by key."""
        return not isinstance(self.default, dict) or not self.default or self.shape not in (None, "global")


class Chart:
    """A chart's values, read with their comments."""

    def __init__(self, folder: Path, shapes: Mapping[str, Schema]) -> None:
        self.folder = folder
        self.about: dict[str, Any] = yaml.safe_load((folder / "Chart.yaml").read_text())
        self._shapes = shapes
        text = (folder / "values.yaml").read_text()
        self._lines = text.splitlines()
        self._root = yaml.compose(text)

    def files(self) -> dict[str, str]:
        """What belongs beside values.yaml."""
        schema = {"$schema": "http://json-schema.org/draft-07/schema#", "title": self.folder.name}
        schema |= self._object(self._root, ())
        # Helm's own additions to a subchart's values.
        for name, added in (("global", self._shapes["global"]), ("common", {"type": "object"})):
            schema["properties"].setdefault(name, added)
        schema["properties"].setdefault("enabled", {"type": "boolean"})
        return {
            "values.schema.json": json.dumps(schema, indent=1, ensure_ascii=False) + "\n",
            "README.md": self._readme(),
        }

    def _object(self, node: yaml.MappingNode, path: tuple[str, ...]) -> Schema:
        properties = {}
        for key, child in node.value:
            value = self._value(key, child, path)
            properties[key.value] = value.schema
        return {"type": "object", "additionalProperties": False, "properties": properties}

    def _value(self, key: yaml.ScalarNode, node: yaml.Node, path: tuple[str, ...]) -> Value:
        here = (*path, key.value)
        default = yaml.safe_load(yaml.serialize(node))
        words, annotation = self._comment(key.start_mark.line, key.start_mark.column)
        shape = annotation if isinstance(annotation, str) else None
        given: Schema = dict(self._shape(shape, here)) if shape else dict(annotation or {})
        described = " ".join(words) or str(given.pop("description", ""))
        schema: Schema = {"description": described} if described else {}
        if shape is None and isinstance(node, yaml.MappingNode) and node.value:
            schema |= self._object(node, here)
        elif shape is None:
            schema |= self._inferred(default, given, here)
        schema |= {k: v for k, v in given.items() if k != "description"}
        return Value(here, default, described, shape, schema)

    def _shape(self, name: str, path: tuple[str, ...]) -> Schema:
        try:
            return self._shapes[name]
        except KeyError:
            raise Undecided(f"{'.'.join(path)}: common/shapes.yaml has no {name}") from None

    @staticmethod
    def _inferred(default: Any, given: Schema, path: tuple[str, ...]) -> Schema:
        if {"type", "enum"} & given.keys():
            return {}
        if isinstance(default, list):
            return {"type": "array"} | ({} if "items" in given else {"items": {"type": "string"}})
        try:
            return {"type": _TYPES[type(default)]}
        except KeyError:
            raise Undecided(f"{'.'.join(path)}: say what it may be, `# {MARK} …`") from None

    def _comment(self, line: int, column: int) -> tuple[list[str], Any]:
        """The description's words and the annotation of the key on a line (from 0)."""
        words: list[str] = []
        annotation: Any = None
        while line and (text := self._lines[line - 1])[column:].startswith("#") and not text[:column].strip():
            comment = text.strip().lstrip("#").strip()
            if comment.startswith(MARK):
                annotation = yaml.safe_load(comment.removeprefix(MARK))
            else:
                words.insert(0, comment)
            line -= 1
        return words, annotation

    def values(self) -> Iterator[Value]:
        """As readers see them, in the order of the file."""
        yield from self._walk(self._root, ())

    def _walk(self, node: yaml.MappingNode, path: tuple[str, ...]) -> Iterator[Value]:
        for key, child in node.value:
            value = self._value(key, child, path)
            if not value.whole and value.description and value.shape is None:
                yield Value(value.path, None, value.description, "", {})
            if value.whole:
                yield value
            else:
                yield from self._walk(child, value.path)

    def _readme(self) -> str:
        rows = []
        for value in self.values():
            default = "" if value.shape == "" else f"`{json.dumps(value.default, ensure_ascii=False)}`"
            meaning = value.description.replace("|", "\\|")
            rows.append(f"| `{'.'.join(value.path)}` | {default} | {meaning} |")
        return "\n".join(
            [
                f"# {self.folder.name}",
                "",
                str(self.about["description"]),
                "",
                "Begin with [charts/README.md](../README.md). `charts/generate.py` writes this page from values.yaml.",
                "",
                "| value | default | meaning |",
                "| --- | --- | --- |",
                *rows,
                "",
            ]
        )


def charts() -> Iterator[Chart]:
    """Those whose values.yaml is annotated."""
    shapes = yaml.safe_load((CHARTS / "common/shapes.yaml").read_text())
    for values in sorted(CHARTS.glob("*/values.yaml")):
        if MARK in values.read_text():
            yield Chart(values.parent, shapes)


def main(arguments: list[str]) -> int:
    outdated = []
    for chart in charts():
        for name, text in chart.files().items():
            path = chart.folder / name
            if not path.exists() or path.read_text() != text:
                outdated.append(str(path.relative_to(CHARTS.parent)))
                if "--check" not in arguments:
                    path.write_text(text)
    if "--check" in arguments and outdated:
        print(f"Out of date: {', '.join(outdated)}. Run `python charts/generate.py`.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
