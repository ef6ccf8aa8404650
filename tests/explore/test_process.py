"""A worker's process can be waited for so long and no longer, and ended whatever it does."""

import asyncio
import time

import pytest

from riemopt.explore.process import TimeLimitError, WorkerProcess


def echo(pipe, first):
    pipe.send_bytes(first)
    while True:
        pipe.send_bytes(pipe.recv()["text"].encode())


def hang(pipe):
    time.sleep(3600)


def leave(pipe):
    pass


def use(function, *arguments):
    """What a coroutine function of a worker returns; the worker is ended."""

    def decorator(coroutine):
        async def run():
            worker = WorkerProcess(function, *arguments)
            try:
                return await coroutine(worker)
            finally:
                worker.end()
                assert not worker._process.is_alive()

        return asyncio.run(run())

    return decorator


def test_a_worker_says_things_by_itself_and_when_asked():
    @use(echo, b"hello")
    async def _(worker):
        assert await worker.receive(60) == b"hello"
        answers = await asyncio.gather(*(worker.ask({"text": str(k)}, 10) for k in range(5)))
        assert answers == [b"0", b"1", b"2", b"3", b"4"]


def test_a_worker_that_hangs_is_not_waited_for():
    @use(hang)
    async def _(worker):
        with pytest.raises(TimeLimitError):
            await worker.receive(0.1)
        assert worker.is_alive


def test_a_worker_that_has_left_is_noticed():
    @use(leave)
    async def _(worker):
        with pytest.raises(EOFError):
            await worker.receive(60)
        with pytest.raises(EOFError):
            await worker.ask({}, 1)
