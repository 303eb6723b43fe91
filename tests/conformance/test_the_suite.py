"""The suite's own judgement: a rule that never finds fault proves nothing."""

from __future__ import annotations

import array
import ast
from pathlib import Path
from typing import Any

import pytest

from conformance import g711, invariants
from conformance.shapes import misfits, nullable, text
from conformance.speech import likeness
from conformance.summary import sections_of

NOW = 1_790_000_000.0
SESSION = {"session_id": "sess_" + "0" * 32, "expires_at": 1, "resume_token": "", "config": {}}
REPLY = {"reply_id": "resp_" + "a" * 32, "item_id": "msg_" + "a" * 32}
OTHER = {"reply_id": "resp_" + "b" * 32, "item_id": "msg_" + "b" * 32}
USER = {"item_id": "msg_" + "c" * 32, "text": "Hello."}
WORD = {**REPLY, "delta": "Hi.", "start_ms": 0, "end_ms": 10}
FINAL = {**REPLY, "text": "Hi.", "interrupted": False}
DONE = {"reply_id": REPLY["reply_id"], "status": "completed"}
SOUND = {"reply_id": REPLY["reply_id"], "data": ""}
CALL = {"call_id": "call_1", "name": "f", "arguments": {}}

Events = list[tuple[str, dict[str, Any]]]
GOOD: Events = [
    ("session.updated", {"config": {}}),
    ("session.ready", SESSION),
    ("input.speech.started", {}),
    ("transcript.user.delta", USER),
    ("input.speech.stopped", {}),
    ("transcript.user", USER),
    ("reply.started", REPLY),
    ("reply.audio", SOUND),
    ("transcript.agent.delta", WORD),
    ("tool.call", CALL),
    ("transcript.agent", FINAL),
    ("reply.done", DONE),
    ("session.ended", {"session_duration_seconds": 1.0, "audio_duration_seconds": None}),
]


def broken_by(events: Events) -> set[str]:
    """The names of the rules that a session breaks."""
    ledger = invariants.Ledger()
    stamped = [{"type": kind, "timestamp": NOW, **fields} for kind, fields in events]
    ledger.judge(stamped, left=False)
    return {name for name, found in ledger.broken.items() if found}


def test_a_good_session_breaks_no_rule() -> None:
    """The rules are not stricter than the protocol's own example."""
    assert broken_by(GOOD) == set()


def test_the_end_of_a_cut_reply_may_follow_a_resume() -> None:
    """§4.11: once, and before anything else of a reply."""
    cut = ("reply.done", {**DONE, "status": "interrupted"})
    assert broken_by([("session.ready", SESSION), cut]) == set()
    assert "replies" in broken_by([("session.ready", SESSION), cut, cut])


def without(kind: str) -> Events:
    """The good session without its events of a type."""
    return [event for event in GOOD if event[0] != kind]


def changed(kind: str, **fields: Any) -> Events:
    """The good session with other fields in its events of a type."""
    return [(one, {**had, **fields}) if one == kind else (one, had) for one, had in GOOD]


def after(kind: str, *events: tuple[str, dict[str, Any]]) -> Events:
    """The good session with more events after its first of a type."""
    at = [one for one, _ in GOOD].index(kind) + 1
    return [*GOOD[:at], *events, *GOOD[at:]]


