"""Key rings that change while sessions live: taken whole, between requests, and nobody is signed out."""

from __future__ import annotations

import base64
import json
import logging
import secrets
from datetime import UTC, datetime
from pathlib import Path

import pytest
from polysession.core.errors import InvalidSettings, Unreadable
from polysession.core.manager import SessionManager
from polysession.core.record import Record
from polysession.core.token import parse
from polysession.keys import KeyDirectory, make_keys
from polysession.seal import load_cipher
from polysession.stores.memory import MemoryStore
from polysession.testing import START, FakeClock, RecordedEvents


def write(file: Path, *, value: bytes | None = None, at: int | None = None) -> None:
    content = {"key": base64.urlsafe_b64encode(value or secrets.token_bytes(32)).decode()}
    if at is not None:
        content["activate_after"] = datetime.fromtimestamp(at / 1000, UTC).isoformat()
    file.write_text(json.dumps(content))


class Bench:
    def __init__(self, directory: Path) -> None:
        make_keys(directory)
        self.directory = directory
        self.clock = FakeClock()
        self.events = RecordedEvents()
        self.keys = KeyDirectory(directory, clock=self.clock, events=self.events)
        self.store = MemoryStore(clock=self.clock)
        self.manager = SessionManager(
            self.store, self.keys, clock=self.clock, events=self.events, cipher=load_cipher()
        )

    def add(self, name: str, *, seconds: float = 0) -> None:
        """A key that signs ``seconds`` from now; the next look is due."""
        write(self.directory / name, at=self.clock.now() + int(seconds * 1000))
        self.clock.advance(seconds=1)

    def sign_in(self) -> str:
        session = self.manager.open(None)
        session["cart"] = ["a book"]
        session.sign_in("alice", generation=1)
        session.commit()
        assert session.token is not None
        return session.token

    def is_live(self, token: str) -> bool:
        session = self.manager.open(token)
        return session.principal == "alice" and session["cart"] == ["a book"]

    def stored(self, token: str) -> Record:
        found = self.store.read(parse(self.keys(), token).address)
        assert isinstance(found, Record)
        return found


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "keys")


def ids(bench: Bench, name: str) -> str:
    return "".join(key.id for key in getattr(bench.keys(), name).keys)


def test_a_change_is_seen_within_a_second_and_not_looked_for_more_often(bench: Bench) -> None:
    write(bench.directory / "mac" / "B")
    bench.clock.advance(milliseconds=999)
    assert ids(bench, "mac") == "A"
    bench.clock.advance(milliseconds=1)
    assert ids(bench, "mac") == "AB"
    assert bench.events.keys_outcomes == ["renewed"]


def test_files_that_did_not_change_are_not_read_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("polysession.keys.load_keys", lambda *_, **__: pytest.fail("read again"))
    before = bench.keys()
    bench.clock.advance(seconds=2)
    assert bench.keys() is before


def test_a_clock_that_was_set_back_does_not_stop_the_looking(bench: Bench) -> None:
    write(bench.directory / "mac" / "B")
    bench.clock.advance(seconds=-3600)
    assert ids(bench, "mac") == "AB"


def test_a_new_mac_key_signs_when_its_time_has_come_and_old_tokens_stay_good(bench: Bench) -> None:
    old = bench.sign_in()
    bench.add("mac/B", seconds=60)
    assert bench.sign_in()[1] == "A"
    bench.clock.advance(seconds=60)
    new = bench.sign_in()
    assert (old[1], new[1]) == ("A", "B")
    assert bench.is_live(old)
    assert bench.is_live(new)


def test_who_has_a_key_before_its_time_takes_tokens_that_others_sign_with_it(bench: Bench) -> None:
    write(bench.directory / "mac" / "B", value=b"b" * 32, at=START + 60_000)
    ahead = FakeClock(START + 61_000)
    other = SessionManager(bench.store, KeyDirectory(bench.directory, clock=ahead), clock=ahead)
    session = other.open(None)
    session["a"] = 1
    session.commit()
    assert session.token is not None
    assert session.token[1] == "B"
    bench.clock.advance(seconds=1)
    assert bench.manager.open(session.token)["a"] == 1


def test_a_retired_mac_key_opens_nothing(bench: Bench) -> None:
    token = bench.sign_in()
    bench.add("mac/B")
    assert bench.is_live(token)
    (bench.directory / "mac" / "A").unlink()
    bench.clock.advance(seconds=1)
    assert bench.manager.open(token).principal is None
    assert bench.events.validations[-1] == "invalid"


def test_a_new_pepper_signs_nobody_out_and_hashes_new_secrets(bench: Bench) -> None:
    old = bench.sign_in()
    bench.add("pepper/B")
    new = bench.sign_in()
    assert (bench.stored(old).header.pepper_id, bench.stored(new).header.pepper_id) == ("A", "B")
    assert bench.is_live(old)
    assert bench.is_live(new)


