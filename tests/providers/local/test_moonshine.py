"""Speech to text by the real recogniser, on human speech."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from antiphon_providers.contract import human_speech
from antiphon_providers.contract.speech_to_text import SpeechToTextContract, feed, heard, segment
from antiphon_providers.errors import Refused, Unavailable
from antiphon_providers.interfaces import HearingOptions
from antiphon_providers.local.moonshine import Moonshine, MoonshineOptions

FINALS = HearingOptions(partials=False)


class TestMoonshine(SpeechToTextContract):
    """It keeps to the contract."""

    def make(self) -> Moonshine:
        """As it comes."""
        return Moonshine()


@pytest.fixture
async def moonshine() -> AsyncIterator[Moonshine]:
    """One that runs."""
    provider = Moonshine()
    await provider.start()
    yield provider
    await provider.close()


async def test_nine_words_in_ten_are_right(moonshine: Moonshine) -> None:
    """Over all clips; cut phrases of a dramatic reading are harder than sentences."""
    errors = words = 0
    for clip in human_speech.clips():
        text = (await heard(moonshine, clip.pcm))[-1].text
        errors += human_speech.word_errors(text, clip.text)
        words += len(human_speech.words_of(clip.text))
    assert words > 110
    assert errors / words < 0.1


async def test_callers_words_never_mix() -> None:
    """Several threads, many calls at once: each gets the words it gets alone."""
    provider = Moonshine(MoonshineOptions(workers=3))
    await provider.start()

    async def words(pcm: bytes) -> str:
        # All at once, so that what is decoded is the same audio whoever else is there.
        async with provider.open(FINALS) as stream:
            stream.feed(pcm)
            stream.flush()
            return (await segment(aiter(stream)))[-1].text

    clips = human_speech.clips()
    alone = [await words(clip.pcm) for clip in clips]
    together = await asyncio.gather(*(words(clip.pcm) for clip in clips))
    assert together == alone
    assert len(set(alone)) == len(clips)
    await provider.close()


async def test_words_come_while_they_are_spoken(moonshine: Moonshine) -> None:
    """A look after each half second: its first word is there long before the flush."""
    async with moonshine.open(HearingOptions()) as stream:
        results = aiter(stream)
        pcm = human_speech.clip("everything").pcm
        shown: list[str] = []
        for at in range(0, len(pcm), 16_000):
            await feed(stream, pcm[at : at + 16_000])
            if at <= 32_000:
                shown.append((await anext(results)).text)
        stream.flush()
        last = await segment(results)
    assert shown[-1].lower().startswith("we")
    assert len(last[-1].text) > len(shown[-1])


async def test_all_words_of_a_long_segment_are_kept(moonshine: Moonshine) -> None:
    """38 s without a flush, three times what is decoded at once."""
    names = [clip.name for clip in human_speech.clips()][:14]
    text = " ".join(human_speech.clip(name).text for name in names)
    pcm = human_speech.reading()[: int(32.5 * human_speech.RATE) * 2]
    results = await heard(moonshine, pcm)
    words = len(human_speech.words_of(text))
    assert human_speech.word_errors(results[-1].text, text) / words < 0.1


async def test_words_known_when_the_voice_paused_are_not_decoded_again(
    moonshine: Moonshine,
) -> None:
    """What was decoded ahead in the pause is the answer to the flush."""
    clip = human_speech.clip("hope")
    async with moonshine.open(HearingOptions()) as stream:
        results = aiter(stream)
        await feed(stream, clip.pcm + human_speech.silence(120), len(clip.pcm) + 10_000)
        ahead = await anext(results)
        decoded = moonshine.decoded
        await feed(stream, human_speech.silence(500))
        stream.flush()
        final = await segment(results)
    assert [result.text for result in final] == [ahead.text]
    assert moonshine.decoded == decoded


async def test_what_a_call_left_behind_is_not_decoded(moonshine: Moonshine) -> None:
    """Work that waits is dropped with its call; at most what runs is finished."""
    async with moonshine.open(FINALS) as stream:
        for _ in range(10):
            stream.feed(human_speech.clip("best").pcm)
            stream.flush()
    before = moonshine.decoded
    assert (await heard(moonshine, human_speech.clip("best").pcm, FINALS))[-1].text
    assert moonshine.decoded - before <= 4


async def test_silence_costs_nothing(moonshine: Moonshine) -> None:
    """Neither silence nor a still room is ever decoded."""
    for pcm in (human_speech.silence(3000), human_speech.background(3000)):
        assert (await heard(moonshine, pcm))[-1].text == ""
    assert moonshine.decoded == 0


@pytest.mark.parametrize("codes", [("en",), ("en-GB",), ("es", "EN"), ()])
async def test_serves_calls_that_may_be_in_english(
    moonshine: Moonshine, codes: tuple[str, ...]
) -> None:
    """English among others is enough; so is not to say."""
    async with moonshine.open(HearingOptions(language_codes=codes)):
        pass


async def test_refuses_other_languages(moonshine: Moonshine) -> None:
    """It would hear English words in them."""
    with pytest.raises(Refused, match="English only, not es, fr"):
        async with moonshine.open(HearingOptions(language_codes=("es", "fr"))):
            pass


async def test_must_be_started() -> None:
    """There is no stream before."""
    with pytest.raises(Unavailable):
        async with Moonshine().open(HearingOptions()):
            pass
