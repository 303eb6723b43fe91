"""What every turn model must keep to; see ``antiphon_providers.interfaces``."""

# ruff: noqa: S101 -- to assert is what a contract does.

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from antiphon_providers.contract import human_speech
from antiphon_providers.contract.promise import LONGEST_BLOCK_MS, PATIENCE_S, cancel, promised
from antiphon_providers.interfaces import TurnModel


class TurnModelContract:
    """Inherit this in a test class and say how to ``make`` the provider."""

    patience_s = PATIENCE_S
    longest_block_ms = LONGEST_BLOCK_MS

    def make(self) -> TurnModel:
        """A provider, not yet started."""
        raise NotImplementedError

    @pytest_asyncio.fixture(loop_scope="function")
    async def model(self) -> AsyncIterator[TurnModel]:
        """A provider that runs, and speech at hand to be heard."""
        human_speech.reading()
        provider = self.make()
        await provider.start()
        yield provider
        await provider.close()

    @promised
    async def test_answers_with_a_probability_whatever_it_hears(self, model: TurnModel) -> None:
        """Speech, silence, nothing, half a sample and too much audio all get one."""
        speech = human_speech.clip("best").pcm
        for pcm in (speech, human_speech.silence(300), b"", b"\0", speech * 6, speech[:-1]):
            assert 0 <= await model.judge(pcm) <= 1

    @promised
    async def test_answers_many_at_once(self, model: TurnModel) -> None:
        """Questions asked together are all answered."""
        clips = human_speech.clips()[:4]
        answers = await asyncio.gather(*(model.judge(clip.pcm) for clip in clips))
        assert all(0 <= answer <= 1 for answer in answers)

    @promised
    async def test_forgets_a_question_that_is_cancelled(self, model: TurnModel) -> None:
        """Whoever asked is released at once, and others are answered."""
        pcm = human_speech.clip("best").pcm
        given_up = asyncio.create_task(model.judge(pcm))
        kept = asyncio.create_task(model.judge(pcm))
        await asyncio.sleep(0)
        await cancel(given_up)
        assert 0 <= await kept <= 1
