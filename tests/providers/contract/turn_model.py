"""What every turn model must keep to; see ``antiphon_providers.interfaces``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

import human_speech
from antiphon_providers.interfaces import TurnModel


class TurnModelContract:
    """Inherit this in a test class and say how to ``make`` the provider."""

    def make(self) -> TurnModel:
        """A provider, not yet started."""
        raise NotImplementedError

    @pytest.fixture
    async def model(self) -> AsyncIterator[TurnModel]:
        """A provider that runs."""
        provider = self.make()
        await provider.start()
        yield provider
        await provider.close()

    async def test_answers_with_a_probability_whatever_it_hears(self, model: TurnModel) -> None:
        """Speech, silence, nothing, half a sample and too much audio all get one."""
        speech = human_speech.clip("best").pcm
        for pcm in (speech, human_speech.silence(300), b"", b"\0", speech * 6, speech[:-1]):
            assert 0 <= await model.judge(pcm) <= 1

    async def test_answers_many_at_once(self, model: TurnModel) -> None:
        """Questions asked together are all answered."""
        clips = human_speech.clips()[:4]
        answers = await asyncio.gather(*(model.judge(clip.pcm) for clip in clips))
        assert all(0 <= answer <= 1 for answer in answers)

    async def test_forgets_a_question_that_is_cancelled(self, model: TurnModel) -> None:
        """Whoever asked is released at once, and others are answered."""
        pcm = human_speech.clip("best").pcm
        given_up = asyncio.create_task(model.judge(pcm))
        kept = asyncio.create_task(model.judge(pcm))
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.wait({given_up})
        assert given_up.cancelled() or given_up.done()
        assert 0 <= await kept <= 1