FAULTS: list[tuple[str, Events]] = [
    ("fields", changed("reply.done", status="failed")),
    ("fields", changed("session.ready", expires_at=1.5)),
    ("known types", after("session.ready", ("reply.content_part.started", {}))),
    ("timestamps", changed("reply.done", timestamp=NOW - 1)),
    ("timestamps", changed("reply.done", timestamp="2026-11-22T00:00:00Z")),
    ("replies", [*without("reply.done")[:-1]]),
    ("replies", after("reply.done", ("reply.done", DONE))),
    ("replies", after("reply.started", ("reply.started", OTHER))),
    ("nothing outside a reply", after("reply.done", ("reply.audio", SOUND))),
    ("nothing outside a reply", changed("transcript.agent", item_id=OTHER["item_id"])),
    ("nothing outside a reply", after("session.ready", ("tool.call", CALL))),
    ("transcripts of replies", after("transcript.agent", ("reply.audio", SOUND))),
    ("transcripts of replies", after("transcript.agent", ("transcript.agent", FINAL))),
    ("transcripts of replies", changed("transcript.agent", interrupted=True)),
    ("words", changed("transcript.agent", text="Hello there.")),
    ("words", changed("transcript.agent.delta", start_ms=20)),
    ("start-up", [("session.ready", SESSION), *GOOD]),
    ("start-up", [("reply.started", REPLY), ("reply.done", DONE), *GOOD]),
    ("the end", [*GOOD, ("session.updated", {"config": {}})]),
    ("user items", changed("transcript.user", item_id=OTHER["item_id"])),
    ("user items", after("transcript.user", ("transcript.user", USER))),
    ("speech", after("input.speech.stopped", ("input.speech.stopped", {}))),
    ("identifiers", after("tool.call", ("tool.call", CALL))),
]


@pytest.mark.parametrize(("rule", "events"), FAULTS)
def test_a_fault_is_found_by_its_rule(rule: str, events: Events) -> None:
    """Each rule notices what it is there for."""
    assert rule in broken_by(events)


def test_every_rule_is_proved() -> None:
    """No rule without a fault that it finds."""
    assert {rule for rule, _ in FAULTS} == set(invariants.RULES)


def test_a_shape_tells_what_is_missing_and_what_is_wrong() -> None:
    """With the path, so that a report can be acted on."""
    shapes = {"a.b": text, "c": nullable(text)}
    assert misfits({"a": {"b": "x"}, "c": None}, shapes) == []
    assert misfits({"a": {}, "c": 5}, shapes) == [
        "'a.b' is missing",
        "'c' is 5, not null or a string",
    ]
    assert misfits("x", shapes) == ["'x' is not an object"]


def test_mu_law_is_that_of_the_recommendation() -> None:
    """ITU-T G.711: silence is 0xFF, the loudest samples 0x80 and 0x00."""
    samples = array.array("h", [0, 32767, -32768, 1000, -1000])
    assert g711.encode(samples.tobytes()).hex() == "ff8000ce4e"


def test_likeness_counts_the_words_that_were_heard() -> None:
    """Case and punctuation aside."""
    assert likeness("Tell me, please.", "please tell ME") == 1
    assert likeness("Tell me, please.", "tell them") == pytest.approx(1 / 3)


def test_sections_are_read_from_docstrings(request: pytest.FixtureRequest) -> None:
    """§9.1 and §B are named here, for this test alone; see summary.py."""
    assert sections_of(request.node) == ["9.1", "B"]


def _named(function: ast.AST) -> set[str]:
    """All names and attributes in a function and its decorators."""
    nodes = list(ast.walk(function))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return names | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


@pytest.mark.parametrize("path", sorted(Path(__file__).parent.glob("test_*.py")), ids=str)
def test_what_is_called_back_is_marked_so(path: Path) -> None:
    """Another server may not reach the suite's model, tools and webhooks: then it is left out."""
    source = path.read_text("utf-8")
    if path == Path(__file__) or "pytestmark = pytest.mark.needs(" in source:
        return
    reaching, unmarked = {"scripted", "own_model", "peer", "scenes"}, []
    for node in ast.parse(source).body:
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef) and _named(node) & reaching:
            reaching.add(node.name)
            text = ast.get_source_segment(source, node) or ""
            marks = "\n".join(ast.unparse(one) for one in node.decorator_list)
            if node.name.startswith("test_") and "callback" not in marks + text.split("def ")[0]:
                unmarked.append(node.name)
    assert unmarked == []
