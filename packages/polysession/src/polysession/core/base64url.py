"""RFC 4648's base64url without padding: the text of what is stored, or compared, as bytes."""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64

URL_SAFE = bytes.maketrans(b"+/", b"-_")
_STANDARD = bytes.maketrans(b"-_", b"+/")


def encode(data: bytes) -> str:
    return b2a_base64(data, newline=False).translate(URL_SAFE).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """Of ``encode``. Raises ``ValueError`` for what is no base64."""
    return a2b_base64(text.encode("ascii").translate(_STANDARD) + b"=" * (-len(text) % 4))
