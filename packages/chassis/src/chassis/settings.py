"""Settings from the environment: one typed object, read once at start, every fault in one message.

No message, ``repr`` or traceback holds a value of the environment: what is wrong is named by its variable.
"""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import quote, unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

from chassis.errors import InvalidSettings

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Node = tuple[str, int]
S = TypeVar("S", bound=BaseSettings)


@dataclass(frozen=True)
class Database:
    """Where a PostgreSQL database is and how to get in. The password is in no ``repr``."""

    host: str
    port: int
    name: str
    user: str
    password: str = field(repr=False)

    def dsn(self, scheme: str = "postgresql") -> str:
        """Return a URL with the password, e.g. ``dsn("postgresql+psycopg")`` for SQLAlchemy. A secret."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (
            f"{scheme}://{quote(self.user, safe='')}:{quote(self.password, safe='')}"
            f"@{host}:{self.port}/{quote(self.name, safe='')}"
        )


def read_secret(path: Path) -> str:
    """Return the secret in a file, without the newline at its end.

    Raises ValueError, naming neither the path nor the content, when there is none.
    """
    try:
        secret = path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"name a file that this process can read ({type(error).__name__})") from None
    if not secret:
        raise ValueError("the file is empty: write the secret into it")
    return secret


def parse_node(text: str) -> Node:
    """Return host and port of ``host:port`` (IPv6 in brackets)."""
    match = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([^\s:/@\[\]]+)):(\d{1,5})", text.strip())
    if match is None or not 0 <= int(match[3]) <= 65535:
        raise ValueError("write host:port")
    return match[1] or match[2], int(match[3])


def _nodes(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return tuple(parse_node(part) for part in value.split(",") if part.strip())
    except ValueError:
        raise ValueError("write host:port,host:port,…") from None


def _networks(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in value.split(",") if part.strip())
    except ValueError:
        raise ValueError("write addresses or networks, e.g. 127.0.0.1,10.0.0.0/8") from None


def _bind(value: str) -> str:
    parse_node(value)
    return value.strip()


def _secret_file(path: Path) -> Path:
    read_secret(path)
    return path


def _readable_file(path: Path) -> Path:
    if not path.is_file() or not os.access(path, os.R_OK):
        raise ValueError("name a file that this process can read")
    return path


def _directory(path: Path) -> Path:
    if not path.is_dir() or not os.access(path, os.R_OK | os.X_OK):
        raise ValueError("name a directory that this process can read")
    return path


def is_loopback(host: str) -> bool:
    """Return whether a host name or address never leaves this machine (RFC 6761 section 6.3)."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _origin(value: str) -> str:
    fault = "write an origin: https://host, or https://host:port"
    try:
        parts = urlsplit(value.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(fault) from None
    rest = parts.path.strip("/") or parts.query or parts.fragment or parts.username or parts.password
    if parts.scheme not in ("http", "https") or not host or rest:
        raise ValueError(fault)
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("http is for loopback only, in development: use https")
    name = f"[{host}]" if ":" in host else host
    default = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{name}" if port in (None, default) else f"{parts.scheme}://{name}:{port}"


def _database_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = bool(
            parts.scheme in ("postgresql", "postgres")
            and parts.hostname
            and parts.username
            and parts.path.strip("/")
            and parts.port != 0  # parsing it raises for one that is no number
        )
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment:
        raise ValueError("write postgresql://user@host:port/name")
    if parts.password is not None:
        raise ValueError("leave the password out: it belongs into the file of DATABASE_PASSWORD_FILE")
    return value


def _endpoint(value: str) -> str:
    if value and not re.match(r"https?://[^/\s]+", value):
        raise ValueError("write http://host:port, or leave it empty: then no traces leave the process")
    return value.rstrip("/")


SecretFile = Annotated[Path, AfterValidator(_secret_file)]
ReadableFile = Annotated[Path, AfterValidator(_readable_file)]
Directory = Annotated[Path, AfterValidator(_directory)]
Origin = Annotated[str, AfterValidator(_origin)]
Bind = Annotated[str, AfterValidator(_bind)]
Nodes = Annotated[tuple[Node, ...], NoDecode, BeforeValidator(_nodes), Field(min_length=1)]
Networks = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_networks)]
DatabaseURL = Annotated[str, AfterValidator(_database_url)]
Endpoint = Annotated[str, AfterValidator(_endpoint)]
Seconds = Annotated[int, Field(gt=0)]


