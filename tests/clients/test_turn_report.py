"""A turn's times, shown and as data."""

import io
import json

from antiphon.caller import Speech, Turn
from antiphon.clips import Clip
from antiphon.ear import HeardReply
from antiphon.events import TurnTimeline
from antiphon.terminal import Terminal
from antiphon.turn_report import label_of, show_turn, turn_as_json


def _turn(*audible_at: float | None) -> Turn:
    speech = Speech(Clip("clip", b"", 0, 1000, "said"), b"")
    replies = []
    for number, at in enumerate(audible_at):
        reply = HeardReply(str(number), 0.0)
        reply.audible_at, reply.text = at, f"reply {number}"
        reply.timeline = TurnTimeline(
            reply_id=str(number),
            trigger="user_speech",
            stages={"endpointing": 250.0, "response": 400.0},
            providers={"speech_to_text": "scripted"},
        )
        replies.append(reply)
    return Turn(speech, "heard", replies)


def _shown(turn: Turn) -> str:
    out = io.StringIO()
    show_turn(Terminal(out), turn)
    return out.getvalue()


def test_the_heard_response_stands_above_the_servers_stages() -> None:
    """All to one scale: the longest bar is the longest time."""
    first, *rest = _shown(_turn(1.5)).strip("\n").splitlines()
    assert first.startswith("  response, as heard      500 ms  ████")
    assert [line.split("  ")[1] for line in rest] == ["endpointing", "response, as sent"]
    assert all(line.count("█") < first.count("█") for line in rest)


def test_what_went_wrong_is_said() -> None:
    """No answer; an agent that did not wait."""
    assert "no answer after the end of the speech" in _shown(_turn(None))
    assert "before the caller had finished" in _shown(_turn(0.5, 1.25))


def test_a_turn_is_plain_data() -> None:
    """What json can write, with None for what there was not."""
    said = json.loads(json.dumps(turn_as_json(_turn(0.5, 1.25))))
    assert said == {
        "clip": "clip",
        "text": "said",
        "transcript": "heard",
        "reply": "reply 0 reply 1",
        "response_ms": 250.0,
        "answered": True,
        "cut_in": True,
        "interrupted": False,
        "stages": {"endpointing": 250.0, "response": 400.0},
        "providers": {"speech_to_text": "scripted"},
    }
    assert turn_as_json(_turn(None))["response_ms"] is None
    assert turn_as_json(_turn(None))["stages"] is None


def test_stages_are_named_as_people_read_them() -> None:
    """The server's response is not confused with the heard one."""
    assert label_of("language_model_first_token") == "language model first token"
    assert label_of("response") == "response, as sent"
