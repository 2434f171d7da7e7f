"""The scripts of the Redis store: what must be atomic in a partition."""

from __future__ import annotations

from importlib.resources import files

from ..commands import Script


def _load(name: str, *before: str) -> Script:
    texts = [files(__name__).joinpath(f"{part}.lua").read_bytes() for part in ("header", *before, name)]
    return Script.of(name, b"\n".join(texts))


# The fewer functions, the sooner a script begins: Lua makes each anew at each call.
CREATE = _load("create", "index")
WRITE = _load("write")
RETIME = _load("retime")
ROTATE = _load("rotate", "index")
OFFER = _load("offer", "index")
END = _load("end", "index")
END_DUE = _load("end_due", "index")
END_PRINCIPAL = _load("end_principal", "index")
LIST = _load("list", "index")
REFUSE = _load("refuse")