def test_a_rotation_moves_a_session_to_the_new_pepper_and_its_old_token_is_only_late(bench: Bench) -> None:
    old = bench.sign_in()
    bench.add("pepper/B")
    session = bench.manager.open(old)
    session.rotate()
    session.commit()
    assert session.token is not None
    assert bench.stored(session.token).header.pepper_id == "B"
    assert bench.is_live(session.token)
    late = bench.manager.open(old)
    assert late.principal is None
    assert not late.stale  # the browser may have the newer cookie: it is left alone
    assert late.cookie is None


def test_a_form_from_before_a_new_csrf_key_is_still_good(bench: Bench) -> None:
    token = bench.sign_in()
    form, _ = bench.manager.open(token).csrf_token(None)
    bench.add("csrf/B")
    later = bench.manager.open(token)
    assert later.check_csrf(None, form)
    (bench.directory / "csrf" / "A").unlink()
    bench.clock.advance(seconds=1)
    retired = bench.manager.open(token)
    assert not retired.check_csrf(None, form)
    assert retired.check_csrf(None, retired.csrf_token(None)[0])


def test_a_new_seal_key_seals_what_is_written_and_the_old_one_still_opens(bench: Bench) -> None:
    token = bench.sign_in()
    assert bench.stored(token).attributes["cart"].value[:1] == b"A"
    bench.add("seal/B")
    assert bench.is_live(token)
    session = bench.manager.open(token)
    session["cart"].append("another")
    session.commit()
    assert bench.stored(token).attributes["cart"].value[:1] == b"B"
    assert bench.manager.open(token)["cart"] == ["a book", "another"]


def test_keys_of_seal_that_appear_while_sessions_live_seal_from_then_on(tmp_path: Path) -> None:
    make_keys(tmp_path)
    (tmp_path / "seal" / "A").unlink()
    bench = Bench.__new__(Bench)
    bench.directory, bench.clock, bench.events = tmp_path, FakeClock(), RecordedEvents()
    bench.keys = KeyDirectory(tmp_path, clock=bench.clock)
    bench.store = MemoryStore(clock=bench.clock)
    bench.manager = SessionManager(bench.store, bench.keys, clock=bench.clock, cipher=load_cipher())
    plain = bench.sign_in()
    assert bench.stored(plain).header.principal == "alice"
    bench.add("seal/A")
    sealed = bench.sign_in()
    with pytest.raises(Unreadable):
        _ = bench.stored(sealed).header.principal
    assert bench.is_live(plain)
    assert bench.is_live(sealed)


def test_a_request_keeps_the_keys_that_it_began_with(bench: Bench) -> None:
    session = bench.manager.open(bench.sign_in())
    session["cart"] = ["a book"]
    bench.add("mac/B")
    (bench.directory / "mac" / "A").unlink()
    bench.clock.advance(seconds=1)
    assert ids(bench, "mac") == "B"
    session.rotate()
    session.commit()
    assert session.token is not None
    assert session.token[1] == "A"


