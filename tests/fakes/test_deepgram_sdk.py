"""The fake Deepgram is proven with the vendor's own SDK, which knows each frame's fields."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from deepgram import AsyncDeepgramClient
from deepgram.core.api_error import ApiError
from deepgram.environment import DeepgramClientEnvironment
from deepgram.listen.v1.types import ListenV1Metadata, ListenV1Results
from deepgram.listen.v2.types import ListenV2Connected, ListenV2TurnInfo
from deepgram.speak.v1.types import (
    SpeakV1Cleared,
    SpeakV1Flushed,
    SpeakV1Metadata,
    SpeakV1Text,
    SpeakV1Warning,
)

from antiphon_providers.contract import human_speech
from fakes.assemblyai_voice import sound
from fakes.deepgram import KEY, FakeDeepgram

# The SDK uses names of websockets that are on their way out.
pytestmark = pytest.mark.filterwarnings("ignore:.*websockets:DeprecationWarning")

SPEECH = human_speech.clip("best").pcm
NOVA = {"model": "nova-3", "encoding": "linear16", "sample_rate": 16_000, "interim_results": True}
FLUX = {"model": "flux-general-en", "encoding": "linear16", "sample_rate": 16_000}
AURA = {"model": "aura-2-thalia-en", "encoding": "linear16", "sample_rate": 24_000}


@pytest.fixture
async def fake() -> AsyncIterator[FakeDeepgram]:
    """The vendor."""
    async with FakeDeepgram() as vendor:
        yield vendor


def client(fake: FakeDeepgram, key: str = KEY) -> AsyncDeepgramClient:
    """The SDK's client, pointed at the fake."""
    http = fake.url.replace("ws", "http", 1)
    where = DeepgramClientEnvironment(
        base=http, production=fake.url, agent=fake.url, agent_rest=http
    )
    return AsyncDeepgramClient(api_key=key, environment=where)


async def media(socket: Any, pcm: bytes) -> None:
    """Sends audio in pieces of 80 ms."""
    for at in range(0, len(pcm), 2560):
        await socket.send_media(pcm[at : at + 2560])


async def until(socket: Any, is_last: Any) -> list[Any]:
    """All that the SDK read, up to and with the one that is waited for."""
    heard: list[Any] = []
    while not heard or not is_last(heard[-1]):
        heard.append(await socket.recv())
    return heard


async def test_nova_tells_words_again_until_finalize_makes_them_final(fake: FakeDeepgram) -> None:
    """Interim results grow; the last is final and marked ``from_finalize``."""
    async with client(fake).listen.v1.connect(**NOVA) as socket:
        await media(socket, SPEECH)
        await socket.send_finalize()
        heard = await until(socket, lambda said: said.from_finalize)
    assert all(isinstance(said, ListenV1Results) for said in heard)
    texts = [said.channel.alternatives[0].transcript for said in heard]
    assert texts == sorted(texts, key=len)
    assert texts[-1] == "Hello there."
    assert [said.is_final for said in heard] == [False] * (len(heard) - 1) + [True]
    assert heard[-1].start + heard[-1].duration == pytest.approx(len(SPEECH) / 32_000)


async def test_nova_says_metadata_when_the_stream_is_closed(fake: FakeDeepgram) -> None:
    """``CloseStream`` is answered with what is left, ``Metadata`` and the end."""
    async with client(fake).listen.v1.connect(**NOVA) as socket:
        await media(socket, SPEECH)
        await socket.send_keep_alive()
        await socket.send_close_stream()
        heard = [said async for said in socket]
    assert isinstance(heard[-1], ListenV1Metadata)
    assert heard[-2].channel.alternatives[0].transcript == "Hello there."


async def test_nova_takes_keyterms_one_by_one(fake: FakeDeepgram) -> None:
    """Lists are repeated parameters, booleans are lower case."""
    async with client(fake).listen.v1.connect(**NOVA, keyterm=["Antiphon", "carillon"]):
        await fake.until_opened(1)
    assert fake.sessions[0].query["keyterm"] == ["Antiphon", "carillon"]
    assert fake.sessions[0].parameter("interim_results") == "true"


