"""The asynchronous names of Django's sessions (``aget``, ``asave``, …): each runs its synchronous twin."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import sync_to_async

from polysession.core import bridge

from .manager import get_manager

P = ParamSpec("P")
T = TypeVar("T")


async def awaited(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """On this thread, and the event loop goes on where the store is asked, if the manager is ``asynchronous``; else in
    Django's thread for synchronous code, as its own engines do.
    """
    if get_manager().asynchronous:
        return await bridge.run(function, *args, **kwargs)
    return await sync_to_async(function)(*args, **kwargs)


Twin = Callable[..., Coroutine[Any, Any, Any]]


def _twin(name: str) -> Twin:
    async def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return await awaited(getattr(self, name), *args, **kwargs)

    return method


class AsynchronousNames:
    """All of ``SessionBase``: its own ones would change the attributes outside of a bridge."""

    aset: Twin = _twin("__setitem__")
    aget: Twin = _twin("get")
    apop: Twin = _twin("pop")
    asetdefault: Twin = _twin("setdefault")
    ahas_key: Twin = _twin("has_key")
    aupdate: Twin = _twin("update")
    akeys: Twin = _twin("keys")
    avalues: Twin = _twin("values")
    aitems: Twin = _twin("items")
    aset_test_cookie: Twin = _twin("set_test_cookie")
    atest_cookie_worked: Twin = _twin("test_cookie_worked")
    adelete_test_cookie: Twin = _twin("delete_test_cookie")
    acreate: Twin = _twin("create")
    asave: Twin = _twin("save")
    adelete: Twin = _twin("delete")
    aload: Twin = _twin("load")
    aexists: Twin = _twin("exists")
    acycle_key: Twin = _twin("cycle_key")
    aflush: Twin = _twin("flush")
    aget_expiry_age: Twin = _twin("get_expiry_age")
    aget_expiry_date: Twin = _twin("get_expiry_date")
    aset_expiry: Twin = _twin("set_expiry")
    aget_expire_at_browser_close: Twin = _twin("get_expire_at_browser_close")
    _aget_session = _twin("_get_session")

    @classmethod
    async def aclear_expired(cls) -> None:
        await awaited(cls.clear_expired)  # type: ignore[attr-defined]  # of the class that mixes this in
