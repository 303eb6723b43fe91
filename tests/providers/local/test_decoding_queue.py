"""What is urgent is decoded first, and no recogniser serves two threads."""

import asyncio
import threading

from antiphon_providers.local.decoding_queue import Decoding, DecodingQueue, Hears, Urgency


class Echo:
    """A recogniser whose words are the audio; it can be held up."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.begun = threading.Event()
        self.order: list[str] = []
        self.threads: set[int] = set()

    def words(self, pcm: bytes) -> str:
        """Waits until told, then gives back what it got."""
        self.threads.add(threading.get_ident())
        self.begun.set()
        self.go_on.wait()
        if pcm == b"bad":
            raise ValueError("bad")
        self.order.append(pcm.decode())
        return pcm.decode()

    def close(self) -> None:
        """There is nothing to free."""


class Desk:
    """A queue with one held-up recogniser, and what came back."""

    def __init__(self, *recognisers: Hears) -> None:
        self.queue = DecodingQueue(list(recognisers), asyncio.get_running_loop())
        self.answers: dict[str, str | Exception] = {}
        self._grew = asyncio.Event()

    def put(self, text: str, urgency: Urgency) -> Decoding:
        """Adds some audio."""
        decoding = Decoding(text.encode(), self._done)
        self.queue.put(decoding, urgency)
        return decoding

    async def until(self, count: int) -> None:
        """Returns once there are so many answers."""
        while len(self.answers) < count:
            self._grew.clear()
            await self._grew.wait()

    def _done(self, decoding: Decoding, words: str | Exception) -> None:
        self.answers[decoding.pcm.decode()] = words
        self._grew.set()


async def test_finals_go_before_parts_and_parts_before_looks() -> None:
    """Only what already runs is not overtaken."""
    echo = Echo()
    desk = Desk(echo)
    first = desk.put("running", Urgency.LOOK)
    await asyncio.to_thread(echo.begun.wait)
    assert first.has_begun
    assert desk.queue.is_free
    for text, urgency in (
        ("look", Urgency.LOOK),
        ("part", Urgency.SETTLED),
        ("final 1", Urgency.FINAL),
        ("final 2", Urgency.FINAL),
    ):
        desk.put(text, urgency)
    assert not desk.queue.is_free
    echo.go_on.set()
    await desk.until(5)
    assert echo.order == ["running", "final 1", "final 2", "part", "look"]
    await asyncio.to_thread(desk.queue.close)


async def test_what_is_cancelled_is_not_begun_and_not_told() -> None:
    """Neither what waits nor what runs comes back."""
    echo = Echo()
    desk = Desk(echo)
    running = desk.put("running", Urgency.FINAL)
    await asyncio.to_thread(echo.begun.wait)
    waiting = desk.put("waiting", Urgency.FINAL)
    running.cancel()
    waiting.cancel()
    desk.put("last", Urgency.LOOK)
    echo.go_on.set()
    await desk.until(1)
    assert echo.order == ["running", "last"]
    assert list(desk.answers) == ["last"]
    await asyncio.to_thread(desk.queue.close)


async def test_a_failure_comes_back_and_the_thread_goes_on() -> None:
    """The next audio is decoded."""
    echo = Echo()
    echo.go_on.set()
    desk = Desk(echo)
    desk.put("bad", Urgency.FINAL)
    desk.put("good", Urgency.FINAL)
    await desk.until(2)
    assert isinstance(desk.answers["bad"], ValueError)
    assert desk.answers["good"] == "good"
    await asyncio.to_thread(desk.queue.close)


async def test_each_recogniser_has_one_thread() -> None:
    """No recogniser is ever used by two."""
    echoes = [Echo() for _ in range(3)]
    for echo in echoes:
        echo.go_on.set()
    desk = Desk(*echoes)
    for number in range(60):
        desk.put(str(number), Urgency.FINAL)
    await desk.until(60)
    assert all(len(echo.threads) <= 1 for echo in echoes)
    assert all(str(number) == desk.answers[str(number)] for number in range(60))
    await asyncio.to_thread(desk.queue.close)
