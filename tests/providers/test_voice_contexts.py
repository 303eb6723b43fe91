"""What comes of contexts when a vendor is slow, broken or makes no sense; for both who use them."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from antiphon_providers.cartesia import Cartesia, CartesiaOptions
from antiphon_providers.contract.text_to_speech import each, milliseconds, spoken
from antiphon_providers.elevenlabs import ElevenLabs, ElevenLabsOptions
from antiphon_providers.errors import Malformed, ProviderError, Refused, TooSlow, Unavailable
from antiphon_providers.interfaces import VoiceOptions
from fakes.cartesia import FakeCartesia
from fakes.elevenlabs import FakeElevenLabs
from fakes.voice_contexts import KEY, FakeVoices, Fault

Voice = ElevenLabs | Cartesia
Both = tuple[Callable[[], FakeVoices], Callable[..., Voice]]


def _elevenlabs(url: str, **changes: object) -> Voice:
    given_options = {"api_key": KEY, "base_url": url, **changes}
    return ElevenLabs(ElevenLabsOptions(**given_options))  # type: ignore[arg-type]


def _cartesia(url: str, **changes: object) -> Voice:
    given_options = {"api_key": KEY, "base_url": url, **changes}
    return Cartesia(CartesiaOptions(**given_options))  # type: ignore[arg-type]


@pytest.fixture(params=[(FakeElevenLabs, _elevenlabs), (FakeCartesia, _cartesia)])
def vendor(request: pytest.FixtureRequest) -> Both:
    """A fake, and its adapter."""
    both: Both = request.param
    return both


@asynccontextmanager
async def faulty(
    vendor: Both, fault: Fault, **changes: object
) -> AsyncIterator[tuple[FakeVoices, Voice]]:
    """A vendor whose first connection has this fault, and a voice that runs."""
    fake, make = vendor
    async with fake() as voices:
        voices.faults = [fault]
        provider = make(voices.url, **changes)
        await provider.start()
        yield voices, provider
        await provider.close()


async def failure(provider: Voice, *sentences: str) -> ProviderError:
    """What speaking raises; it names the provider and never the key."""
    with pytest.raises(ProviderError) as raised:
        await spoken(provider, "anna", *(sentences or ("Hello there.",)))
    assert raised.value.provider == provider.name
    assert KEY not in str(raised.value)
    return raised.value


def sound(size: int) -> list[str | bytes]:
    """Frames with so many bytes of sound, then the end, each as one of the vendors writes it."""
    data = base64.b64encode(b"\1" * size).decode()
    return [
        json.dumps({"type": "chunk", "context_id": "$c", "contextId": "$c", "data": data}),
        json.dumps({"type": "none", "contextId": "$c", "audio": data}),
        json.dumps(
            {
                "type": "done",
                "context_id": "$c",
                "contextId": "$c",
                "isFinal": True,
            }
        ),
    ]


@pytest.mark.parametrize(
    "garbage",
    [
        "no frame",
        "[1, 2]",
        b"\xff\xfe\x00",
        '{"type": "chu',
        "[" * 100_000,
        '{"type": "chunk", "context_id": "$c", "data": 7, "contextId": "$c", "audio": 7}',
        '{"type": "chunk", "context_id": "$c", "data": "*", "contextId": "$c", "audio": "*"}',
        (
            '{"type": "timestamps", "context_id": "$c", "word_timestamps": {"words": ["a"]},'
            ' "contextId": "$c", "alignment": {"chars": ["a"]}}'
        ),
    ],
)
async def test_what_is_no_frame_is_malformed_and_the_next_reply_works(
    vendor: Both, garbage: str | bytes
) -> None:
    """Garbage, cut, of a wrong type or too deep: the connection is left, another is opened."""
    async with faulty(vendor, Fault(instead=[garbage])) as (_, provider):
        assert isinstance(await failure(provider), Malformed)
        assert await spoken(provider, "anna", "Hello there.")


async def test_a_sentence_without_sound_is_malformed(vendor: Both) -> None:
    """It ended, and nothing was heard."""
    async with faulty(vendor, Fault(instead=sound(0))) as (_, provider):
        assert isinstance(await failure(provider), Malformed)


async def test_frames_may_cut_samples_in_two(vendor: Both) -> None:
    """What is told are whole samples; half of one at the end is nothing."""
    async with faulty(vendor, Fault(instead=sound(4801))) as (_, provider):
        sounds = await spoken(provider, "anna", "Hello there.")
    assert all(len(one.pcm) % 2 == 0 for one in sounds)
    assert milliseconds(provider, sounds) == pytest.approx(100)


async def test_frames_of_others_and_of_unknown_types_are_left_alone(vendor: Both) -> None:
    """Sound of a context that nobody asked for is nobody's."""
    others: list[str | bytes] = [
        '{"type": "hello", "contextId": null}',
        '{"type": "done", "context_id": "s9", "contextId": "s9", "isFinal": true}',
        '{"type": "chunk", "context_id": "s9", "data": "AAAA", "contextId": "s9", "audio": "AAAA"}',
    ]
    async with faulty(vendor, Fault(instead=others + sound(4800))) as (_, provider):
        sounds = await spoken(provider, "anna", "Hello there.")
    assert milliseconds(provider, sounds) == pytest.approx(100)


