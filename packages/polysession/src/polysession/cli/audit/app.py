"""What an audit must be told of an app: a small TOML file, read over one of the presets; every fault in one message."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from ...core.errors import InvalidSettings

PRESETS = ("polysession", "django", "django-polysession", "flask")
_ACTIONS = ("sign_in", "sign_out", "write", "end_all", "password")
_TABLES = ("csrf", "read", "sessions", "traces", "redis", "logs", "timeouts", "stated", *_ACTIONS)
_PLAIN = ("preset", "name", "base_url", "ca_file", "cookie", "protected", "marker", "absent", "session_id")
_TAKES = ("json:", "form:", "cookie:")
_GIVES = ("header:", "field:")


@dataclass(frozen=True, slots=True)
class Action:
    """An unsafe request. ``{…}`` in path and values is filled in."""

    method: str
    path: str
    json: Mapping[str, Any] | None = None
    form: Mapping[str, Any] | None = None
    names: tuple[str, ...] = ()  # `write`: attributes that may be written; each once
    anonymous: bool = False  # `write`: also before sign-in

    def fill(self, given: Mapping[str, str], fields: Mapping[str, str]) -> tuple[str, bytes | None, str]:
        """Path, body and its type. ``fields`` go in beside those described."""
        path = _filled(self.path, given)
        if self.form is not None or (fields and self.json is None):
            form = {name: _filled(value, given) for name, value in (self.form or {}).items()}
            return path, urlencode({**form, **fields}).encode(), "application/x-www-form-urlencoded"
        if self.json is not None:
            content = {name: _filled(value, given) for name, value in self.json.items()}
            return path, json.dumps({**content, **fields}).encode(), "application/json"
        return path, None, ""


@dataclass(frozen=True, slots=True)
class Csrf:
    """``page`` is asked before an unsafe request. ``take``: ``json:<field>``, ``form:<field>`` or ``cookie:<name>``;
    ``give``: ``header:<name>`` or ``field:<name>``.
    """

    page: str
    take: str
    give: str


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds; 0: there is none; ``None``: not stated. ``aal``: NIST's assurance level."""

    idle: int | None = None
    absolute: int | None = None
    aal: int = 2


@dataclass(frozen=True, slots=True)
class App:
    """``protected``: pages that need a sign-in. ``marker``: a text that they have only then. ``absent``: what the app does
    not have, so that a check of it fails instead of asking for input. ``stated``: answers of its owner to what cannot be
    checked, by check.
    """

    name: str
    base_url: str
    protected: tuple[str, ...]
    sign_in: Action
    ca_file: Path | None = None
    cookie: str = ""
    marker: str = ""
    session_id: str = ""  # `<page>:<JSON field>` that names this session as traces do
    csrf: Csrf | None = None
    sign_out: Action | None = None
    write: Action | None = None
    read: str = ""
    sessions: str = ""
    end_all: Action | None = None
    password: Action | None = None
    traces: str = ""
    redis: str = ""
    logs: tuple[Path, ...] = ()
    timeouts: Timeouts = Timeouts()
    absent: frozenset[str] = frozenset()
    stated: Mapping[str, str] = field(default_factory=dict)


def load_app(file: Path | None, *, preset: str | None, overrides: Mapping[str, Any]) -> App:
    """Raises ``InvalidSettings`` with every fault."""
    content: dict[str, Any] = {}
    if file is not None:
        try:
            content = tomllib.loads(file.read_text())
        except (OSError, tomllib.TOMLDecodeError) as cause:
            raise InvalidSettings((f"{file.name}: {cause}",)) from cause
    preset = preset or content.get("preset")
    if preset is not None and preset not in PRESETS:
        raise InvalidSettings((f"there is no preset of that name; there are: {', '.join(PRESETS)}",))
    base = read_preset(preset) if preset else {}
    merged = _merge(_merge(base, content), overrides)
    faults = list(_faults(merged))
    if faults:
        raise InvalidSettings(tuple(faults))
    # What the file describes is there, whatever its preset says.
    merged["absent"] = [name for name in merged.get("absent", ()) if not content.get(name)]
    return _app(merged)


