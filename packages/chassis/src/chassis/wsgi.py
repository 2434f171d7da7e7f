"""WSGI middleware that stands in front of either framework."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Any

from chassis.problems import wsgi_problem
from chassis.settings import Network

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_FORWARDING = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_PROTOCOL",
    "HTTP_X_FORWARDED_SSL",
    "HTTP_X_REAL_IP",
)


class BodyLimit:
    """Refuses request bodies above a limit with 413, before the application sees the request.

    A body without a length (chunked) is read here, up to the limit, and handed on with its length: frameworks
    that trust ``CONTENT_LENGTH`` (Django) then see it, and none can be made to read without end.
    """

    def __init__(self, app: WSGIApplication, limit: int) -> None:
        self._app = app
        self._limit = limit

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH") or ""
        # "Transfer-Encoding" overrides a length (RFC 9112 section 6.3).
        if environ.get("HTTP_TRANSFER_ENCODING"):
            body = self._read(environ["wsgi.input"])
            if body is None:
                return self._refuse(start_response)
            del environ["HTTP_TRANSFER_ENCODING"]
            environ["CONTENT_LENGTH"] = str(len(body))
            environ["wsgi.input"] = BytesIO(body)
        elif length and not (length.isascii() and length.isdigit()):
            return wsgi_problem(start_response, 400, "Send a Content-Length that is a number.")
        elif length and int(length) > self._limit:
            return self._refuse(start_response)
        return self._app(environ, start_response)

    def _read(self, stream: Any) -> bytes | None:
        body = bytearray()
        while chunk := stream.read(min(65536, self._limit + 1 - len(body))):
            body += chunk
            if len(body) > self._limit:
                return None
        return bytes(body)

    def _refuse(self, start_response: StartResponse) -> Iterable[bytes]:
        return wsgi_problem(start_response, 413, f"Send at most {self._limit} bytes in one request.")


class TrustedProxy:
    """Sets ``REMOTE_ADDR`` and ``wsgi.url_scheme`` to the client's, when a trusted proxy says so.

    The client is the rightmost address of ``X-Forwarded-For`` that is no trusted proxy's: what is left of it
    is hearsay. Every forwarding header is removed, whoever sent it: what follows has one truth to read.
    """

    def __init__(self, app: WSGIApplication, proxies: Iterable[Network]) -> None:
        self._app = app
        self._proxies = tuple(proxies)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if self._trusts(environ.get("REMOTE_ADDR", "")):
            scheme = environ.get("HTTP_X_FORWARDED_PROTO", "").rpartition(",")[2].strip().lower()
            if scheme in ("http", "https"):
                environ["wsgi.url_scheme"] = scheme
            environ["REMOTE_ADDR"] = self._client(environ)
        for name in _FORWARDING:
            environ.pop(name, None)
        return self._app(environ, start_response)

    def _client(self, environ: WSGIEnvironment) -> str:
        client = str(environ["REMOTE_ADDR"])
        for part in reversed(environ.get("HTTP_X_FORWARDED_FOR", "").split(",")):
            address = _address(part)
            if address is None:
                break
            client = str(address)
            if not self._trusts(client):
                break
        return client

    def _trusts(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in network for network in self._proxies)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.strip().removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
    # ::ffff:127.0.0.1 is 127.0.0.1 seen through a dual-stack socket.
    return getattr(address, "ipv4_mapped", None) or address
