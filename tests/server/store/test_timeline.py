"""From records to turns."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from antiphon_protocol.rest_sessions import SessionTimeline, TimelineTurn
from antiphon_server.call import records as r
from antiphon_server.store.timeline import timeline

AT = 1_790_000_000.5


class Script:
    """Records of a session, numbered as they are added."""

    def __init__(self) -> None:
        self.records: list[r.AnyRecord] = []
        self.add(r.Started, account="a", key_id=None, agent_id=None, config={})

    def add(self, kind: Any, at: float = AT, **fields: Any) -> None:
        """One more."""
        self.records.append(kind(seq=len(self.records), at=at, **fields))

    def user(self, text: str, ended_ms: int | None, *, at_ms: int = 0) -> None:
        """A turn of the user, half a second long; typed where it has no end."""
        began = None if ended_ms is None else ended_ms - 500
        self.add(
            r.UserSaid, AT + at_ms / 1000, item_id=f"item_u{len(self.records)}", text=text,
            started_ms=began, ended_ms=ended_ms, spoken=ended_ms is not None,
        )  # fmt: skip

    def agent(self, number: int, trigger: str, started_ms: int, **fields: Any) -> None:
        """A reply that sounded after 200 ms for two seconds, unless it is said otherwise."""
        said = {
            "status": "completed",
            "text": f"Reply {number}.",
            "method": "timed",
            "sounded_ms": started_ms + 200,
            "ended_ms": started_ms + 2_200,
            "time_to_first_audio_ms": 612.5,
        }
        self.add(
            r.AgentSaid, reply_id=f"resp_{number}", item_id=f"item_{number}", trigger=trigger,
            started_ms=started_ms, **{**said, **fields},
        )  # fmt: skip

    def timeline(self) -> SessionTimeline:
        """What comes of them."""
        return timeline("sess_1", self.records)

    def turns(self) -> list[tuple[str, str | None, str | None]]:
        """Trigger, user and agent of each turn."""
        return [
            (turn.trigger, turn.user_transcript, turn.agent_text) for turn in self.timeline().turns
        ]


def test_a_session_in_which_nothing_happened_has_its_two_ends() -> None:
    """Started and ended, and nothing that is empty."""
    script = Script()
    script.add(
        r.Ended, reason="client_ended", public_reason="client_end", duration_seconds=3.25,
        audio_seconds=3.0,
    )  # fmt: skip
    assert msgspec.to_builtins(script.timeline()) == {
        "session_id": "sess_1",
        "started_at_unix_ms": 1_790_000_000_500,
        "ended": {
            "reason": "user_initiated",
            "public_reason": "client_end",
            "duration_seconds": 3.25,
        },
    }


def test_a_turn_is_the_user_and_the_reply() -> None:
    """Every field of section 6.3, in milliseconds from ready."""
    script = Script()
    script.user("What is the time?", 4_000)
    script.agent(1, "user_speech", 4_400)
    (turn,) = script.timeline().turns
    assert msgspec.to_builtins(turn) == {
        "turn_id": "resp_1",
        "item_id": "item_1",
        "status": "completed",
        "trigger": "user_speech",
        "requested_instructions": None,
        "user_transcript": "What is the time?",
        "user_speech_started_at_ms": 3_500,
        "user_speech_ended_at_ms": 4_000,
        "user_confidence": None,
        "agent_text": "Reply 1.",
        "agent_reply_started_at_ms": 4_600,
        "agent_reply_ended_at_ms": 6_600,
        "interrupted_at_ms": None,
        "time_to_first_audio_ms": 612.5,
    }


def test_greeting_and_requested_replies_answer_no_speech_of_before() -> None:
    """A greeting has no user; `reply.create` has its instructions; a reply to a tool's result is
    labelled as one and has its times, unlike the hosted timeline.
    """
    script = Script()
    script.agent(1, "greeting", 0)
    script.user("Hi", 3_000)
    script.agent(2, "user_speech", 3_300)
    script.agent(3, "tool_result", 7_000)
    script.agent(4, "reply_create", 10_000, instructions="Say goodbye.")
    assert script.turns() == [
        ("greeting", None, "Reply 1."),
        ("user_speech", "Hi", "Reply 2."),
        ("tool_result", None, "Reply 3."),
        ("reply_create", None, "Reply 4."),
    ]
    turns = script.timeline().turns
    assert turns[2].agent_reply_started_at_ms == 7_200
    assert [turn.requested_instructions for turn in turns] == [None, None, None, "Say goodbye."]


def test_an_interrupted_reply_says_when_and_what_was_heard() -> None:
    """One of which nothing was heard has neither text nor times."""
    script = Script()
    script.agent(1, "greeting", 0, status="interrupted", text="Hello", ended_ms=900)
    script.agent(2, "reply_create", 2_000, status="interrupted", text="", sounded_ms=None)
    heard, unheard = script.timeline().turns
    assert (heard.status, heard.interrupted_at_ms, heard.agent_text) == (
        "interrupted",
        900,
        "Hello",
    )
    assert (unheard.agent_text, unheard.agent_reply_started_at_ms) == (None, None)
    assert unheard.interrupted_at_ms == 4_200


def test_what_is_said_during_a_reply_belongs_to_the_next() -> None:
    """Replies are recorded when they end: what the user says meanwhile comes before them."""
    script = Script()
    script.user("First", 1_000)
    script.user("Second", 4_000)
    script.agent(1, "user_speech", 1_400)
    script.agent(2, "user_speech", 4_400)
    assert script.turns() == [
        ("user_speech", "First", "Reply 1."),
        ("user_speech", "Second", "Reply 2."),
    ]


def test_what_no_reply_answers_has_a_turn_of_its_own() -> None:
    """In its place in time, so that no line is missing."""
    script = Script()
    script.user("Nobody answers this", 1_000)
    script.user("But this", 5_000)
    script.agent(1, "user_speech", 5_400)
    script.user("And then the line went dead", 9_000)
    assert script.turns() == [
        ("user_speech", "Nobody answers this", None),
        ("user_speech", "But this", "Reply 1."),
        ("user_speech", "And then the line went dead", None),
    ]
    alone = script.timeline().turns[0]
    assert alone.turn_id == alone.item_id == "item_u1"
    assert (alone.status, alone.user_speech_ended_at_ms) == ("completed", 1_000)


def test_a_typed_message_goes_with_the_reply_that_was_asked_for_after_it() -> None:
    """It has no times of speech; a reply to speech does not take it."""
    script = Script()
    script.user("Typed", None, at_ms=500)
    script.agent(1, "reply_create", 1_000)
    script.user("Typed too", None, at_ms=4_000)
    script.user("Spoken", 4_500)
    script.agent(2, "user_speech", 5_000)
    assert script.turns() == [
        ("reply_create", "Typed", "Reply 1."),
        ("user_speech", "Typed too", None),
        ("user_speech", "Spoken", "Reply 2."),
    ]
    assert script.timeline().turns[0].user_speech_started_at_ms is None


def test_a_text_reply_begins_with_its_text() -> None:
    """There is no sound that could begin."""
    script = Script()
    script.agent(1, "greeting", 100, method="written", sounded_ms=None)
    (turn,) = script.timeline().turns
    assert (turn.agent_reply_started_at_ms, turn.agent_reply_ended_at_ms) == (100, 2_300)


def _call(script: Script, reply: int, call: str, at_ms: int) -> None:
    script.add(
        r.ToolCalled, reply_id=f"resp_{reply}", call_id=call, name="look", arguments={"a": [1]},
        at_ms=at_ms,
    )  # fmt: skip


def _result(script: Script, call: str, at_ms: int, **fields: Any) -> None:
    outcome = {"is_error": False, "timed_out": False, **fields}
    script.add(r.ToolReturned, call_id=call, result=f"result of {call}", at_ms=at_ms, **outcome)


def test_tool_calls_stand_in_the_turn_that_made_them() -> None:
    """With results and how long they took; those side by side share an id; late ones count."""
    script = Script()
    _call(script, 1, "c1", 1_000)
    _call(script, 1, "c2", 1_010)
    _result(script, "c2", 1_100, is_error=True)
    script.agent(1, "reply_create", 800, text="", sounded_ms=None)
    script.agent(2, "tool_result", 3_000)
    _call(script, 3, "c3", 6_000)
    script.agent(3, "reply_create", 5_900)
    _result(script, "c1", 9_000, timed_out=True)
    _result(script, "c1", 9_500)
    first, second, third = script.timeline().turns
    assert [msgspec.to_builtins(call) for call in first.tool_calls] == [
        {
            "call_id": "c1",
            "name": "look",
            "arguments": {"a": [1]},
            "result": "result of c1",
            "dispatched_at_ms": 1_000,
            "result_received_at_ms": 9_000,
            "duration_ms": 8_000,
            "is_error": False,
            "timed_out": True,
            "parallel_call_id": "resp_1",
        },
        {
            "call_id": "c2",
            "name": "look",
            "arguments": {"a": [1]},
            "result": "result of c2",
            "dispatched_at_ms": 1_010,
            "result_received_at_ms": 1_100,
            "duration_ms": 90,
            "is_error": True,
            "timed_out": False,
            "parallel_call_id": "resp_1",
        },
    ]
    assert second.tool_calls == ()
    assert [(call.call_id, call.result, call.parallel_call_id) for call in third.tool_calls] == [
        ("c3", None, None)
    ]


def test_a_reply_that_a_crash_cut_off_is_known_by_its_calls() -> None:
    """It answers what was said before it; it was interrupted."""
    script = Script()
    script.user("Look it up", 1_000)
    _call(script, 7, "c1", 1_500)
    script.add(
        r.Ended, reason="lost", public_reason="error", duration_seconds=2.0, audio_seconds=None
    )
    (turn,) = script.timeline().turns
    assert (turn.turn_id, turn.item_id, turn.status) == ("resp_7", None, "interrupted")
    assert (turn.user_transcript, turn.agent_text) == ("Look it up", None)
    assert [call.call_id for call in turn.tool_calls] == ["c1"]


def test_later_updates_are_config_changes() -> None:
    """With the configuration from then on."""
    script = Script()
    script.add(r.Reconfigured, at_ms=1_200, config={"system_prompt": "Be brief."})
    (change,) = script.timeline().config_changes
    assert msgspec.to_builtins(change) == {
        "at_ms": 1_200,
        "config": {"system_prompt": "Be brief."},
    }


def test_every_ending_has_words() -> None:
    """Two are the hosted service's; one that is new is told as it is."""
    told = {}
    for reason in ("client_ended", "client_left", "expired", "failed", "lost", "moved"):
        script = Script()
        script.add(
            r.Ended, reason=reason, public_reason="x", duration_seconds=1.0, audio_seconds=1.0
        )
        ended = script.timeline().ended
        assert ended is not None
        told[reason] = ended.reason
    assert told == {
        "client_ended": "user_initiated",
        "client_left": "participant_disconnected",
        "expired": "max_duration_reached",
        "failed": "internal_error",
        "lost": "server_lost",
        "moved": "moved",
    }