async def test_a_vendor_that_says_nothing_is_too_slow(vendor: Both) -> None:
    """Neither first sound nor the next may take for ever; the connection is not used again."""
    async with faulty(vendor, Fault(mute=True), first_ms=50) as (fake, provider):
        assert isinstance(await failure(provider), TooSlow)
        fake.fault = Fault()
        assert await spoken(provider, "anna", "Hi.")
        assert len(fake.sessions) == 2
    async with faulty(vendor, Fault(stalls=True), progress_ms=50) as (_, provider):
        assert isinstance(await failure(provider, "This has more than one frame."), TooSlow)


@pytest.mark.parametrize(
    ("code", "kind"),
    [(1006, Unavailable), (1000, Unavailable), (1011, Unavailable), (1008, Refused)],
)
async def test_a_connection_that_closes_early_ends_what_is_spoken(
    vendor: Both, code: int, kind: type[ProviderError]
) -> None:
    """By what its close code means; the next reply opens another."""
    async with faulty(vendor, Fault(close=(code, "for a reason"))) as (_, provider):
        assert isinstance(await failure(provider, "This has more than one frame."), kind)
        assert await spoken(provider, "anna", "Hi.")


@pytest.mark.parametrize(
    ("status", "kind"), [(401, Refused), (404, Refused), (429, Unavailable), (500, Unavailable)]
)
async def test_a_refused_handshake_is_told_at_the_start(
    vendor: Both, status: int, kind: type[ProviderError]
) -> None:
    """With its status, the vendor's words and when to come back; then it can still be used."""
    fake, make = vendor
    fault = Fault(status=status, body=b'{"message": "no way"}', headers={"Retry-After": "7"})
    async with fake() as voices:
        voices.faults = [fault]
        provider = make(voices.url)
        with pytest.raises(kind, match="no way") as raised:
            await provider.start()
        assert raised.value.status_code == status
        assert raised.value.retry_after_s == 7
        assert await spoken(provider, "anna", "Hi.")
        await provider.close()


async def test_a_handshake_that_hangs_is_too_slow(vendor: Both) -> None:
    """There is a connection in time or none; and where nobody listens, it says so."""
    fake, make = vendor
    async with fake() as voices:
        voices.faults = [Fault(hang=True)]
        provider = make(voices.url, connect_ms=50)
        with pytest.raises(TooSlow):
            await provider.start()
        await provider.close()
        gone = voices.url
    provider = make(gone)
    with pytest.raises(Unavailable):
        await provider.start()
    await provider.close()


async def test_who_stops_before_the_first_sound_leaves_nothing_behind(vendor: Both) -> None:
    """The next reply is whole."""
    async with faulty(vendor, Fault(first_s=60)) as (fake, provider):

        async def listen() -> None:
            async for _ in provider.speak(each("Hello there."), VoiceOptions("anna")):
                raise AssertionError

        speech = asyncio.create_task(listen())
        await fake.sessions[0].until(lambda frame: "context_id" in frame)
        speech.cancel()
        await asyncio.wait({speech})
        fake.sessions[0].fault.first_s = 0
        assert await spoken(provider, "anna", "Hi.")
