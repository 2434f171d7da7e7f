"""An app's description: what it tells goes over what its preset takes for granted."""

from __future__ import annotations

from pathlib import Path

import pytest
from polysession import InvalidSettings
from polysession.cli.audit.app import App, load_app

APP = 'base_url = "http://127.0.0.1:1"\npreset = "flask"\n'


def load(directory: Path, text: str) -> App:
    file = directory / "app.toml"
    file.write_text(text)
    return load_app(file, preset=None, overrides={})


def test_a_part_that_is_described_is_not_absent_whatever_the_preset_says(tmp_path: Path) -> None:
    assert load(tmp_path, APP).absent == {"sessions", "end_all", "password"}
    app = load(tmp_path, f'{APP}[sessions]\npath = "/devices"\n[end_all]\npath = "/out-everywhere"\n')
    assert app.absent == {"password"}
    assert app.sessions == "/devices"
    assert app.end_all is not None


def test_what_the_file_calls_absent_is_so_though_the_preset_describes_it(tmp_path: Path) -> None:
    app = load(tmp_path, APP.replace("flask", "polysession") + 'absent = ["sessions"]\n')
    assert app.absent == {"sessions"}


@pytest.mark.parametrize("wrong", ['absent = "sessions"\n', "absent = [1]\n", '[logs]\nfiles = "app.log"\n'])
def test_one_text_in_place_of_a_list_is_a_fault(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(InvalidSettings, match=r"^(absent|logs\.files) is a list, such as"):
        load(tmp_path, APP + wrong)
