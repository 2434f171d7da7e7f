"""Least rights, but enough: the commands of the store are those that its code sends."""

from __future__ import annotations

import re
from pathlib import Path

import limits
import polysession
from operations.acl import USERS, hash_password, hashes_of, render_acl, revision_of

STORES = Path(polysession.__file__).parent / "stores"
HASHES = {user: [hash_password(user)] for user in USERS}


def rights(user: str) -> set[str]:
    line = next(
        line for line in render_acl(HASHES, prefix="ps").splitlines() if line.startswith(f"user {user} ")
    )
    return {word[1:] for word in line.split() if word.startswith("+")}


def lua_commands(folder: Path) -> set[str]:
    text = "\n".join(path.read_text() for path in folder.rglob("*.lua"))
    return {command.lower() for command in re.findall(r"redis\.call\(\s*['\"](\w+)", text)}


def test_sessions_may_send_what_the_store_and_its_scripts_send():
    text = "\n".join(path.read_text() for path in STORES.rglob("*.py"))
    made = r"(?:Command\.of\(\s*\*?\(?|pack_command\(\s*\()['\"]([A-Z]+)['\"]"
    sent = {command.lower() for command in re.findall(made, text)}
    assert {"hgetall", "zcount", "hrandfield"} <= sent
    scripts = lua_commands(STORES)
    assert len(scripts) > 10
    assert sent | scripts <= rights("sessions")


def test_sessions_may_send_what_counts_failed_sign_ins():
    moving_window = {"moving_window.lua", "acquire_moving_window.lua", "incr_expire.lua"}
    folder = Path(limits.__file__).parent / "resources/redis/lua_scripts"
    text = "\n".join(path.read_text() for path in folder.glob("*.lua") if path.name in moving_window)
    commands = {command.lower() for command in re.findall(r"redis\.call\(\s*['\"](\w+)", text)}
    assert commands
    assert commands <= rights("sessions")


def test_who_serves_sessions_may_not_touch_the_cluster_nor_read_all():
    assert not rights("sessions") & {
        "cluster",
        "keys",
        "scan",
        "flushall",
        "config|set",
        "acl",
        "debug",
        "shutdown",
    }
    assert "cluster|failover" in rights("probe")
    assert not rights("probe") & {"get", "hgetall", "cluster"}
    assert not rights("exporter") & {"get", "hgetall", "config|get", "config|set", "cluster"}
    text = render_acl(HASHES, prefix="shop")
    assert "user default off" in text
    assert "~shop:*" in text
    assert all("-@all" in line for line in text.splitlines() if " on " in line)


def test_a_file_holds_hashes_only_and_its_revision_follows_its_content():
    text = render_acl(HASHES, prefix="ps")
    assert hashes_of(text) == {user: (hash_password(user),) for user in USERS}
    assert re.fullmatch(r"revision-[0-9a-f]{12}", revision_of(text))
    assert revision_of(text) == revision_of(render_acl(HASHES, prefix="ps"))
    other = render_acl({**HASHES, "probe": [hash_password("new"), hash_password("probe")]}, prefix="ps")
    assert revision_of(other) != revision_of(text)
    assert revision_of("user default on nopass\n") == ""
