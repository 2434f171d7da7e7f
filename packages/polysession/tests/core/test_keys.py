"""The key files: made once, read with every fault named, never shown."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from polysession.cli import Terminal, main
from polysession.core.errors import InvalidSettings
from polysession.keys import KeyDirectory, load_keys, make_keys


def write(file: Path, value: bytes = b"k" * 32, **fields: str) -> None:
    key = base64.urlsafe_b64encode(value).decode()
    file.write_text(json.dumps({"key": key, **fields}))


def test_made_keys_can_be_read_and_are_nobody_elses(tmp_path: Path) -> None:
    made = make_keys(tmp_path / "keys")
    assert [str(path.relative_to(tmp_path / "keys")) for path in made] == [
        "mac/A",
        "pepper/A",
        "csrf/A",
        "seal/A",
        "placement",
    ]
    assert {path.stat().st_mode & 0o777 for path in made} == {0o600}
    assert (tmp_path / "keys" / "mac").stat().st_mode & 0o777 == 0o700
    keys = load_keys(tmp_path / "keys")
    values = {keys.placement, *(ring.keys[0].value for ring in (keys.mac, keys.pepper, keys.csrf, keys.seal))}
    assert len(values) == 5
    assert all(len(value) == 32 for value in values)


def test_making_keys_again_overwrites_nothing(tmp_path: Path) -> None:
    make_keys(tmp_path)
    before = load_keys(tmp_path)
    os.rename(tmp_path / "mac" / "A", tmp_path / "mac" / "B")
    (tmp_path / "placement").unlink()
    assert make_keys(tmp_path) == (tmp_path / "placement",)
    after = load_keys(tmp_path)
    assert after.mac.keys[0].value == before.mac.keys[0].value
    assert sorted(path.name for path in (tmp_path / "mac").iterdir()) == ["B"]


def test_a_ring_holds_every_key_with_its_time(tmp_path: Path) -> None:
    make_keys(tmp_path)
    write(tmp_path / "mac" / "B", b"b" * 32, activate_after="2099-01-01T00:00:00Z")
    (tmp_path / "mac" / "..data").mkdir()  # as Kubernetes mounts a Secret
    ring = load_keys(tmp_path).mac
    assert [key.id for key in ring.keys] == ["A", "B"]
    assert ring.keys[1].activate_after == 4_070_908_800_000
    assert ring.signing(4_070_908_799_999).id == "A"
    assert ring.signing(4_070_908_800_000).id == "B"


def test_every_fault_is_named_and_no_value_is_shown(tmp_path: Path) -> None:
    make_keys(tmp_path)
    write(tmp_path / "mac" / "AB", b"secret" * 6)
    (tmp_path / "mac" / "C").write_text("secret")
    (tmp_path / "mac" / "D").write_text('["secret"]')
    write(tmp_path / "csrf" / "E", b"secret")
    write(tmp_path / "csrf" / "F", activate_after="secret")
    write(tmp_path / "csrf" / "G", activate_after="2026-01-01T00:00:00")
    (tmp_path / "csrf" / "H").write_text('{"key": "?secret?"}')
    (tmp_path / "pepper" / "A").unlink()
    (tmp_path / "placement").unlink()
    with pytest.raises(InvalidSettings) as raised:
        load_keys(tmp_path)
    message = str(raised.value)
    for file in ("mac/AB", "mac/C", "mac/D", "csrf/E", "csrf/F", "csrf/G", "csrf/H", "pepper", "placement"):
        assert str(tmp_path / file) in message
    assert "secret" not in message
    assert "c2VjcmV0" not in message


def test_a_ring_whose_only_key_signs_later_is_refused(tmp_path: Path) -> None:
    make_keys(tmp_path)
    write(tmp_path / "csrf" / "A", activate_after="2099-01-01T00:00:00Z")
    with pytest.raises(InvalidSettings, match="signs"):
        load_keys(tmp_path)


def test_the_command_makes_what_is_missing(tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "polysession", "keys", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    first, again = run(str(tmp_path / "keys")), run(str(tmp_path / "keys"))
    assert (first.returncode, first.stdout.count("made ")) == (0, 5)
    assert (again.returncode, again.stdout) == (0, "")
    assert run().returncode == 2
    (tmp_path / "keys" / "placement").write_text("{}")
    broken = run(str(tmp_path / "keys"))
    assert broken.returncode != 0
    assert "placement" in broken.stderr


def test_a_directory_that_is_not_there_is_one_sentence_with_its_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for read in (load_keys, KeyDirectory):
        with pytest.raises(InvalidSettings) as raised:
            read(Path("run/keys"))
        path = tmp_path / "run" / "keys"
        assert raised.value.faults == (
            f"The directory {path} does not exist: `python -m polysession keys {path}` makes one",
        )


def test_a_file_in_place_of_the_directory_is_said_to_be_none(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.touch()
    for directory, words in ((file, "is no directory"), (file / "below", "Not a directory")):
        with pytest.raises(InvalidSettings, match=words) as raised:
            load_keys(directory)
        assert len(raised.value.faults) == 1


def test_a_missing_part_is_named_by_its_whole_path_with_what_makes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_keys(tmp_path)
    (tmp_path / "placement").unlink()
    monkeypatch.chdir(tmp_path.parent)
    with pytest.raises(InvalidSettings) as raised:
        load_keys(Path(tmp_path.name))
    assert raised.value.faults == (
        f"{tmp_path}/placement: No such file or directory; `python -m polysession keys {tmp_path}` makes it",
    )


@pytest.mark.parametrize("inside", ["", "below"])
def test_where_no_keys_can_be_made_the_command_says_so(tmp_path: Path, inside: str) -> None:
    file = tmp_path / "passwd"
    file.write_text("root")
    err = StringIO()
    assert main(["keys", str(file / inside)], Terminal(err=err)) == 2
    assert f"no keys can be made in {file / inside}: " in err.getvalue()
    assert file.read_text() == "root"