class ServiceSettings(BaseSettings):
    """The settings of both services; `docs/configuration.md` explains each. A service adds its own fields.

    The environment variable of a field is its name in capitals. An empty variable counts as missing.
    """

    model_config = SettingsConfigDict(
        hide_input_in_errors=True, extra="ignore", frozen=True, env_ignore_empty=True, case_sensitive=False
    )

    public_url: Origin
    bind: Bind
    workers: int = Field(default=2, ge=1, le=64)
    threads: int = Field(default=8, ge=1, le=256)
    database_url: DatabaseURL
    database_password_file: SecretFile
    database_pool_size: int = Field(default=4, ge=1)
    redis_nodes: Nodes
    redis_username: str | None = None
    redis_password_file: SecretFile | None = Field(default=None, validate_default=True)
    redis_tls_ca_file: ReadableFile | None = None
    session_keys_dir: Directory
    session_prefix: str = Field(default="ps", pattern=r"^[A-Za-z0-9_.-]{1,32}$")
    session_idle_seconds: Seconds = 1800
    session_absolute_seconds: Seconds = 43200
    session_anonymous_idle_seconds: Seconds = 86400
    session_anonymous_absolute_seconds: Seconds = 604800
    session_rotate_seconds: int = Field(default=3600, ge=0)
    sessions_a_principal: int = Field(default=100, ge=1, le=1000)
    session_limit_policy: Literal["replace", "refuse"] = "replace"
    store_deadline_ms: int = Field(default=250, gt=0)
    body_limit_bytes: int = Field(default=1_048_576, gt=0)
    trusted_proxies: Networks = (ipaddress.ip_network("127.0.0.1"),)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    prometheus_multiproc_dir: Path
    otel_exporter_otlp_endpoint: Endpoint = ""
    otel_service_name: str = Field(default="", max_length=255)

    @field_validator("redis_password_file")
    @classmethod
    def _with_a_user(cls, file: Path | None, info: ValidationInfo) -> Path | None:
        if file is None and info.data.get("redis_username") is not None:
            raise ValueError("is required with REDIS_USERNAME")
        return file

    @field_validator("session_absolute_seconds", "session_anonymous_absolute_seconds")
    @classmethod
    def _not_shorter_than_idle(cls, absolute: int, info: ValidationInfo) -> int:
        idle_name = str(info.field_name).replace("absolute", "idle")
        idle = info.data.get(idle_name)
        if idle is not None and absolute < idle:
            raise ValueError(f"must not be shorter than {idle_name.upper()}")
        return absolute

    @property
    def session_policy(self) -> dict[str, Any]:
        """What ``polysession.SessionSettings`` takes: by name, for the chassis does not know the library."""
        return {
            "idle": self.session_idle_seconds,
            "absolute": self.session_absolute_seconds,
            "anonymous_idle": self.session_anonymous_idle_seconds,
            "anonymous_absolute": self.session_anonymous_absolute_seconds,
            "rotate_after": self.session_rotate_seconds,
            "sessions_a_principal": self.sessions_a_principal,
            "limit_policy": self.session_limit_policy,
            "secure": self.secure_cookies,
        }

    @property
    def public_origin(self) -> str:
        """The origin that browsers use, as they send it in ``Origin``: without a default port or a slash."""
        return self.public_url

    @property
    def secure_cookies(self) -> bool:
        """Whether cookies are ``__Host-`` and ``Secure``: always, except on plain-HTTP loopback."""
        return self.public_url.startswith("https://")

    @property
    def database(self) -> Database:
        """Where the database is, with the password, read from its file at this moment."""
        parts = urlsplit(self.database_url)
        return Database(
            host=parts.hostname or "",
            port=parts.port or 5432,
            name=unquote(parts.path.strip("/")),
            user=unquote(parts.username or ""),
            password=read_secret(self.database_password_file),
        )

    @property
    def database_dsn(self) -> str:
        """``postgresql://user:password@host:port/name``. A secret: for the driver and nobody else."""
        return self.database.dsn()


def load(cls: type[S]) -> S:
    """Return the settings of the environment, or raise InvalidSettings with every fault and no value."""
    try:
        return cls()
    except ValidationError as error:
        # "from None": the cause's context would bring the values back into a traceback.
        raise InvalidSettings(
            tuple(
                _fault(fault)
                for fault in error.errors(include_url=False, include_context=False, include_input=False)
            )
        ) from None
    except SettingsError as error:
        raise InvalidSettings((str(error),)) from None


def _fault(fault: Any) -> str:
    name = str(fault["loc"][0]).upper() if fault["loc"] else "settings"
    if fault["type"] == "missing":
        return f"{name}: is required"
    return f"{name}: {fault['msg'].removeprefix('Value error, ')}"
