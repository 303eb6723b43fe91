"""What happened, and what to do."""

from __future__ import annotations

import random
from typing import Union

import msgspec
import pytest
from msgspec import Struct

from antiphon_server.conversation import machine
from antiphon_server.conversation import vocabulary as v
from server.conversation import histories
from server.conversation.scenes import FAILURE

EVENT = msgspec.json.Decoder(Union[v.EVENTS])  # noqa: UP007
COMMAND = msgspec.json.Decoder(Union[v.COMMANDS])  # noqa: UP007

COMMANDS: tuple[v.Command, ...] = (
    v.Wait("silence", 600),
    v.StopWaiting("silence"),
    v.TellSpeechStarted(),
    v.TellWords("what “time”?"),
    v.TellSpeechStopped(),
    v.AskIfDone(),
    v.TakeTurn("what time?\n"),
    v.DropUtterance(),
    v.StartReply(1, "tool_result", "be brief", tools=False),
    v.EndReply(1, interrupted=True),
    v.TellReplyFailed(1, FAILURE),
    v.TellToolCall(1, "a"),
    v.WithholdTranscripts(),
    v.ReleaseTranscripts(),
    v.TimeOutTool("a"),
    v.HangUp("expired"),
)


def test_the_lists_are_complete() -> None:
    """Whatever is an event or a command is in them, once."""
    assert sorted(v.EVENTS, key=repr) == sorted(v.Event.__subclasses__(), key=repr)
    assert sorted(v.COMMANDS, key=repr) == sorted(v.Command.__subclasses__(), key=repr)
    assert {type(command) for command in COMMANDS} == set(v.COMMANDS)
    assert len({kind.__name__ for kind in (*v.EVENTS, *v.COMMANDS)}) == len(
        (*v.EVENTS, *v.COMMANDS)
    )


@pytest.mark.parametrize("kind", [*v.EVENTS, *v.COMMANDS])
def test_every_word_of_it_is_explained(kind: type[Struct]) -> None:
    """In a docstring of its own, which the reference page shows."""
    assert len((kind.__doc__ or "").split()) >= 4
    assert kind.__doc__ not in {v.Event.__doc__, v.Command.__doc__}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_survives_json(command: v.Command) -> None:
    """A journal holds what was done."""
    assert COMMAND.decode(msgspec.json.encode(command)) == command


def test_a_history_can_be_replayed_from_its_journal() -> None:
    """Every event survives JSON, and the same events lead to the same states and commands."""
    seen: set[type[v.Event]] = set()
    for seed in range(200):
        dice = random.Random(seed)  # noqa: S311
        chronicle = histories.begin(dice)
        journal: list[bytes] = []
        done: list[tuple[v.Command, ...]] = []
        for event in histories.events(dice, chronicle, 30):
            seen.add(type(event))
            journal.append(msgspec.json.encode(event))
            done.append(chronicle.notice(event))
        state, _ = machine.begin(chronicle.manners)
        for line, before in zip(journal, done, strict=True):
            state, commands = machine.step(state, EVENT.decode(line), chronicle.manners)
            assert commands == before
        assert state == chronicle.state
    assert seen == set(v.EVENTS)


@pytest.mark.parametrize("kind", v.EVENTS)
def test_events_are_in_the_past_tense(kind: type[v.Event]) -> None:
    """They tell what happened; ``WaitOver`` is past as well."""
    assert kind.__name__.endswith(("ed", "ard", "Left", "Over"))


def test_only_what_is_about_a_reply_carries_its_number() -> None:
    """What is stale is decided by it."""
    numbered = {kind.__name__ for kind in v.EVENTS if "reply" in kind.__struct_fields__}
    expected = {
        "ReplySounded",
        "ToolUsed",
        "ToolRefused",
        "ReplyFinished",
        "ReplyFailed",
        "ReplyTroubled",
        "ReplyCancelled",
    }
    assert numbered == expected


def test_what_is_not_in_the_vocabulary_is_refused() -> None:
    """A journal of another version, or a damaged one, is an error and not another history."""
    for line in (b'{"type":"Sneezed"}', b'{"type":"ReplySounded"}', b"{}", b"nonsense"):
        with pytest.raises(msgspec.DecodeError):
            EVENT.decode(line)