@pytest.mark.parametrize(
    ("file", "text"),
    [("mac/B", "half a fi"), ("seal/BB", "{}"), ("placement", None), ("pepper/A", "")],
    ids=["no JSON", "no ID", "another placement key", "an emptied file"],
)
def test_a_fault_keeps_the_keys_that_are_there_and_is_told_once(
    bench: Bench, file: str, text: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    token, before = bench.sign_in(), bench.keys()
    whole = (bench.directory / file).read_text() if (bench.directory / file).exists() else None
    if text is None:
        write(bench.directory / file)
    else:
        (bench.directory / file).write_text(text)
    with caplog.at_level(logging.ERROR, "polysession.keys"):
        for _ in range(3):
            bench.clock.advance(seconds=1)
            assert bench.keys() is before
    assert bench.is_live(token)
    assert bench.events.keys_outcomes == ["refused"]
    assert [file in message for message in caplog.messages] == [True]
    assert text is None or text == "" or text not in caplog.text
    # Mended, with a change beside it: taken.
    if whole is None:
        (bench.directory / file).unlink()
    else:
        (bench.directory / file).write_text(whole)
    bench.add("mac/C")
    assert ids(bench, "mac") == "AC"
    assert bench.events.keys_outcomes == ["refused", "renewed"]


def test_a_ring_without_a_key_that_signs_is_refused_until_its_time_has_come(bench: Bench) -> None:
    write(bench.directory / "mac" / "B", at=START + 5000)
    (bench.directory / "mac" / "A").unlink()
    bench.clock.advance(seconds=1)
    assert ids(bench, "mac") == "A"
    bench.clock.advance(seconds=4)
    assert ids(bench, "mac") == "B"


def test_a_directory_that_changes_while_it_is_read_is_read_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from polysession import keys

    whole = keys.load_keys

    def read_slowly(directory: Path, *, now: int | None = None) -> object:
        read = whole(directory, now=now)
        write(directory / "pepper" / "B", value=b"p" * 32)
        return read

    before = bench.keys()
    monkeypatch.setattr(keys, "load_keys", read_slowly)
    bench.add("mac/B")
    assert bench.keys() is before
    monkeypatch.setattr(keys, "load_keys", whole)
    bench.clock.advance(seconds=1)
    assert (ids(bench, "mac"), ids(bench, "pepper")) == ("AB", "AB")


def test_the_link_swap_of_a_kubernetes_secret_is_one_change(tmp_path: Path) -> None:
    """``mac -> ..data/mac``, ``..data -> ..<time>``: the kubelet renames a new ``..data`` into place."""
    make_keys(tmp_path / "..1")
    (tmp_path / "..data").symlink_to("..1")
    for name in ("mac", "pepper", "csrf", "seal", "placement"):
        (tmp_path / name).symlink_to(f"..data/{name}")
    clock = FakeClock()
    keys = KeyDirectory(tmp_path, clock=clock)
    make_keys(tmp_path / "..2")
    for ring in ("mac", "pepper"):
        (tmp_path / "..2" / ring / "A").rename(tmp_path / "..2" / ring / "B")
    (tmp_path / "..2" / "placement").write_bytes((tmp_path / "..1" / "placement").read_bytes())
    (tmp_path / "..data_tmp").symlink_to("..2")
    (tmp_path / "..data_tmp").rename(tmp_path / "..data")
    clock.advance(seconds=1)
    assert [key.id for ring in (keys().mac, keys().pepper) for key in ring.keys] == ["B", "B"]


def flatten(directory: Path, flat: Path) -> Path:
    """As the keys of a Secret are named, which hold no ``/``."""
    make_keys(directory)
    flat.mkdir()
    for ring in ("mac", "pepper", "csrf", "seal"):
        (flat / f"{ring}.A").write_bytes((directory / ring / "A").read_bytes())
    (flat / "placement").write_bytes((directory / "placement").read_bytes())
    return flat


def test_a_flat_directory_holds_the_same_keys(tmp_path: Path) -> None:
    flat = flatten(tmp_path / "deep", tmp_path / "flat")
    assert KeyDirectory(flat)() == KeyDirectory(tmp_path / "deep")()
    assert make_keys(flat) == ()


def test_the_link_swap_of_a_mounted_secret_is_one_change(tmp_path: Path) -> None:
    """``mac.A -> ..data/mac.A``, and new keys get a link of their own after the swap."""
    flatten(tmp_path / "deep", tmp_path / "..1")
    (tmp_path / "..data").symlink_to("..1")
    for file in (tmp_path / "..1").iterdir():
        (tmp_path / file.name).symlink_to(f"..data/{file.name}")
    clock = FakeClock()
    keys = KeyDirectory(tmp_path, clock=clock)
    (tmp_path / "..2").mkdir()
    for file in (tmp_path / "..1").iterdir():
        (tmp_path / "..2" / file.name).write_bytes(file.read_bytes())
    write(tmp_path / "..2" / "mac.B")
    (tmp_path / "..data_tmp").symlink_to("..2")
    (tmp_path / "..data_tmp").rename(tmp_path / "..data")
    (tmp_path / "mac.B").symlink_to("..data/mac.B")
    clock.advance(seconds=1)
    assert [key.id for key in keys().mac.keys] == ["A", "B"]


def test_a_key_that_is_there_in_both_layouts_is_a_fault(tmp_path: Path) -> None:
    make_keys(tmp_path)
    write(tmp_path / "mac.A")
    write(tmp_path / "pepper.BB")
    with pytest.raises(InvalidSettings) as caught:
        KeyDirectory(tmp_path)
    assert [fault.rpartition("/")[2].split(";")[0] for fault in caught.value.faults] == [
        "A: is there twice, also as mac.A",
        "pepper.BB: a key's file name is its ID, one base64url character",
    ]


def test_wrong_files_at_the_start_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings):
        KeyDirectory(tmp_path)


def test_the_first_seal_key_of_a_directory_in_use_waits_for_every_reader(tmp_path: Path) -> None:
    make_keys(tmp_path)
    (tmp_path / "seal" / "A").unlink()
    (tmp_path / "seal").rmdir()
    assert make_keys(tmp_path) == (tmp_path / "seal" / "A",)
    ring = KeyDirectory(tmp_path)().seal
    ahead = ring.keys[0].activate_after - datetime.now(UTC).timestamp() * 1000
    assert 240_000 < ahead <= 300_000
