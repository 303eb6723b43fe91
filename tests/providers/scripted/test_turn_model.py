"""Turn detection that answers what it is told to, when it is told to."""

import asyncio

import pytest

from antiphon_providers import registry
from antiphon_providers.errors import Refused, TooSlow, Unavailable
from antiphon_providers.interfaces import TurnModel
from antiphon_providers.scripted import Fault, ScriptedTurnModel
from antiphon_providers.scripted.turn_model import TurnModelScript
from virtual_time import in_virtual_time


@in_virtual_time
async def test_its_answers_come_in_turn_each_after_the_delay() -> None:
    """The last is repeated."""
    model: TurnModel = ScriptedTurnModel(TurnModelScript(probabilities="0.1, 0.8", delay_ms=50))
    assert [await model.judge(b"") for _ in range(3)] == [0.1, 0.8, 0.8]
    assert asyncio.get_running_loop().time() == pytest.approx(0.15)


async def test_a_callable_may_answer() -> None:
    """From the audio it is asked about."""
    model = ScriptedTurnModel(judge=lambda pcm: len(pcm) / 10)
    assert await model.judge(b"12345") == 0.5


@in_virtual_time
async def test_it_fails_as_told_and_counts_its_questions() -> None:
    """Each question is a stream of one result."""
    model = ScriptedTurnModel(TurnModelScript(fault="too_slow times 1", delay_ms=10))
    with pytest.raises(TooSlow):
        await model.judge(b"")
    assert asyncio.get_running_loop().time() == pytest.approx(0.01)
    assert await model.judge(b"") == 0.99
    model.desk.fault = Fault.parse("empty")
    assert await model.judge(b"") == 0.0
    assert (model.desk.opened, model.desk.closed) == (3, 3)


@in_virtual_time
async def test_a_question_can_be_cancelled_or_closed_upon() -> None:
    """A stalled answer ends with the question; closing ends what waits."""
    model = ScriptedTurnModel(TurnModelScript(fault="stall"))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await model.judge(b"")
    assert model.desk.active == 0
    question = asyncio.create_task(model.judge(b""))
    await asyncio.sleep(1)
    await model.close()
    with pytest.raises(Unavailable, match="closed"):
        await question


def test_options_come_from_text() -> None:
    """And those that cannot be are refused."""
    model = registry.create("turn_model", "scripted", {"probabilities": "0.2", "delay_ms": "5"})
    assert model.options.answers() == (0.2,)
    for wrong in ({"probabilities": "likely"}, {"probabilities": "0.2,1.5"}, {"delay_ms": "-1"}):
        with pytest.raises(Refused):
            registry.create("turn_model", "scripted", wrong)
