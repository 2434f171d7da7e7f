"""Types: mypy strict over the library and the chassis, pyright over the library, no unknown type under any of its names,
those of its commands, its admin and its migrations included.

Three names have a narrower type than Django's class gives them, which only pyright minds, and say so where they are:
``verbose_name`` of both apps (Django's may be lazy) and ``SessionsAdmin.change_form_template`` (may be a template).

`python -m tests.typing`. basedpyright is pyright with its Node from the package index.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
TYPED = ("packages/polysession/src", "packages/chassis/src")
LIBRARY = ROOT / TYPED[0]


def main() -> int:
    codes = [subprocess.run([str(BIN / "mypy"), *TYPED], cwd=ROOT, check=False).returncode, pyright()]
    unknown = list(untyped(completeness()))
    for name, why in unknown:
        print(f"{name}: {why}")
    print(f"API of the library: {len(unknown)} names without a known type")
    return int(any(codes) or bool(unknown))


def pyright() -> int:
    command = [str(BIN / "basedpyright"), "--level", "error", "--pythonpath", sys.executable]
    return subprocess.run([*command, "--project", "tests/pyright.json"], cwd=ROOT, check=False).returncode


def completeness() -> Mapping[str, Any]:
    """What ``--verifytypes`` says of every public name. Editable installs are not found: the path says where it is."""
    site = Path(json.__file__).parents[1] / "site-packages"
    own = next((Path(one) for one in sys.path if one.endswith("site-packages")), site)
    done = subprocess.run(
        [str(BIN / "basedpyright"), "--verifytypes", "polysession", "--ignoreexternal", "--outputjson"],
        cwd=LIBRARY.parent,  # not the folder of the package itself: it would be taken for a project's own source
        env={**os.environ, "PYTHONPATH": f"{LIBRARY}:{own}"},
        capture_output=True,
        text=True,
        check=False,
    )
    found: Mapping[str, Any] = json.loads(done.stdout)["typeCompleteness"]
    return found


def untyped(report: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The exported names whose type is not known, or that type checkers may infer differently, and why."""
    assert len(report["symbols"]) > 1000, "pyright did not find the library"
    for symbol in report["symbols"]:
        known = symbol["isTypeKnown"] and not symbol["isTypeAmbiguous"]
        if symbol["isExported"] and not known:
            yield symbol["name"], "; ".join(one["message"] for one in symbol["diagnostics"])


if __name__ == "__main__":
    sys.exit(main())
