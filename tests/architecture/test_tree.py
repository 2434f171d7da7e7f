"""What holds for the tree as a whole."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = {".py", ".ts", ".tsx", ".lua", ".css", ".sh"}
LONGEST = 400


def tracked() -> list[Path]:
    output = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [ROOT / line for line in output.splitlines() if (ROOT / line).is_file()]


def text_of(path: Path) -> str:
    try:
        return path.read_text()
    except UnicodeDecodeError:
        return ""


def test_no_source_file_is_longer_than_a_reader_can_hold():
    sources = [p for p in tracked() if p.suffix in SOURCE and not p.name.endswith(".d.ts")]
    assert len(sources) > 50
    long = {str(p.relative_to(ROOT)): n for p in sources if (n := len(text_of(p).splitlines())) > LONGEST}
    assert long == {}


def test_lock_files_hold_no_download_addresses():
    lock = ROOT / "web/react-shell/package-lock.json"
    assert '"resolved"' not in lock.read_text()
    for requirements in ROOT.glob("**/requirements*.txt"):
        if "node_modules" not in requirements.parts and ".venv" not in requirements.parts:
            assert "://" not in requirements.read_text(), requirements


def test_no_path_of_a_machine_is_committed():
    found = [
        str(p.relative_to(ROOT))
        for p in tracked()
        if p != Path(__file__) and re.search(r"/(?:work/main|root/\.(?:pyenv|cache))", text_of(p))
    ]
    assert found == []


MARKDOWN_LINK = re.compile(r"\[[^\]]*\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize(
    "page", [p for p in tracked() if p.suffix == ".md"], ids=lambda p: str(p.relative_to(ROOT))
)
def test_every_relative_link_of_a_page_leads_somewhere(page: Path):
    broken = [link for link in MARKDOWN_LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert broken == []


def test_every_make_command_of_the_readme_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^\$ |`)make ([a-z][a-z-]*)", (ROOT / "README.md").read_text(), re.M))
    assert named
    assert named <= targets


def settings_of(service: str) -> set[str]:
    if service == "users":
        from users.config import Config
    else:
        from orders.config import Config  # type: ignore[assignment]
    return {name.upper() for name in Config.model_fields}


@pytest.mark.parametrize("service", ["users", "orders"])
def test_every_setting_of_a_service_is_documented(service: str):
    page = (ROOT / "docs/configuration.md").read_text()
    assert {name for name in settings_of(service) if f"`{name}`" not in page} == set()


def test_every_variable_of_the_edge_is_documented():
    page = (ROOT / "docs/configuration.md").read_text()
    variables = set(re.findall(r"\{\$([A-Z_]+)", (ROOT / "web/react-shell/Caddyfile").read_text()))
    assert variables
    assert {name for name in variables if f"`{name}`" not in page} == set()


def test_every_metric_of_the_library_is_documented():
    page = (ROOT / "docs/configuration.md").read_text()
    source = (ROOT / "packages/polysession/src/polysession/telemetry/prometheus.py").read_text()
    names = set(re.findall(r'"(polysession_[a-z_]+)"', source))
    assert names
    assert {name for name in names if f"`{name}" not in page} == set()
