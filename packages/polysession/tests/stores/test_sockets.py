"""What waits on an event loop: a socket, whose other end is this test, and a lock."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest
from polysession.core import bridge
from polysession.stores.sockets import AwaitingSocket, Turns

Ends = tuple[AwaitingSocket, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    near, far = socket.socketpair()
    far.settimeout(5)
    awaiting = AwaitingSocket(near, 5)
    yield awaiting, far
    awaiting.close()
    far.close()


def test_it_waits_for_what_comes_later_and_the_loop_goes_on(ends: Ends) -> None:
    near, far = ends

    async def main() -> None:
        reading = asyncio.create_task(bridge.run(near.recv, 10))
        await asyncio.sleep(0.01)
        assert not reading.done()
        far.send(b"late")
        assert await reading == b"late"

    asyncio.run(main())


def test_what_does_not_fit_at_once_is_sent_when_the_other_end_has_read(ends: Ends) -> None:
    near, far = ends
    data = bytes(5_000_000)

    async def main() -> None:
        sending = asyncio.create_task(bridge.run(near.sendall, data))
        received = 0
        while received < len(data):
            received += len(await asyncio.to_thread(far.recv, 1_000_000))
        await sending
        assert received == len(data)

    asyncio.run(main())


def test_a_task_whose_answers_are_always_there_lets_others_have_their_turn(ends: Ends) -> None:
    near, far = ends

    async def main() -> int:
        turns, done = 0, False

        async def other() -> None:
            nonlocal turns
            while not done:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        for _ in range(100):
            far.send(b"x")
            await bridge.run(near.recv, 1)
        done = True
        await task
        return turns

    assert asyncio.run(main()) >= 9


def test_out_of_time_or_cancelled_it_is_closed(ends: Ends) -> None:
    near, far = ends
    near.settimeout(0.01)

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await bridge.run(near.recv, 1)
        assert near.fileno() == -1
        other, end = socket.socketpair()
        patient = AwaitingSocket(other, 60)
        reading = asyncio.create_task(bridge.run(patient.recv, 1))
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert patient.fileno() == -1
        assert end.recv(1) == b""
        end.close()

    asyncio.run(main())
    assert far.recv(1) == b""


def test_a_node_that_refuses_is_an_error_at_once() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = unused.getsockname()
    refused = AwaitingSocket(socket.socket(), 5)
    with pytest.raises(ConnectionRefusedError):
        asyncio.run(bridge.run(refused.connect, address))
    refused.close()


def test_turns_come_in_the_order_of_asking_and_not_after_their_time() -> None:
    async def main() -> None:
        turns = Turns(1)
        assert turns.acquire()
        order: list[str] = []

        def take(name: str) -> None:
            order.append(f"{name} {turns.acquire(timeout=0.02 if name == 'hasty' else 5)}")

        tasks = [asyncio.create_task(bridge.run(take, name)) for name in ("hasty", "first", "second")]
        await asyncio.sleep(0.05)
        turns.release()
        await asyncio.sleep(0)
        turns.release()
        await asyncio.gather(*tasks)
        assert order == ["hasty False", "first True", "second True"]

    asyncio.run(main())
