"""All the numbers the conversation depends on."""

from __future__ import annotations

from itertools import pairwise

import pytest

from antiphon_server.conversation.manners import ADAPTIVE, Manners, Mode, Patience, fixed


@pytest.mark.parametrize("patience", [*ADAPTIVE.values(), fixed(1000, 3000)])
def test_doubt_never_makes_the_agent_less_patient(patience: Patience) -> None:
    """Surer is quicker, by sound and by words; nothing waits longer than ``open``."""
    assert 0 < patience.done <= patience.hanging <= patience.open
    assert patience.done <= patience.doubtful <= patience.open


def test_the_modes_differ_in_patience() -> None:
    """From least latency to most accuracy no silence becomes shorter."""
    modes: tuple[Mode, ...] = ("min_latency", "balanced", "max_accuracy")
    for hasty, patient in pairwise(modes):
        for name in Patience.__struct_fields__:
            assert getattr(ADAPTIVE[hasty], name) <= getattr(ADAPTIVE[patient], name)
        assert ADAPTIVE[hasty] != ADAPTIVE[patient]


def test_milestones_are_in_time_order_and_each_is_there_once() -> None:
    """They are where a timer has to run out."""
    assert Patience(done=2, hanging=9, doubtful=5, open=9).milestones() == (2, 5, 9)


def test_fixed_windows_do_not_look_at_the_words() -> None:
    """What sounds finished ends at the first, all else at the second (section 3.2)."""
    assert fixed(300, 900) == Patience(done=300, hanging=300, doubtful=900, open=900)
    assert fixed(300, 300).milestones() == (300,)


def test_the_default_manners_are_balanced() -> None:
    """As those of a session that sets none (section 3.2)."""
    assert Manners().patience == ADAPTIVE["balanced"]


def test_every_time_is_positive_and_every_chain_of_tools_ends() -> None:
    """A timer of zero would expire in the same step; one may insist on nothing at all."""
    manners = Manners()
    times = {name for name in Manners.__struct_fields__ if name.endswith("_ms")}
    assert len(times) >= 9
    assert all(getattr(manners, name) > 0 for name in times)
    assert manners.tool_steps > 0
    assert 0 < manners.done_above < 1


def test_an_utterance_fits_into_a_session_and_a_pause_into_an_utterance() -> None:
    """Else the shorter time would never be reached."""
    manners = Manners()
    for patience in ADAPTIVE.values():
        assert manners.pause_ms <= patience.open < manners.utterance_ms
    assert manners.first_sound_ms < manners.reply_ms < manners.session_ms
    assert manners.utterance_ms < manners.session_ms
