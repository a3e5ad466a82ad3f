"""Many threads put, one coroutine takes, nothing is lost or reordered."""

import asyncio
import threading

from parley.mailbox import Mailbox


def test_takes_everything_in_order_from_many_threads():
    box: Mailbox[tuple[int, int]] = Mailbox()

    def produce(thread: int) -> None:
        for number in range(500):
            box.put((thread, number))

    async def consume() -> list[tuple[int, int]]:
        got: list[tuple[int, int]] = []
        while len(got) < 2000:
            got += await box.take(timeout=5)
        return got

    threads = [threading.Thread(target=produce, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    got = asyncio.run(consume())
    for thread in threads:
        thread.join()
    for n in range(4):
        assert [number for thread, number in got if thread == n] == list(range(500))


def test_an_empty_mailbox_gives_nothing_after_the_timeout():
    assert asyncio.run(Mailbox().take(timeout=0.01)) == []


def test_putting_after_the_reader_has_gone_is_harmless():
    box: Mailbox[int] = Mailbox()
    asyncio.run(box.take(timeout=0.01))
    box.put(1)
    assert box.take_nowait() == [1]
