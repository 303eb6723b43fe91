"""What must not be told is noticed, or nothing that is proven with a story holds."""

from __future__ import annotations

import pytest

from endurance.story import Event, Story

STARTED: Event = {"type": "reply.started", "reply_id": "r1", "seq": 1}
SAID: Event = {"type": "transcript.agent", "reply_id": "r1", "text": "Hello.", "seq": 2}
DONE: Event = {"type": "reply.done", "reply_id": "r1", "seq": 3}
HEARD: Event = {"type": "transcript.user", "item_id": "i1", "text": "Hi.", "seq": 4}
TIMELINE = {"turns": [{"turn_id": "r1", "agent_text": "Hello."}, {"user_transcript": "Hi."}]}


async def _story(*events: Event, told_last_seq: bool = True) -> Story:
    story = Story(told_last_seq=told_last_seq)
    for event in events:
        await story.add(event)
    return story


async def test_a_story_that_can_be_has_no_fault() -> None:
    """And the timeline says the same."""
    story = await _story(STARTED, SAID, DONE, HEARD)
    assert story.faults == story.against(TIMELINE) == []
    assert (story.last_seq, story.reply) == (4, None)


@pytest.mark.parametrize(
    "events",
    [
        (STARTED, DONE),
        (STARTED, SAID, SAID, DONE),
        (STARTED, {**STARTED, "reply_id": "r2", "seq": 2}),
        (STARTED, SAID, DONE, {**DONE, "seq": 4}),
        ({**SAID, "seq": 1},),
        ({"type": "reply.audio", "reply_id": "r1"},),
    ],
    ids=["gap", "twice", "two replies", "two ends", "line of no reply", "sound of no reply"],
)
async def test_what_cannot_be_is_a_fault(events: tuple[Event, ...]) -> None:
    """Each alone."""
    assert len((await _story(*events)).faults) == 1


async def test_an_event_may_come_twice_to_a_client_that_does_not_say_what_it_has() -> None:
    """It is the same one, and counts once."""
    story = await _story(STARTED, STARTED, SAID, SAID, DONE, told_last_seq=False)
    assert story.faults == []
    assert len(story.agent_lines) == 1


@pytest.mark.parametrize(
    ("turns", "wrong"),
    [
        ([{"turn_id": "r1", "agent_text": "Hello."}], "'Hi.' of the user is not in the timeline"),
        ([*TIMELINE["turns"], {"user_transcript": "Oh."}], "'Oh.' of the user is in the timeline"),
        ([*TIMELINE["turns"], {"user_transcript": "Hi."}], "'Hi.' of the user is in the timeline"),
    ],
    ids=["missing", "too much", "twice"],
)
async def test_a_timeline_that_says_otherwise_is_noticed(
    turns: list[dict[str, str]], wrong: str
) -> None:
    """What is missing in it, and what is in it alone."""
    story = await _story(STARTED, SAID, DONE, HEARD)
    (found,) = story.against({"turns": turns})
    assert found.startswith(wrong)
