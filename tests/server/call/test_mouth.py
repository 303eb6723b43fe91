"""The agent's side: at most one reply at a time, and what was heard of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from antiphon_server.call.mouth import Mouth, Said
from antiphon_server.call.outbox import Outbox
from antiphon_server.call.reply import ReplyDoors, SpeakingServices, Task
from antiphon_server.call.settings import CallSettings
from antiphon_server.call.timeline import Timeline
from antiphon_server.conversation import vocabulary as v
from server.call.outbox_wire import Wire
from server.call.scripted_call import llm, sample, tts
from virtual_time import in_virtual_time

LONG = "One two three four five six seven eight nine ten eleven twelve thirteen."


class Room:
    """A mouth on its own, and the wire over which it is heard."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.wire = Wire()
        self.outbox = Outbox(self.loop.time)
        self.events: list[v.Event] = []
        self.words: list[str] = []
        self.first: list[int] = []
        self.ended: Said | None = None
        self.tasks: list[asyncio.Task[None]] = []
        doors = ReplyDoors(
            outbox=self.outbox,
            now=self.loop.time,
            notice=self._notice,
            tool_used=lambda _reply, _use: None,
            words_timed=lambda _reply, words, _last: self.words.extend(w.text for w in words),
            words_shown=lambda _reply, words, _last: self.words.extend(words),
        )
        self.timeline = Timeline(self.loop.time, {})
        self.mouth = Mouth(self.timeline, self.outbox, doors, self._spawn)

    def _notice(self, event: v.Event) -> None:
        self.events.append(event)
        if isinstance(event, v.ReplyFinished):
            # As a session does it: in the very task that noticed.
            self.ended = self.mouth.end(interrupted=False)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        self.tasks.append(self.loop.create_task(work, name=name))
        return self.tasks[-1]

    def start(
        self,
        number: int = 1,
        text: str = LONG,
        trigger: v.Trigger = "greeting",
        settings: CallSettings | None = None,
        voice: Any = None,
    ) -> None:
        """A reply that says a text begins."""
        command = v.StartReply(number, trigger, "Be brief.")
        services = SpeakingServices(llm(), voice or tts())
        self.mouth.start(command, Task(text=text), services, settings or CallSettings(), 200.0)

    def sent(self, reply: int, _audio: bytes, _at: float) -> None:
        """Some audio went out."""
        if self.mouth.sounded(reply) is not None:
            self.first.append(reply)


@asynccontextmanager
async def room() -> AsyncIterator[Room]:
    """While it is heard; nothing is left running."""
    made = Room()
    sending = asyncio.create_task(
        made.outbox.run(made.wire, lambda reply, _raw: f"audio {reply}", made.sent)
    )
    try:
        yield made
    finally:
        made.outbox.close()
        await asyncio.wait([sending, *made.tasks])


@in_virtual_time
async def test_a_reply_is_open_until_it_is_ended() -> None:
    """It ends once all of it has been played; then there is none."""
    async with room() as here:
        assert here.mouth.reply is None
        here.start(3)
        assert here.mouth.reply == 3
        await asyncio.wait(here.tasks)
        assert here.events == [v.ReplyFinished(3)]
        assert here.mouth.reply is None
        said = here.ended
        assert said is not None
        assert (said.reply, said.trigger, said.text) == (3, "greeting", LONG)
        assert said.instructions == "Be brief."
        assert said.ended == here.loop.time() == pytest.approx(len(LONG) * 0.06, rel=0.1)
        assert said.characters == len(LONG)


@in_virtual_time
async def test_a_reply_ends_once() -> None:
    """What is not there cannot be ended."""
    async with room() as here:
        assert here.mouth.end(interrupted=True) is None
        here.start()
        await asyncio.sleep(1)
        assert here.mouth.end(interrupted=True) is not None
        assert here.mouth.end(interrupted=True) is None


@in_virtual_time
async def test_an_interrupted_reply_stops_its_providers() -> None:
    """And nothing of it is noticed any more; what was heard is known at once."""
    voice = tts(real_time_factor=0.5)
    async with room() as here:
        here.start(voice=voice)
        await asyncio.sleep(2)
        said = here.mouth.end(interrupted=True)
        assert said is not None
        assert LONG.startswith(said.text)
        assert len(said.text) * 0.06 == pytest.approx(2, abs=0.6)
        await asyncio.wait(here.tasks)
        assert voice.desk.active == 0
        await asyncio.sleep(60)
        assert here.events == []


