"""All that is known of a session, turn by turn."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest
from msgspec.structs import replace

from antiphon_protocol.rest_console import ERROR_SOURCES, ConsoleError
from antiphon_server.call import records as r
from antiphon_server.store.call_page import event, page
from server.store.talk import NOON, answered, ended, said, started


def _reply(seq: int, **fields: Any) -> r.AgentSaid:
    usual: dict[str, Any] = {"started_ms": 3_000, "sounded_ms": 3_200, "ended_ms": 9_000}
    return replace(answered(seq), **{**usual, **fields})


def _troubled(seq: int, **fields: Any) -> r.Troubled:
    usual: dict[str, Any] = {
        "at_ms": 100 * seq,
        "source": "provider",
        "code": "provider_timed_out",
        "message": "openai failed",
        "stage": "language_model",
        "provider": "openai",
    }
    return r.Troubled(**{"seq": seq, "at": NOON + seq, **usual, **fields})


def test_a_turn_has_what_was_said_how_long_it_took_and_who_served_it() -> None:
    """What was heard and what was cut, words with their times, stages, models, reasons."""
    user = replace(said(1, "Where is it?"), started_ms=900, ended_ms=2_500)
    reply = _reply(
        2,
        status="interrupted",
        text="It is",
        unheard="in Kiel.",
        time_to_first_audio_ms=700.0,
        words=(("It", 3_200, 3_400), ("is", 3_400, 3_600), ("in", 3_600, 3_700)),
        stages={"response": 700.0},
        providers={"language_model": "openai"},
        models={"language_model": "large"},
        reasons={"language_model": "cheapest"},
    )
    (turn,) = page([started(), user, reply]).turns
    assert msgspec.json.decode(msgspec.json.encode(turn)) == {
        "turn_id": "reply_2",
        "trigger": "user_speech",
        "status": "interrupted",
        "at_ms": 900,
        "instructions": None,
        "user": {"text": "Where is it?", "started_ms": 900, "ended_ms": 2_500},
        "agent": {
            "heard": "It is",
            "unheard": "in Kiel.",
            "started_ms": 3_200,
            "ended_ms": 9_000,
            "interrupted_at_ms": 9_000,
            "method": "timed",
            "words": [["It", 3_200, 3_400], ["is", 3_400, 3_600], ["in", 3_600, 3_700]],
        },
        "response_ms": 700.0,
        "stages": {"response": 700.0},
        "providers": {"language_model": "openai"},
        "models": {"language_model": "large"},
        "reasons": {"language_model": "cheapest"},
        "tool_calls": [],
        "errors": [],
    }


def test_a_reply_of_an_older_version_has_a_turn_with_less() -> None:
    """No stages and nobody who served them; what there is is there."""
    (turn,) = page([started(), _reply(1, trigger="greeting")]).turns
    assert (turn.stages, turn.providers, turn.models, turn.reasons) == ({}, {}, {}, {})
    assert turn.agent is not None
    assert (turn.agent.heard, turn.agent.unheard, turn.agent.words) == ("Hi.", "", ())
    assert (turn.user, turn.at_ms) == (None, 3_000)


def test_what_was_said_to_no_reply_has_a_turn_of_its_own() -> None:
    """It begins with its voice, or when the message came."""
    spoken = replace(said(1), started_ms=500, ended_ms=800)
    turns = page([started(), spoken, said(2)]).turns
    assert [(turn.agent, turn.at_ms) for turn in turns] == [(None, 500), (None, 2_000)]


def test_errors_stand_where_they_happened() -> None:
    """With their reply; those of no reply, or of one that a crash swallowed, with the session."""
    told = page(
        [
            started(),
            _troubled(1, source="client", stage=None, provider=None),
            _reply(2),
            _troubled(3, reply_id="reply_2"),
            _troubled(4, reply_id="reply_gone"),
        ]
    )
    assert [error.at_ms for error in told.turns[0].errors] == [300]
    assert [error.at_ms for error in told.errors] == [100, 400]
    assert told.turns[0].errors[0] == ConsoleError(
        at_ms=300,
        source="provider",
        code="provider_timed_out",
        message="openai failed",
        stage="language_model",
        provider="openai",
    )


@pytest.mark.parametrize("reason", ["failed", "lost", "expired"])
def test_an_end_by_a_fault_of_the_server_is_told_in_words(reason: str) -> None:
    """Any other end is none."""
    errors = page([started(), ended(5, reason=reason)]).errors
    told = [(error.source, error.code, error.at_ms) for error in errors]
    assert told == ([] if reason == "expired" else [("server", reason, 5_000)])
    assert all(error.message.endswith(".") for error in errors)
    assert {"server", *get_args(r.Trouble)} == set(ERROR_SOURCES)


def test_a_call_of_a_tool_whose_reply_a_crash_swallowed_is_there() -> None:
    """With when it was made, and no reply."""
    call = r.ToolCalled(
        seq=1,
        at=NOON + 1,
        reply_id="resp_9",
        call_id="c",
        name="f",
        arguments={"a": 1},
        at_ms=1_000,
    )
    (turn,) = page([started(), call]).turns
    assert (turn.turn_id, turn.agent, turn.at_ms) == ("resp_9", None, 1_000)
    assert [each.name for each in turn.tool_calls] == ["f"]


def test_later_updates_are_there() -> None:
    """In order."""
    change = r.Reconfigured(seq=1, at=NOON + 1, at_ms=1_000, config={"system_prompt": "Other."})
    (told,) = page([started(), change]).config_changes
    assert (told.at_ms, told.config) == (1_000, {"system_prompt": "Other."})


def test_nothing_is_a_page_without_turns() -> None:
    """A session of which nothing is on record yet."""
    assert page([]).turns == ()


@pytest.mark.parametrize(
    "record", [started(webhook=b"sealed"), said(1), answered(2), _troubled(3), ended(4)]
)
def test_an_event_is_its_record_without_its_secrets(record: r.AnyRecord) -> None:
    """Number, time and kind first; a time of its own stays."""
    told = event(record, NOON)
    assert list(told)[:3] == ["seq", "at_ms", "kind"]
    own = getattr(record, "at_ms", None)
    assert told["at_ms"] == (1_000 * record.seq if own is None else own)
    assert "webhook" not in told
    assert "sealed" not in str(told)
    fields = set(record.__struct_fields__) - {"at", "webhook"}
    assert set(told) == fields | {"kind", "at_ms"}
