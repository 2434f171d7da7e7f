"""AES-GCM for ``core.seal``, from ``cryptography`` (the extra ``seal``)."""

from __future__ import annotations

from .core.errors import Unreadable
from .core.seal import Aead, Cipher


def load_cipher() -> Cipher | None:
    """``None``: the extra is not installed."""
    try:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError as cause:
        if (cause.name or "").partition(".")[0] != "cryptography":
            raise
        return None

    class AesGcm:
        def __init__(self, key: bytes) -> None:
            aead = AESGCM(key)
            self.encrypt, self._decrypt = aead.encrypt, aead.decrypt

        def decrypt(self, nonce: bytes, data: bytes, bound: bytes) -> bytes:
            try:
                return self._decrypt(nonce, data, bound)
            except InvalidTag as cause:
                raise Unreadable("it is sealed, and was altered or belongs elsewhere") from cause

    def cipher(key: bytes) -> Aead:
        return AesGcm(key)

    return cipher
