"""A browser's User-Agent in few bytes: they are long and much alike. Raw DEFLATE (RFC 1951) that begins with what most of
them share: 101 bytes become 14.

The dictionary is part of the wire format: another one reads nonsense.
"""

from __future__ import annotations

import zlib
from functools import lru_cache

from .errors import Unreadable

DICTIONARY = (
    b"Version/18.0 Mobile/15E148 Safari/604.1"
    b" (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15"
    b" (Linux; Android 10; K)"
    b" (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    b" (Macintosh; Intel Mac OS X 10_15_7) Edg/ OPR/"
    b"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    b" Chrome/140.0.0.0 Mobile Safari/537.36"
)
_WINDOW = -10  # 1 KB, raw
_MOST = 4096  # bytes of text: no few bytes may become many


@lru_cache(maxsize=256)
def pack_agent(text: str) -> bytes:
    """Nothing of nothing."""
    if not text:
        return b""
    packer = zlib.compressobj(9, zlib.DEFLATED, _WINDOW, 1, zlib.Z_DEFAULT_STRATEGY, DICTIONARY)
    return packer.compress(text.encode()) + packer.flush()


@lru_cache(maxsize=256)  # a process meets the same few: 2 µs each time otherwise
def unpack_agent(data: bytes) -> str:
    """Raises ``Unreadable``."""
    if not data:
        return ""
    unpacker = zlib.decompressobj(_WINDOW, DICTIONARY)
    try:
        text = unpacker.decompress(data, _MOST).decode()
    except (zlib.error, UnicodeDecodeError) as cause:
        raise Unreadable("header holds a User-Agent that is damaged") from cause
    if not unpacker.eof:
        raise Unreadable("header holds a User-Agent that is damaged")
    return text
