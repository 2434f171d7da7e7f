"""The scripts of the Redis store: what must be atomic in a partition."""

from __future__ import annotations

from importlib.resources import files

from ..commands import Script

_COMMON = "common"


def _load(name: str) -> Script:
    texts = [files(__name__).joinpath(f"{part}.lua").read_bytes() for part in (_COMMON, name)]
    return Script.of(name, b"\n".join(texts))


CREATE = _load("create")
WRITE = _load("write")
RETIME = _load("retime")
ROTATE = _load("rotate")
OFFER = _load("offer")
END = _load("end")
END_DUE = _load("end_due")
END_PRINCIPAL = _load("end_principal")
LIST = _load("list")
REFUSE = _load("refuse")
