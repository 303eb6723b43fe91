"""The fake AssemblyAI is proven with the vendor's own SDK, which reads each frame with care."""

from __future__ import annotations

import asyncio
from typing import Any

import assemblyai as aai
import pytest
from assemblyai.streaming.v3 import (
    AsyncStreamingClient,
    StreamingClientOptions,
    StreamingEvents,
    StreamingParameters,
)

from antiphon_providers.contract import human_speech
from fakes.assemblyai import KEY, FakeAssemblyAI, Fault
from fakes.assemblyai_voice import sound

SPEECH = human_speech.clip("best").pcm[: 1600 * 36]


class Client:
    """The SDK's client for speech to text, and the events that it was given."""

    def __init__(self, url: str, key: str = KEY) -> None:
        self.events: list[Any] = []
        self.arrived = asyncio.Condition()
        options = StreamingClientOptions(api_key=key, api_host=url)
        self.sdk = AsyncStreamingClient(options)
        for event in StreamingEvents:
            self.sdk.on(event, self._keep)

    async def connect(self, **parameters: Any) -> None:
        """Opens a session."""
        wanted = {"sample_rate": 16_000, "speech_model": "u3-rt-pro", **parameters}
        await self.sdk.connect(StreamingParameters(**wanted))

    async def say(self, pcm: bytes) -> None:
        """Streams in pieces of 50 ms."""
        for at in range(0, len(pcm), 1600):
            await self.sdk.stream(pcm[at : at + 1600])

    async def until(self, kind: str, count: int = 1) -> list[Any]:
        """The events of this class, once there are so many."""

        def found() -> list[Any]:
            return [event for event in self.events if type(event).__name__ == kind]

        async with self.arrived:
            await self.arrived.wait_for(lambda: len(found()) >= count)
        return found()

    async def _keep(self, _client: object, event: Any) -> None:
        async with self.arrived:
            self.events.append(event)
            self.arrived.notify_all()


async def test_the_sdk_hears_turns_and_forces_their_end() -> None:
    """Begin, partials and finals in its own classes; parameters reach the fake."""
    async with FakeAssemblyAI() as fake:
        client = Client(fake.url)
        await client.connect(keyterms_prompt=["Antiphon"])
        (begin,) = await client.until("BeginEvent")
        assert begin.configuration.model == "u3-rt-pro"
        await client.say(SPEECH)
        await client.sdk.force_endpoint()
        await client.sdk.keep_alive()
        turns = await client.until("TurnEvent", 3)
        while not turns[-1].end_of_turn:
            turns = await client.until("TurnEvent", len(turns) + 1)
        assert (turns[-1].transcript, turns[-1].end_of_turn_confidence) == ("Hello there.", 1.0)
        assert turns[0].words[0].end <= turns[-1].words[-1].end
        await client.sdk.disconnect(terminate=True)
        await client.until("TerminationEvent")
        session = fake.sessions[0]
        assert session.query["keyterms_prompt"] == '["Antiphon"]'
        assert session.types() == ["ForceEndpoint", "KeepAlive", "Terminate"]
        assert bytes(session.audio) == SPEECH


async def test_the_sdk_hears_both_finals_of_a_formatted_turn() -> None:
    """Models that grade their turns end them twice where formatting is asked for."""
    async with FakeAssemblyAI() as fake:
        client = Client(fake.url)
        await client.connect(speech_model="universal-streaming-english", format_turns=True)
        await client.say(SPEECH)
        await client.sdk.disconnect(terminate=True)
        await client.until("TerminationEvent")
        finals = [event for event in client.events if getattr(event, "end_of_turn", False)]
        assert [(one.turn_is_formatted, one.transcript) for one in finals] == [
            (False, "hello there"),
            (True, "Hello there."),
        ]


@pytest.mark.filterwarnings("ignore:ConnectionClosed..* is deprecated")
@pytest.mark.parametrize(
    ("key", "fault", "code"),
    [
        ("wrong", Fault(), 1008),
        (KEY, Fault(error={"error_code": 3009, "error": "Too many"}), 3009),
        (KEY, Fault(status=401, body=b'{"error": "no"}'), 401),
        (KEY, Fault(close={"Audio": 3005}), 3005),
    ],
)
async def test_the_sdk_understands_the_fakes_refusals(key: str, fault: Fault, code: int) -> None:
    """Error frames, closes and HTTP statuses have their code."""
    async with FakeAssemblyAI() as fake:
        fake.faults = [fault]
        client = Client(fake.url, key)
        await client.connect()
        if "Audio" in fault.close:
            await client.say(SPEECH)
        error, *_ = await client.until("RealTimeError")
        assert error.code == code
        await client.sdk.disconnect()


async def test_the_sdk_speaks_and_cancels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests in order, each with its sound and its words; a cancelled one ends early."""
    async with FakeAssemblyAI() as fake:
        monkeypatch.setattr(aai.settings, "tts_base_url", fake.url.replace("ws:", "http:"))
        words: list[Any] = []
        session = aai.AsyncTTSSession(
            aai.TTSConfig(voice_id="aai-jane", sample_rate=24_000),
            api_key=KEY,
            word_boundaries=True,
        )
        session.on("WordBoundaries", words.append)
        async with session:
            heard = b"".join([chunk async for chunk in session.speak("Hello there.")])
            assert heard == sound("Hello there.")
            await session.generate("A long sentence that nobody hears. " * 20)
            await session.flush()
            await session.cancel()
            await session.keep_alive()
            again = b"".join([chunk async for chunk in session.speak("Good day.")])
            assert again == sound("Good day.")
        assert session.termination is not None
        assert [word.word for word in words[0].words] == ["Hello", "there."]
        assert words[-1].words[-1].end - words[-1].audio_start_ms == 9 * 40


@pytest.mark.parametrize(
    ("voice", "key", "told"),
    [("nobody", KEY, "voice_not_found"), ("aai-jane", "wrong", "Invalid API key")],
)
async def test_the_sdk_understands_why_it_may_not_speak(
    voice: str, key: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A voice that is not there, a key that is none."""
    async with FakeAssemblyAI() as fake:
        monkeypatch.setattr(aai.settings, "tts_base_url", fake.url.replace("ws:", "http:"))
        session = aai.AsyncTTSSession(aai.TTSConfig(voice_id=voice), api_key=key)
        with pytest.raises(aai.TTSError) as raised:
            await session.connect()
        assert told in f"{raised.value} {raised.value.error_code}"