def read_preset(name: str) -> dict[str, Any]:
    return tomllib.loads((files("polysession.cli.audit") / "presets" / f"{name}.toml").read_text())


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Tables of settings by key; a request is replaced as a whole."""
    merged = dict(base)
    for name, value in over.items():
        by_key = isinstance(value, Mapping) and name not in _ACTIONS
        merged[name] = {**merged.get(name, {}), **value} if by_key else value
    return merged


def _faults(given: Mapping[str, Any]) -> Iterator[str]:
    for name in given:
        if name not in (*_PLAIN, *_TABLES):
            yield f"{name} is no setting of an app; there are: {', '.join((*_PLAIN, *_TABLES))}"
    for name in ("base_url", "protected", "sign_in"):
        if not given.get(name):
            yield f"{name} is missing"
    for name in _TABLES:
        if name in given and not isinstance(given[name], Mapping):
            yield f"{name} is not a table"
        elif name in _ACTIONS and name in given:
            yield from _action_faults(name, given[name])
    logs = given.get("logs")
    for name, names in (("absent", given.get("absent")), ("logs.files", _within(logs, "files"))):
        if names is not None and not (isinstance(names, list) and all(isinstance(one, str) for one in names)):
            yield f'{name} is a list, such as {name.rpartition(".")[2]} = ["…"]'
    csrf = given.get("csrf")
    if isinstance(csrf, Mapping) and csrf:
        if not str(csrf.get("take", "")).startswith(_TAKES):
            yield f"csrf.take is one of {', '.join(_TAKES)} and a name"
        if not str(csrf.get("give", "")).startswith(_GIVES):
            yield f"csrf.give is one of {', '.join(_GIVES)} and a name"
    if given.get("write") and not given.get("read"):
        yield "read.path is missing: without it nothing shows what was written"


def _within(table: object, name: str) -> object:
    return table.get(name) if isinstance(table, Mapping) else None


def _action_faults(name: str, action: Mapping[str, Any]) -> Iterator[str]:
    unknown = action.keys() - {"method", "path", "json", "form", "names", "anonymous"}
    if unknown:
        yield f"{name}: unknown {', '.join(sorted(unknown))}"
    if not str(action.get("path", "")).startswith("/"):
        yield f"{name}.path is missing or does not begin with /"
    if "json" in action and "form" in action:
        yield f"{name} has json and form: give one"


def _app(given: Mapping[str, Any]) -> App:
    def action(name: str) -> Action | None:
        found = given.get(name)
        if not found:
            return None
        names = tuple(found.get("names") or (f"audit{number}" for number in range(16)))
        return Action(
            found.get("method", "POST").upper(),
            found["path"],
            found.get("json"),
            found.get("form"),
            names,
            bool(found.get("anonymous", False)),
        )

    protected = given["protected"]
    times, sign_in = given.get("timeouts", {}), action("sign_in")
    assert sign_in is not None
    return App(
        name=given.get("name", "this app"),
        base_url=str(given["base_url"]).rstrip("/"),
        protected=(protected,) if isinstance(protected, str) else tuple(protected),
        sign_in=sign_in,
        ca_file=Path(given["ca_file"]) if given.get("ca_file") else None,
        cookie=given.get("cookie", ""),
        marker=given.get("marker", ""),
        session_id=given.get("session_id", ""),
        csrf=Csrf(**given["csrf"]) if given.get("csrf") else None,
        sign_out=action("sign_out"),
        write=action("write"),
        read=given.get("read", {}).get("path", ""),
        sessions=given.get("sessions", {}).get("path", ""),
        end_all=action("end_all"),
        password=action("password"),
        traces=given.get("traces", {}).get("url", "").rstrip("/"),
        redis=given.get("redis", {}).get("nodes", ""),
        logs=tuple(Path(file) for file in given.get("logs", {}).get("files", ())),
        timeouts=Timeouts(times.get("idle"), times.get("absolute"), times.get("aal", 2)),
        absent=frozenset(given.get("absent", ())),
        stated=given.get("stated", {}),
    )


def _filled(value: Any, given: Mapping[str, str]) -> Any:
    if not isinstance(value, str):
        return value
    for name, text in given.items():
        value = value.replace("{" + name + "}", text)
    return value
