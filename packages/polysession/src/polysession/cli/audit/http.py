"""A browser as far as an audit needs one: cookies as they were sent, every header, no redirect followed, a budget."""

from __future__ import annotations

import ipaddress
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from threading import Lock
from urllib.parse import urlsplit

from ...core.errors import InvalidSettings, PolysessionError

BODY_BYTES = 1 << 20  # of a page
TIMEOUT_SECONDS = 10.0
REQUESTS = 1000  # an audit asks about 350 times
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class AppUnreachable(PolysessionError):
    """The app gave no answer."""


class BudgetSpent(PolysessionError):
    """The audit has asked as often as it may."""


@dataclass(frozen=True, slots=True)
class SetCookie:
    """As sent. ``attributes``: names in lower case."""

    name: str
    value: str = field(repr=False)
    attributes: Mapping[str, str]

    @property
    def clears(self) -> bool:
        """``Max-Age=0``, or an ``Expires`` of 1970, or no value."""
        old = "1970" in self.attributes.get("expires", "")
        return not self.value or self.attributes.get("max-age") == "0" or old

    @classmethod
    def parse(cls, text: str) -> SetCookie:
        pair, *rest = text.split(";")
        name, _, value = pair.partition("=")
        found = (part.strip().partition("=") for part in rest)
        return cls(
            name.strip(), value.strip().strip('"'), {key.lower(): value for key, _, value in found if key}
        )


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def header(self, name: str) -> str:
        return ", ".join(value for key, value in self.headers if key.lower() == name.lower())

    @property
    def cookies(self) -> tuple[SetCookie, ...]:
        return tuple(SetCookie.parse(value) for key, value in self.headers if key.lower() == "set-cookie")


def check_target(base_url: str, allowed: Iterable[str]) -> None:
    """An audit signs in, floods a little and forges: only against this machine, or a host that was named for it. Raises
    ``InvalidSettings``.
    """
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidSettings(("the app's address is not http://host:port or https://host:port",))
    if parts.hostname in allowed or is_loopback(parts.hostname):
        return
    raise InvalidSettings(
        (
            f"{parts.hostname} is not this machine. An audit signs in, forges tokens and writes in parallel: if the "
            f"app is yours to test, say so with --allow-host {parts.hostname}",
        )
    )


def is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Http:
    """To one origin. Thread-safe; a connection a request."""

    def __init__(
        self,
        base_url: str,
        *,
        ca_file: Path | None = None,
        requests: int = REQUESTS,
        body_bytes: int = BODY_BYTES,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        parts = urlsplit(base_url)
        self.secure: bool = parts.scheme == "https"
        self.host: str = parts.hostname or ""
        self._port = parts.port or (443 if self.secure else 80)
        self.origin: str = f"{parts.scheme}://{parts.netloc}"
        self._context = ssl.create_default_context(cafile=ca_file) if self.secure else None
        self._left = requests
        self._body_bytes = body_bytes
        self._timeout = timeout
        self._lock = Lock()
        self.asked: int = 0

    def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str | bytes],
        body: bytes | None = None,
    ) -> Answer:
        """Raises ``AppUnreachable``, ``BudgetSpent``."""
        with self._lock:
            if self.asked >= self._left:
                raise BudgetSpent(f"{self._left} requests are spent")
            self.asked += 1
        connection = self._connect()
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            sent = dict(headers)
            if body is not None or method in UNSAFE:
                sent["Content-Length"] = str(len(body or b""))
            for name, value in sent.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            return self._read(connection.getresponse())
        except (OSError, HTTPException) as cause:
            raise AppUnreachable(
                f"{self.origin} gave no answer to {method}: {type(cause).__name__}"
            ) from cause
        finally:
            connection.close()

    def _connect(self) -> HTTPConnection:
        if self._context is not None:
            return HTTPSConnection(self.host, self._port, timeout=self._timeout, context=self._context)
        return HTTPConnection(self.host, self._port, timeout=self._timeout)

    def _read(self, response: HTTPResponse) -> Answer:
        return Answer(response.status, tuple(response.getheaders()), response.read(self._body_bytes))


@dataclass
class Browser:
    """One cookie jar for one origin. ``last``: the newest answer."""

    http: Http
    cookies: dict[str, str] = field(default_factory=dict, repr=False)

    def ask(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str | bytes] | None = None,
        body: bytes | None = None,
        content_type: str = "",
    ) -> Answer:
        sent: dict[str, str | bytes] = {
            "User-Agent": "polysession-audit",
            "Accept": "application/json, text/html;q=0.9, */*;q=0.1",
        }
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if method in UNSAFE:  # as a browser does, from a page of the app
            sent.update({"Origin": self.http.origin, "Referer": self.http.origin + "/"})
        if content_type:
            sent["Content-Type"] = content_type
        sent.update(headers or {})
        answer = self.http.ask(method, path, sent, body)
        self.keep(answer)
        return answer

    def keep(self, answer: Answer) -> None:
        for cookie in answer.cookies:
            if cookie.clears:
                self.cookies.pop(cookie.name, None)
            else:
                self.cookies[cookie.name] = cookie.value

    def copy(self) -> Browser:
        return Browser(self.http, dict(self.cookies))


def sleep(seconds: float) -> None:
    time.sleep(seconds)
