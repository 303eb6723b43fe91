"""The records of a session: what they say, as they are kept and read."""

from __future__ import annotations

import msgspec
import pytest

from antiphon_server.call import records as r
from antiphon_server.call.records import AnyRecord, Record

EXAMPLES: tuple[AnyRecord, ...] = (
    r.Started(seq=0, at=1.5, account="a", key_id=None, agent_id="agent_1", config={"id": "x"}),
    r.Reconfigured(seq=1, at=2.5, at_ms=1000, config={}),
    r.UserSaid(seq=2, at=3.5, item_id="msg_1", text="“hello”", started_ms=10, ended_ms=20),
    r.AgentSaid(
        seq=3,
        at=4.5,
        reply_id="resp_1",
        item_id="msg_2",
        trigger="user_speech",
        status="interrupted",
        text="",
        method="timed",
        started_ms=30,
        ended_ms=40,
        unheard="Hello there.",
        words=(("Hello", 30, 35), ("there.", 35, 40)),
        stages={"response": 812.5},
        providers={"language_model": "openai"},
        models={"language_model": "large"},
        reasons={"language_model": "cheapest"},
    ),
    r.ToolCalled(
        seq=4, at=5.5, reply_id="resp_1", call_id="c", name="f", arguments={"a": [1]}, at_ms=50
    ),
    r.ToolReturned(
        seq=5, at=6.5, call_id="c", result="{}", is_error=False, timed_out=True, at_ms=60
    ),
    r.Troubled(seq=6, at=7.0, at_ms=65, source="provider", code="timed_out", message="late"),
    r.Used(seq=7, at=7.5, connected_seconds=1.25),
    r.Ended(
        seq=8,
        at=8.5,
        reason="lost",
        public_reason="error",
        duration_seconds=7.0,
        audio_seconds=None,
    ),
)


def test_there_is_an_example_of_every_record() -> None:
    """One that is added must be added to them, and to ``AnyRecord``, by which they are read."""
    assert {type(example) for example in EXAMPLES} == set(Record.__subclasses__())


@pytest.mark.parametrize("record", EXAMPLES)
def test_a_record_is_read_as_it_was_written(record: AnyRecord) -> None:
    """By its kind alone, as JSON: it may be read by another process."""
    text = msgspec.json.encode(record)
    assert msgspec.json.decode(text, type=AnyRecord) == record
    assert msgspec.json.decode(text)["kind"] == record.__struct_config__.tag


def test_a_reply_of_a_version_that_kept_less_is_read() -> None:
    """What it did not keep is empty."""
    line = b"""{"kind": "agent_said", "seq": 3, "at": 4.5, "reply_id": "r", "item_id": "i",
        "trigger": "greeting", "status": "completed", "text": "Hello.", "method": "timed",
        "instructions": null, "started_ms": 1, "sounded_ms": 2, "ended_ms": 3,
        "time_to_first_audio_ms": 1.0}"""
    read = msgspec.json.decode(line, type=AnyRecord)
    assert isinstance(read, r.AgentSaid)
    assert (read.text, read.unheard, read.words, read.stages) == ("Hello.", "", (), {})
    assert (read.providers, read.models, read.reasons) == ({}, {}, {})


def test_a_sealed_webhook_survives_json() -> None:
    """Its bytes, whatever they are."""
    started = r.Started(
        seq=0, at=0.0, account="", key_id=None, agent_id=None, config={}, webhook=bytes(range(256))
    )
    assert msgspec.json.decode(msgspec.json.encode(started), type=AnyRecord) == started


def test_kinds_are_distinct_and_in_the_past_tense() -> None:
    """They tell what happened."""
    tags = [str(kind.__struct_config__.tag) for kind in Record.__subclasses__()]
    assert len(set(tags)) == len(tags)
    assert all(tag.endswith(("ed", "said")) for tag in tags)


@pytest.mark.parametrize(
    "line",
    [
        b"{}",
        b'{"kind":"sneezed","seq":0,"at":0}',
        b'{"kind":"used","at":0}',
        b'{"kind":"used","seq":"first","at":0}',
        b"nonsense",
    ],
)
def test_what_is_no_record_is_refused(line: bytes) -> None:
    """A spool of another version, or a damaged one, is an error and not another session."""
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(line, type=AnyRecord)
