"""``connect`` refuses a wrong value with a sentence that says what is right, and makes nothing of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polysession
import pytest
from polysession import InvalidSettings, SessionSettings
from polysession.arguments import read_nodes
from polysession.keys import make_keys as make_key_files
from polysession.testing import make_keys

NODES = "127.0.0.1:7700"
AT = "is not host:port: who logs in stands in username= and password=, or better in password_file="
BEFORE = 'is not host:port: leave out what stands before it; only "rediss://" before the first is for TLS'


def faults(nodes: Any = NODES, keys: Any = None, **given: Any) -> tuple[str, ...]:
    with pytest.raises(InvalidSettings) as caught:
        polysession.connect(nodes, make_keys() if keys is None else keys, **given)
    return caught.value.faults


# --- nodes


@pytest.mark.parametrize(
    "given",
    ["a:1,[::1]:2", " a:1 , [::1]:2 ", ["a:1", "[::1]:2"], [("a", 1), ("::1", 2)], ("a:1", ("::1", 2))],
)
def test_nodes_are_a_text_a_list_of_texts_or_pairs(given: Any) -> None:
    found = read_nodes(given)
    assert (found.addresses, found.tls) == ((("a", 1), ("::1", 2)), False)


@pytest.mark.parametrize("given", ["rediss://a:1,b:2", "rediss://a:1,rediss://b:2", ["rediss://a:1", "b:2"]])
def test_rediss_before_the_first_is_tls_for_all(given: Any) -> None:
    found = read_nodes(given)
    assert (found.addresses, found.tls) == ((("a", 1), ("b", 2)), True)


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ("redis://h:1", BEFORE),
        ("http://h:1", BEFORE),
        ("redis://u:hunter2@h:1", AT),
        ("h:1/0", "is not host:port: leave out what follows the port, for a Redis Cluster has one database"),
        ("h:1 h:2", "is not host:port: between two nodes stands a comma"),
        ("hunter2", "is not host:port"),
        ("", "is not host:port"),
        ([("h", "1")], "is not host:port"),
        ([("h", 0)], "is not host:port"),
        (["h"], "is not host:port"),
        ([None], "is not host:port"),
    ],
)  # fmt: skip
def test_a_node_that_is_none_is_told_what_it_should_be_without_its_text(given: Any, fault: str) -> None:
    assert faults(given) == (f"Redis node 1 {fault}",)
    assert "hunter2" not in str(faults(given))


@pytest.mark.parametrize("given", [None, 7700, b"h:1", {"h": 1}])
def test_nodes_of_another_type_are_refused(given: Any) -> None:
    kind = type(given).__name__
    assert faults(given) == (f'nodes must be "host:port,host:port" or a list of "host:port", not {kind}',)


def test_no_node_is_refused() -> None:
    assert faults([]) == ("nodes is empty: name at least one node of the Redis Cluster",)


# --- the others


def test_keys_are_a_directory_as_path_or_text(tmp_path: Path) -> None:
    make_key_files(tmp_path)
    for keys in (tmp_path, str(tmp_path)):
        polysession.connect(NODES, keys).close()


@pytest.mark.parametrize(
    ("keys", "what"), [("", "an empty str"), (7, "int"), ({"mac": "A"}, "dict"), (b"/run/keys", "bytes")]
)
def test_keys_of_another_type_are_refused(keys: Any, what: str) -> None:
    assert faults(keys=keys) == (f"keys must be the directory of the session keys, or Keys, not {what}",)


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"settings": {"idle": 900}}, "settings must be a SessionSettings, such as SessionSettings(idle=900), not dict"),
        ({"events": "metrics"}, "events must be an Events, such as PrometheusEvents(), not str"),
        ({"prefix": ""}, 'prefix must be a str, not empty and without { and }, such as "ps"'),
        ({"prefix": "a b{}"}, 'prefix must be a str, not empty and without { and }, such as "ps"'),
        ({"prefix": None}, 'prefix must be a str, not empty and without { and }, such as "ps"'),
        ({"deadline_ms": "250"}, "deadline_ms must be a whole number of milliseconds above 0, such as 250"),
        ({"deadline_ms": 0}, "deadline_ms must be a whole number of milliseconds above 0, such as 250"),
        ({"deadline_ms": -1}, "deadline_ms must be a whole number of milliseconds above 0, such as 250"),
        ({"deadline_ms": True}, "deadline_ms must be a whole number of milliseconds above 0, such as 250"),
        ({"asynchronous": "no"}, "asynchronous must be True or False, not str"),
        ({"username": "ada"}, "a username needs a password, or a password_file"),
        ({"password": 7}, "password must be a str, not int"),
        ({"ca_file": 7}, "ca_file must be a Path, not int"),
    ],
)  # fmt: skip
def test_each_wrong_value_says_what_is_right(given: dict[str, Any], fault: str) -> None:
    assert faults(**given) == (fault,)


@pytest.mark.parametrize("name", ["ca_file", "password_file"])
def test_a_file_that_is_not_there_is_named(tmp_path: Path, name: str) -> None:
    for file in (tmp_path / "gone", tmp_path):
        assert faults(**{name: file}) == (f"{name}: {file} is no file that is there",)


def test_a_password_stands_in_one_place_and_is_never_repeated(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("hunter2")
    assert faults(password="hunter2", password_file=file) == ("give password or password_file, not both",)
    polysession.connect(NODES, make_keys(), username="ada", password_file=str(file)).close()
    polysession.connect(NODES, make_keys(), username="ada", password="hunter2").close()


def test_every_fault_is_in_one_message(tmp_path: Path) -> None:
    found = faults("h", tmp_path / "gone", prefix="", deadline_ms=0, settings={}, ca_file=tmp_path / "ca")
    assert [fault.split()[0].rstrip(":") for fault in found] == [
        *("settings", "prefix", "deadline_ms", "ca_file", "Redis", "The")
    ]


# --- SessionSettings


@pytest.mark.parametrize("name", ["cookie_name", "csrf_cookie_name"])
@pytest.mark.parametrize("value", ["__Host-session", "__host-session", "__Secure-session"])
@pytest.mark.parametrize("secure", [True, False])
def test_a_cookie_name_has_no_prefix_of_its_own(name: str, value: str, secure: bool) -> None:
    with pytest.raises(InvalidSettings, match=f"{name} must be without a prefix.*__Host-"):
        SessionSettings(**{name: value}, secure=secure)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["no", "False", 0, None])
def test_secure_is_true_or_false(value: Any) -> None:
    with pytest.raises(InvalidSettings, match="secure must be True or False"):
        SessionSettings(secure=value)


def test_a_cookie_name_that_is_no_text_is_a_fault_like_others() -> None:
    with pytest.raises(InvalidSettings, match="cookie_name must be a cookie name"):
        SessionSettings(cookie_name=None)  # type: ignore[arg-type]
