"""The bridge: sync code that waits, and an event loop that goes on."""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any

import pytest
from polysession.core import bridge


async def give(value: Any, seconds: float = 0.0) -> Any:
    await asyncio.sleep(seconds)
    return value


def test_sync_code_gets_what_it_waits_for() -> None:
    def add() -> int:
        return bridge.wait(give(1)) + bridge.wait(give(2))

    assert asyncio.run(bridge.run(add)) == 3


def test_sync_code_that_never_waits_is_called_as_it_is() -> None:
    assert asyncio.run(bridge.run(divmod, 7, 2)) == (3, 1)


def test_the_loop_goes_on_while_it_waits() -> None:
    async def main() -> list[str]:
        order: list[str] = []

        def slow(name: str, seconds: float) -> None:
            bridge.sleep(seconds)
            order.append(name)

        await asyncio.gather(bridge.run(slow, "late", 0.05), bridge.run(slow, "early", 0))
        return order

    assert asyncio.run(main()) == ["early", "late"]


def test_an_error_of_what_is_awaited_is_raised_where_it_waits_and_its_own_reach_the_caller() -> None:
    async def fail() -> None:
        raise LookupError("awaited")

    def guard() -> None:
        with pytest.raises(LookupError, match="awaited"):
            bridge.wait(fail())
        raise KeyError("own")

    with pytest.raises(KeyError, match="own"):
        asyncio.run(bridge.run(guard))


def test_a_cancellation_is_raised_where_it_waits() -> None:
    seen: list[str] = []

    def patient() -> None:
        try:
            bridge.wait(give(None, 60))
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise
        finally:
            seen.append("cleaned up")

    async def main() -> None:
        task = asyncio.create_task(bridge.run(patient))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert seen == ["cancelled", "cleaned up"]


def test_context_variables_are_the_tasks_own_on_both_sides() -> None:
    name = contextvars.ContextVar("name", default="none")

    async def look() -> str:
        return name.get()

    def change() -> tuple[str, str]:
        before = name.get()
        name.set("inside")
        return before, bridge.wait(look())

    async def main() -> None:
        name.set("outside")
        assert await bridge.run(change) == ("outside", "inside")
        assert name.get() == "inside"

    asyncio.run(main())


def test_waiting_outside_of_a_bridge_says_what_to_do() -> None:
    with pytest.raises(bridge.OutsideBridge, match=r"bridge\.run"):
        bridge.wait(give(1))
    assert not bridge.is_open()


def test_blocking_on_an_event_loop_is_refused_and_elsewhere_is_not() -> None:
    async def main() -> None:
        with pytest.raises(bridge.OutsideBridge, match="await"):
            bridge.refuse_to_block()

    asyncio.run(main())
    bridge.refuse_to_block()


def test_a_bridge_in_what_is_awaited_is_one_of_its_own() -> None:
    def inner() -> int:
        return bridge.wait(give(2)) * 2

    def outer() -> int:
        return bridge.wait(bridge.run(inner)) + bridge.wait(give(1))

    assert asyncio.run(bridge.run(outer)) == 5


def test_without_greenlet_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "greenlet", None)
    with pytest.raises(ImportError, match=r"polysession\[async\]"):
        asyncio.run(bridge.run(divmod, 7, 2))


def test_what_blocks_runs_in_another_thread_in_a_bridge_and_in_this_one_elsewhere() -> None:
    import threading

    class Blocking:
        def where(self) -> int:
            return threading.get_ident()

    ledger = bridge.hopping(Blocking())
    assert ledger.where() == threading.get_ident()
    assert asyncio.run(bridge.run(ledger.where)) != threading.get_ident()
    assert bridge.hopping(None) is None


def test_what_blocks_may_say_itself_how_it_is_run() -> None:
    class Ledger:
        @staticmethod
        async def hop(function: Any, *args: Any) -> Any:
            return ("hopped", await asyncio.to_thread(function, *args))

        def double(self, number: int) -> int:
            return number * 2

    ledger = bridge.hopping(Ledger())
    assert asyncio.run(bridge.run(ledger.double, 2)) == ("hopped", 4)
    assert ledger.double(2) == 4
