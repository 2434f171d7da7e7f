"""infra/terraform: formatted, parsed, typed; validated where the providers can be had (`make terraform-check`)."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import hcl2
import pytest

ROOT = Path(__file__).resolve().parents[2]
TERRAFORM = ROOT / "infra/terraform"
FOLDERS = sorted({path.parent for path in TERRAFORM.rglob("*.tf") if ".terraform" not in path.parts})
NAMES = [str(folder.relative_to(TERRAFORM)) for folder in FOLDERS]


def parse(folder: Path) -> dict[str, list[Any]]:
    blocks: dict[str, list[Any]] = {}
    for path in sorted(folder.glob("*.tf")):
        for kind, found in hcl2.loads(path.read_text()).items():
            if isinstance(found, list):
                blocks.setdefault(kind, []).extend(found)
    return blocks


def unquoted(blocks: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """`variable "name" {…}` by name, whether the parser kept the quotes or not."""
    return {name.strip('"'): body for block in blocks for name, body in block.items()}


def test_there_is_a_module_and_a_live_configuration() -> None:
    assert NAMES == ["live/kind", "modules/platform"]


@pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)
def test_every_variable_and_output_says_what_it_is(folder: Path) -> None:
    blocks = parse(folder)
    variables = unquoted(blocks["variable"])
    assert variables
    for name, variable in variables.items():
        assert variable.get("description"), f"variable {name} of {folder.name} has no description"
        assert variable.get("type"), f"variable {name} of {folder.name} has no type"
    for name, output in unquoted(blocks["output"]).items():
        assert output.get("description"), f"output {name} of {folder.name} has no description"


@pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)
def test_every_name_that_is_used_is_there_and_every_variable_is_used(folder: Path) -> None:
    """What `validate` would say, where the providers cannot be had."""
    blocks, text = parse(folder), "".join(path.read_text() for path in sorted(folder.glob("*.tf")))
    variables = unquoted(blocks["variable"]).keys()
    used = re.sub(r'variable "\w+" \{.*?\n\}', "", text, flags=re.DOTALL)
    assert set(re.findall(r"\bvar\.(\w+)", text)) <= variables
    assert set(re.findall(r"\bvar\.(\w+)", used)) == variables
    resources = {
        f"{kind}.{name}"
        for block in blocks.get("resource", [])
        for kind, named in unquoted([block]).items()
        for name in unquoted([named])
    }
    types = {name.partition(".")[0] for name in resources}
    refers = {f"{kind}.{name}" for kind, name in re.findall(r"\b(\w+)\.(\w+)\.", text) if kind in types}
    assert refers <= resources


def test_the_live_configuration_gives_the_module_what_it_takes() -> None:
    taken = unquoted(parse(TERRAFORM / "modules/platform")["variable"])
    live = parse(TERRAFORM / "live/kind")
    given = unquoted(live["module"])["platform"]
    names = {name for name in given if not name.startswith("__")} - {"source"}
    assert names <= taken.keys()
    assert {name for name, variable in taken.items() if "default" not in variable} <= names
    outputs = unquoted(parse(TERRAFORM / "modules/platform")["output"]).keys()
    text = "".join(path.read_text() for path in (TERRAFORM / "live/kind").glob("*.tf"))
    assert set(re.findall(r"\bmodule\.platform\.(\w+)", text)) <= outputs


def test_every_command_of_make_that_the_page_names_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)", (TERRAFORM / "README.md").read_text())) <= targets


def test_what_a_reader_can_mistype_is_validated() -> None:
    variables = unquoted(parse(TERRAFORM / "modules/platform")["variable"])
    validated = {name for name, variable in variables.items() if variable.get("validation")}
    assert validated == {"name", "namespace", "chart_version", "public_url", "timeout_seconds"}


def test_the_module_knows_the_umbrella_chart_and_nothing_under_it() -> None:
    text = "".join(path.read_text() for path in (TERRAFORM / "modules/platform").glob("*.tf"))
    for chart in (path.name for path in (ROOT / "charts").iterdir() if path.is_dir()):
        assert chart == "polysession" or chart not in text


@pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)
def test_the_files_are_formatted(folder: Path, terraform: str) -> None:
    done = subprocess.run([terraform, "fmt", "-check", "-diff", str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)
def test_the_configuration_is_valid(folder: Path, terraform: str, tmp_path: Path) -> None:
    copy = tmp_path / "terraform"
    shutil.copytree(TERRAFORM, copy, ignore=shutil.ignore_patterns(".terraform*", "terraform.tfstate*"))
    there = copy / folder.relative_to(TERRAFORM)
    started = subprocess.run(
        [terraform, f"-chdir={there}", "init", "-backend=false", "-input=false", "-no-color"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    if started.returncode != 0:
        # Whatever else is wrong with the configuration, init says so by another sentence.
        assert "Failed to query available provider packages" in started.stderr, started.stderr
        pytest.skip(
            "terraform validate was NOT done, since the providers' registry cannot be reached from here: whether the "
            "providers have these arguments is unchecked. Format, syntax, names among one another, types and the "
            "rules of each variable are."
        )
    done = subprocess.run(
        [terraform, f"-chdir={there}", "validate", "-no-color"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("public_url", "http://shop.example.com", "https://host without a path"),
        ("public_url", "https://shop.example.com/shop", "https://host without a path"),
        ("name", "Polysession", "lower-case letters"),
        ("namespace", "a" * 64, "DNS label"),
        ("chart_version", "~> 0.1", "whole version"),
        ("timeout_seconds", "5", "60 to 3600"),
    ],
)
def test_a_wrong_value_is_refused_with_a_sentence(
    terraform: str, tmp_path: Path, variable: str, value: str, sentence: str
) -> None:
    refused = plan(terraform, tmp_path, {variable: value})
    assert refused.returncode == 1
    assert sentence in " ".join(refused.stderr.replace("│", " ").split())


def test_values_that_are_right_are_taken(terraform: str, tmp_path: Path) -> None:
    done = plan(terraform, tmp_path, {"chart_version": "0.1.0", "public_url": "http://127.0.0.1:8480"})
    assert done.returncode == 0, done.stderr


def plan(terraform: str, folder: Path, values: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The module's variables alone: they need no provider to be judged."""
    shutil.copy(TERRAFORM / "modules/platform/variables.tf", folder)
    wanted = {"chart": "charts/polysession", "public_url": "https://shop.example.com", **values}
    arguments = [f"-var={name}={value}" for name, value in wanted.items()]
    return subprocess.run(
        [terraform, f"-chdir={folder}", "plan", "-input=false", "-no-color", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="session")
def terraform() -> str:
    found = shutil.which("terraform") or shutil.which("tofu")
    if found is None:
        pytest.skip("neither terraform nor tofu is on the PATH: not formatted, not validated")
    return found
