"""The network's results do not depend on who else is judged."""

import numpy as np
import pytest

from antiphon_providers.contract import human_speech
from antiphon_providers.local import models
from antiphon_providers.local.silero_model import WINDOW, Memory, Samples, SileroModel


@pytest.fixture(scope="module")
def model() -> SileroModel:
    """The real network."""
    return SileroModel(models.read(models.SILERO_VAD, provider="test"))


def windows(name: str) -> list[Samples]:
    """A clip, window by window."""
    samples: Samples = np.frombuffer(human_speech.clip(name).pcm, np.int16).astype(np.float32)
    samples *= np.float32(1 / 32768)
    return [samples[at : at + WINDOW] for at in range(0, samples.size - WINDOW, WINDOW)]


def test_batched_and_single_runs_give_the_same_bits(model: SileroModel) -> None:
    """Probabilities and memories are identical."""
    clips = [windows(name)[:40] for name in ("best", "hope", "light", "despair")]
    single = [Memory() for _ in clips]
    alone = [
        [model.judge([(memory, window)])[0] for window in clip]
        for memory, clip in zip(single, clips, strict=True)
    ]
    batched = [Memory() for _ in clips]
    together = [
        model.judge(list(zip(batched, row, strict=True))) for row in zip(*clips, strict=True)
    ]
    assert [list(column) for column in zip(*together, strict=True)] == alone
    for one, other in zip(single, batched, strict=True):
        assert np.array_equal(one.state, other.state)


def test_a_window_passed_over_is_still_what_the_next_one_follows(model: SileroModel) -> None:
    """Only the context moves on; the state is that of the last window judged."""
    memory, (first, second, *_) = Memory(), windows("best")
    model.judge([(memory, first)])
    state = memory.state.copy()
    memory.passed_over(second)
    assert np.array_equal(memory.state, state)
    assert np.array_equal(memory.context, second[-64:])