_TRIGGERS = ("greeting", "user_speech", "tool_result", "reply_create")


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("user"), st.integers(500, 90_000) | st.none()),
            st.tuples(st.sampled_from(_TRIGGERS), st.integers(0, 90_000)),
            st.tuples(st.just("call"), st.integers(0, 5)),
            st.tuples(st.just("result"), st.integers(0, 30)),
        ),
        max_size=30,
    )
)
def test_no_line_is_lost_or_told_twice(steps: list[tuple[str, int | None]]) -> None:
    """Whatever records there are: each line of the user, each reply and each call is in the
    timeline once, turns are in the order of time, and no reply answers what came after it.
    """
    script, calls = Script(), 0
    replies = itertools.count(6)
    said, spoken = [], []
    for number, (what, at) in enumerate(steps):
        if what == "user":
            said.append(f"line {number}")
            script.user(said[-1], at)
        elif what == "call":
            _call(script, at or 0, f"call_{number}", number)
            calls += 1
        elif what == "result":
            _result(script, f"call_{at}", number)
        else:
            reply = next(replies)
            spoken.append(f"Reply {reply}.")
            script.agent(reply, what, at or 0)
    turns = script.timeline().turns
    assert sorted(turn.user_transcript for turn in turns if turn.user_transcript) == sorted(said)
    assert sorted(turn.agent_text for turn in turns if turn.agent_text) == sorted(spoken)
    assert sum(len(turn.tool_calls) for turn in turns) == calls
    assert len({turn.turn_id for turn in turns}) == len(turns)
    for turn in turns:
        _answers_what_came_before(turn)


def _answers_what_came_before(turn: TimelineTurn) -> None:
    ended, began = turn.user_speech_ended_at_ms, turn.agent_reply_started_at_ms
    assert ended is None or began is None or ended <= began
