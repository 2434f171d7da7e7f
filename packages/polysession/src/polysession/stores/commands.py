"""What is sent to a node: words, packed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha1
from typing import Any

import hiredis
import msgspec

# Its own types know one argument only.
pack_command: Callable[[tuple[Any, ...]], bytes] = hiredis.pack_command


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script, sent as EVALSHA; as EVAL where the node does not know it: a promoted replica has no
    scripts.
    """

    name: str
    text: bytes
    sha: bytes

    @classmethod
    def of(cls, name: str, text: bytes) -> Script:
        return cls(name, text, sha1(text, usedforsecurity=False).hexdigest().encode())

    def call(self, keys: Sequence[str], arguments: Iterable[str | bytes | int]) -> Command:
        tail = (len(keys), *keys, *arguments)
        return Command(pack_command((b"EVALSHA", self.sha, *tail)), (b"EVAL", self.text, *tail))


class Command(msgspec.Struct, frozen=True):
    """``packed`` goes out; ``in_full`` instead, when the answer is NOSCRIPT (which proves that nothing
    ran).
    """

    packed: bytes
    in_full: tuple[Any, ...] = ()

    @classmethod
    def of(cls, *words: str | bytes | int | float) -> Command:
        return cls(pack_command(words))
