"""Turn detection by the real network, on human speech."""

import asyncio

import pytest

from antiphon_providers.contract import human_speech
from antiphon_providers.contract.turn_model import TurnModelContract
from antiphon_providers.errors import Unavailable
from antiphon_providers.local.smart_turn import SmartTurn, SmartTurnOptions, prepared

PAUSE = human_speech.background(200)


class TestSmartTurn(TurnModelContract):
    """It keeps to the contract."""

    def make(self) -> SmartTurn:
        """As it comes."""
        return SmartTurn()


class TestSmartTurnWithTwoWorkers(TurnModelContract):
    """It keeps to the contract with two threads."""

    def make(self) -> SmartTurn:
        """Two questions at a time."""
        return SmartTurn(SmartTurnOptions(workers=2))


async def test_finished_phrases_are_likelier_over_than_unfinished_ones() -> None:
    """Most whole clips are accepted, and far fewer of those cut where a phrase cannot end."""
    model = SmartTurn()
    await model.start()
    whole, cut = [], []
    for clip in human_speech.clips():
        samples = len(clip.pcm) // 2
        whole.append(await model.judge(clip.pcm + PAUSE))
        cut.append(await model.judge(clip.pcm[: int(samples * 0.4) * 2] + PAUSE))
    await model.close()
    assert sum(answer > 0.5 for answer in whole) >= 0.8 * len(whole)
    assert sum(whole) / len(whole) > sum(cut) / len(cut) + 0.3


async def test_a_question_cancelled_while_it_waits_is_never_run() -> None:
    """Its turn in the worker goes to the next."""
    model = SmartTurn()
    await model.start()
    pcm = human_speech.clip("best").pcm
    questions = [asyncio.create_task(model.judge(pcm)) for _ in range(4)]
    await asyncio.sleep(0)
    for question in questions[1:3]:
        question.cancel()
    answers = await asyncio.gather(*questions, return_exceptions=True)
    assert [isinstance(answer, float) for answer in answers] == [True, False, False, True]
    assert model.answered == 2
    await model.close()


async def test_must_be_running() -> None:
    """Before the start and after the end nothing is answered; what waits is told so."""
    model = SmartTurn()
    with pytest.raises(Unavailable):
        await model.judge(b"")
    await model.start()
    questions = [asyncio.create_task(model.judge(PAUSE)) for _ in range(3)]
    await asyncio.sleep(0)
    await model.close()
    answers = await asyncio.gather(*questions, return_exceptions=True)
    assert isinstance(answers[-1], Unavailable)
    with pytest.raises(Unavailable):
        await model.judge(b"")


def test_the_last_eight_seconds_count_and_stand_at_the_end() -> None:
    """Short audio is preceded by zeros; what is older than 8 s makes no difference."""
    clip = human_speech.clip("superlative").pcm
    assert prepared(clip).shape == (128_000,)
    long = human_speech.clip("best").pcm + clip + clip
    assert (prepared(long) == prepared(long[-256_000:])).all()
    assert abs(float(prepared(clip).mean())) < 1e-4