async def test_flux_tells_a_turn_from_its_start_to_its_forced_end(fake: FakeDeepgram) -> None:
    """``Connected``, updates, the start of the turn, and its end by ``ForceEndTurn``."""
    async with client(fake).listen.v2.connect(**FLUX) as socket:
        await media(socket, SPEECH + bytes(16_000))
        await socket.send_force_end_turn()
        heard = await until(socket, lambda said: getattr(said, "event", "") == "EndOfTurn")
    assert isinstance(heard[0], ListenV2Connected)
    assert all(isinstance(said, ListenV2TurnInfo) for said in heard[1:])
    events = [said.event for said in heard[1:]]
    assert events.count("StartOfTurn") == 1
    assert heard[-1].trigger == "manual"
    assert heard[-1].transcript == "Hello there."
    assert [said.sequence_id for said in heard] == list(range(len(heard)))


async def test_flux_ends_turns_by_itself(fake: FakeDeepgram) -> None:
    """With an eager threshold the end is announced before it comes."""
    fake.ends_turns = True
    async with client(fake).listen.v2.connect(**FLUX, eager_eot_threshold=0.4) as socket:
        await media(socket, SPEECH + bytes(16_000))
        heard = await until(socket, lambda said: getattr(said, "event", "") == "EndOfTurn")
    assert "EagerEndOfTurn" in [said.event for said in heard[1:]]
    assert heard[-1].trigger == "model"
    assert heard[-1].end_of_turn_confidence > 0.5


async def test_aura_speaks_what_is_flushed(fake: FakeDeepgram) -> None:
    """``Metadata``, sound, ``Flushed`` with a number that grows."""
    async with client(fake).speak.v1.connect(**AURA) as socket:
        for text in ("Hello.", "Goodbye."):
            await socket.send_text(SpeakV1Text(text=text))
            await socket.send_flush()
        heard = await until(socket, lambda said: getattr(said, "sequence_id", 0) == 1)
    assert isinstance(heard[0], SpeakV1Metadata)
    flushed = [said for said in heard if isinstance(said, SpeakV1Flushed)]
    assert [said.type for said in flushed] == ["Flushed", "Flushed"]
    pcm = b"".join(said for said in heard if isinstance(said, bytes))
    assert pcm == sound("Hello.") + sound("Goodbye.")


async def test_aura_forgets_what_is_cleared(fake: FakeDeepgram) -> None:
    """After ``Cleared`` only what is asked for later sounds."""
    async with client(fake).speak.v1.connect(**AURA) as socket:
        await socket.send_text(SpeakV1Text(text="This is never said."))
        await socket.send_clear()
        await socket.send_text(SpeakV1Text(text="Hello."))
        await socket.send_flush()
        heard = await until(socket, lambda said: getattr(said, "type", "") == "Flushed")
    assert heard[1].type == "Cleared"
    assert isinstance(heard[1], (SpeakV1Cleared, SpeakV1Flushed))
    assert b"".join(said for said in heard if isinstance(said, bytes)) == sound("Hello.")


async def test_aura_warns_of_too_many_flushes(fake: FakeDeepgram) -> None:
    """The 21st in a minute is not acted on."""
    async with client(fake).speak.v1.connect(**AURA) as socket:
        for _ in range(21):
            await socket.send_flush()
        heard = await until(socket, lambda said: getattr(said, "type", "") == "Warning")
    assert isinstance(heard[-1], SpeakV1Warning)


async def test_a_wrong_key_is_refused_on_each_wire(fake: FakeDeepgram) -> None:
    """The handshake is answered with 401."""
    wrong = client(fake, "another-key")
    for connect in (
        wrong.listen.v1.connect(**NOVA),
        wrong.listen.v2.connect(**FLUX),
        wrong.speak.v1.connect(**AURA),
    ):
        with pytest.raises(ApiError) as refused:
            async with connect:
                pass
        assert refused.value.status_code == 401
