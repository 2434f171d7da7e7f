import ipaddress
import json
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

import pytest
from chassis.wsgi import BodyLimit, TrustedProxy

Seen = dict[str, Any]


def application(seen: Seen) -> Callable[..., Iterable[bytes]]:
    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        seen.update(environ=environ, body=environ["wsgi.input"].read(length))
        start_response("200 OK", [])
        return [b"ok"]

    return app


def call(app: Any, body: bytes = b"", *, input: BytesIO | None = None, **environ: Any) -> tuple[int, bytes]:
    statuses: list[str] = []
    answer = app(
        {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/",
            "wsgi.input": input or BytesIO(body),
            "wsgi.url_scheme": "http",
        }
        | environ,
        lambda status, headers, exc_info=None: statuses.append(status),
    )
    return int(statuses[0][:3]), b"".join(answer)


def test_a_body_within_the_limit_passes() -> None:
    seen: Seen = {}
    assert call(BodyLimit(application(seen), 4), b"1234", CONTENT_LENGTH="4")[0] == 200
    assert seen["body"] == b"1234"


def test_a_larger_body_is_413_before_the_application_sees_the_request() -> None:
    seen: Seen = {}
    status, body = call(BodyLimit(application(seen), 4), b"12345", CONTENT_LENGTH="5")
    assert status == 413
    assert json.loads(body)["detail"] == "Send at most 4 bytes in one request."
    assert seen == {}


def test_a_body_without_a_length_is_handed_on_with_one() -> None:
    seen: Seen = {}
    assert call(BodyLimit(application(seen), 4), b"1234", HTTP_TRANSFER_ENCODING="chunked")[0] == 200
    assert (seen["body"], seen["environ"]["CONTENT_LENGTH"]) == (b"1234", "4")


def test_a_body_without_a_length_that_grows_past_the_limit_is_413() -> None:
    seen: Seen = {}
    stream = BytesIO(b"x" * 100_000)
    status, _ = call(BodyLimit(application(seen), 4), HTTP_TRANSFER_ENCODING="chunked", input=stream)
    assert (status, seen) == (413, {})
    assert stream.tell() == 5  # one byte more than the limit was read, no more


def test_a_length_that_is_no_number_is_400() -> None:
    assert call(BodyLimit(application({}), 4), CONTENT_LENGTH="-1")[0] == 400


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "1.1.1.1, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "203.0.113.9, 10.1.2.3", "203.0.113.9"),
        ("127.0.0.1", "10.1.2.3", "10.1.2.3"),
        ("127.0.0.1", "203.0.113.9, nonsense", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("::ffff:127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("203.0.113.7", "1.1.1.1", "203.0.113.7"),
        ("", "1.1.1.1", ""),
    ],
)
def test_the_client_is_the_rightmost_address_that_is_no_proxy(peer: str, forwarded: str, client: str) -> None:
    seen: Seen = {}
    proxies = (ipaddress.ip_network("127.0.0.1"), ipaddress.ip_network("10.0.0.0/8"))
    call(TrustedProxy(application(seen), proxies), REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded)
    assert seen["environ"]["REMOTE_ADDR"] == client


@pytest.mark.parametrize(("peer", "scheme"), [("127.0.0.1", "https"), ("203.0.113.7", "http")])
def test_the_scheme_is_believed_only_from_a_trusted_proxy(peer: str, scheme: str) -> None:
    seen: Seen = {}
    app = TrustedProxy(application(seen), [ipaddress.ip_network("127.0.0.1")])
    call(app, REMOTE_ADDR=peer, HTTP_X_FORWARDED_PROTO="https", HTTP_X_FORWARDED_HOST="evil.example")
    assert seen["environ"]["wsgi.url_scheme"] == scheme
    assert not [name for name in seen["environ"] if "FORWARDED" in name]