@in_virtual_time
async def test_a_reply_that_ended_before_it_sounded_was_not_heard() -> None:
    """Its text is empty, and it has no first audio."""
    async with room() as here:
        here.start(voice=tts(first_sound_ms=5000))
        await asyncio.sleep(1)
        said = here.mouth.end(interrupted=True)
        assert said is not None
        assert (said.text, said.sounded, said.first_audio_ms) == ("", None, None)


@in_virtual_time
async def test_the_first_sound_is_told_once_and_of_the_open_reply() -> None:
    """Later frames, and frames of other replies, are no first ones."""
    async with room() as here:
        assert here.mouth.sounded(1) is None
        here.start()
        await asyncio.sleep(1)
        assert here.first == [1]
        assert here.mouth.sounded(1) is None
        assert here.mouth.sounded(2) is None
        here.mouth.end(interrupted=True)
        here.start(2)
        await asyncio.sleep(1)
        assert here.first == [1, 2]
        here.mouth.end(interrupted=True)


@in_virtual_time
async def test_the_first_audio_is_timed_from_the_end_of_the_users_speech() -> None:
    """Where the reply answers it; from its own start otherwise."""
    async with room() as here:
        await asyncio.sleep(1)
        here.timeline.paused(here.loop.time() - 0.25, 0.0)
        here.start(1, trigger="user_speech", voice=tts(first_sound_ms=100))
        await asyncio.sleep(1)
        said = here.mouth.end(interrupted=True)
        assert said is not None
        assert said.first_audio_ms == pytest.approx(350, abs=1)
        here.start(2, trigger="tool_result", voice=tts(first_sound_ms=100))
        await asyncio.sleep(1)
        said = here.mouth.end(interrupted=True)
        assert said is not None
        assert said.first_audio_ms == pytest.approx(100, abs=1)


@in_virtual_time
async def test_how_it_is_known_what_was_heard() -> None:
    """By the voice's own word times, by estimate, or because it was written."""
    for settings, voice, method in (
        (CallSettings(), tts(), "timed"),
        (CallSettings(), tts(word_times=False), "estimated"),
        (CallSettings(output_text=True), tts(), "written"),
    ):
        async with room() as here:
            here.start(settings=settings, voice=voice)
            await asyncio.wait(here.tasks)
            assert here.ended is not None
            assert (here.ended.method, here.ended.text) == (method, LONG)


@in_virtual_time
async def test_words_that_were_heard_are_told_before_they_are_cut() -> None:
    """A voice without word times tells them late; what was out must have been told by then."""
    async with room() as here:
        here.start(voice=tts(word_times=False, real_time_factor=0.9))
        await asyncio.sleep(2)
        here.mouth.catch_up()
        said = here.mouth.end(interrupted=True)
        assert said is not None
        assert said.text
        assert " ".join(here.words).startswith(said.text)


@in_virtual_time
async def test_a_voice_that_breaks_ends_its_reply_alone() -> None:
    """With a failure that says nothing of the fault; the next reply is said."""

    class Broken:
        name, rate = "broken", 24_000

        def speak(self, _sentences: Any, _options: Any) -> Any:
            raise ZeroDivisionError("broken")

    async with room() as here:
        here.start(voice=Broken())
        await asyncio.wait(here.tasks)
        failure = v.Failure("internal_error", "The reply broke off")
        assert here.events == [v.ReplyFailed(1, failure)]
        here.mouth.end(interrupted=False)
        here.start(2)
        await asyncio.wait(here.tasks)
        assert here.events[-1] == v.ReplyFinished(2)


@in_virtual_time
async def test_replies_and_interruptions_are_counted() -> None:
    """One that nobody heard was interrupted, but interrupted nobody."""
    labels = {"trigger": "greeting", "status": "interrupted"}
    replies = sample("antiphon_replies_total", **labels)
    interruptions = sample("antiphon_interruptions_total")
    async with room() as here:
        here.start(voice=tts(first_sound_ms=5000))
        await asyncio.sleep(1)
        here.mouth.end(interrupted=True)
        here.start(2)
        await asyncio.sleep(2)
        here.mouth.end(interrupted=True)
    assert sample("antiphon_replies_total", **labels) == replies + 2
    assert sample("antiphon_interruptions_total") == interruptions + 1
