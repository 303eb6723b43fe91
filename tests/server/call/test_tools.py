"""The ledger of tool calls."""

from antiphon_providers.interfaces import Prompt, ToolUse
from antiphon_server.call.tools import (
    CUT,
    MOST_OPEN_CALLS,
    MOST_RESULT_CHARACTERS,
    TIMED_OUT,
    ToolLedger,
)
from antiphon_server.conversation.memory import PENDING, Memory
from server.call.scripted_call import sample

USE = ToolUse("call_1", "look_up", {"number": 7})


def _prompt(memory: Memory) -> Prompt:
    return memory.prompt("", None, (), "")


def _told(memory: Memory) -> list[tuple[str, bool]]:
    return [
        (message.content, message.is_error)
        for message in _prompt(memory).messages
        if message.role == "tool"
    ]


def test_a_call_is_remembered_once_it_is_called() -> None:
    """Made alone, it is not in the model's memory; called, it is, with a pending result."""
    memory = Memory()
    ledger = ToolLedger(memory)
    ledger.made(USE)
    assert _prompt(memory).messages == ()
    assert ledger.called(1, "call_1") == USE
    assert _prompt(memory).messages[0].tool_uses == (USE,)
    assert _told(memory) == [(PENDING, False)]


def test_a_result_is_taken_once() -> None:
    """The second one is refused and changes nothing."""
    memory = Memory()
    ledger = ToolLedger(memory)
    before = sample("antiphon_tool_calls_total", outcome="result")
    ledger.made(USE)
    ledger.called(1, "call_1")
    assert ledger.answered("call_1", "seven", is_error=False)
    assert not ledger.answered("call_1", "eight", is_error=False)
    assert _told(memory) == [("seven", False)]
    assert sample("antiphon_tool_calls_total", outcome="result") == before + 1


def test_a_result_for_an_unknown_call_is_refused() -> None:
    """Neither a foreign id nor a call that was made but never called is open."""
    ledger = ToolLedger(Memory())
    ledger.made(USE)
    assert not ledger.answered("call_1", "seven", is_error=False)
    assert not ledger.answered("call_9", "nine", is_error=False)


def test_an_error_reaches_the_model_as_an_error() -> None:
    """And is counted as one."""
    memory = Memory()
    ledger = ToolLedger(memory)
    before = sample("antiphon_tool_calls_total", outcome="error")
    ledger.made(USE)
    ledger.called(1, "call_1")
    assert ledger.answered("call_1", "broken", is_error=True)
    assert _told(memory) == [("broken", True)]
    assert sample("antiphon_tool_calls_total", outcome="error") == before + 1


def test_a_call_that_timed_out_is_closed() -> None:
    """The model is told so, and a result that comes later is refused."""
    memory = Memory()
    ledger = ToolLedger(memory)
    before = sample("antiphon_tool_calls_total", outcome="timeout")
    ledger.made(USE)
    ledger.called(1, "call_1")
    ledger.timed_out("call_1")
    assert not ledger.answered("call_1", "late", is_error=False)
    assert _told(memory) == [(TIMED_OUT, True)]
    assert sample("antiphon_tool_calls_total", outcome="timeout") == before + 1


def test_a_refused_call_is_the_models_alone() -> None:
    """In its memory with its answer, an error; it is never open, and no outcome of the tool."""
    memory = Memory()
    ledger = ToolLedger(memory)
    before = sample("antiphon_tool_calls_total", outcome="refused")
    returned = ledger.refused(1, USE, "there is no such tool")
    assert (returned.call_id, returned.is_error, returned.timed_out) == ("call_1", True, False)
    assert _prompt(memory).messages[0].tool_uses == (USE,)
    assert _told(memory) == [("there is no such tool", True)]
    assert ledger.answered("call_1", "seven", is_error=False) is None
    assert ledger.outcomes() == []
    assert sample("antiphon_tool_calls_total", outcome="refused") == before + 1


def test_a_call_of_ours_takes_no_result_from_the_client() -> None:
    """Until the id is another call's, which is the client's to run."""
    ledger = ToolLedger(Memory())
    for ours in (True, False):
        ledger.made(USE)
        ledger.called(1, "call_1", ours=ours)
        taken = ledger.answered_by_client("call_1", "seven", is_error=False)
        assert (taken is None) == ours
    ledger.made(USE)
    ledger.called(2, "call_1", ours=True)
    assert ledger.answered("call_1", "eight", is_error=False) is not None


def test_a_call_is_known_by_more_than_its_id() -> None:
    """Another one with the same id is another call."""
    ledger = ToolLedger(Memory())
    other = ToolUse("call_1", "look_up", {"number": 8})
    ledger.made(USE)
    assert not ledger.waits_for(USE)
    ledger.called(1, "call_1")
    assert ledger.waits_for(USE)
    ledger.made(other)
    ledger.called(2, "call_1")
    assert not ledger.waits_for(USE)
    assert ledger.waits_for(other)
    ledger.answered("call_1", "eight", is_error=False)
    assert not ledger.waits_for(other)


def test_there_is_a_limit_to_open_calls() -> None:
    """Made and called ones count alike; each that is answered makes room."""
    ledger = ToolLedger(Memory())
    for number in range(MOST_OPEN_CALLS):
        assert not ledger.is_full
        ledger.made(ToolUse(f"call_{number}", "look_up", {}))
        if number % 2:
            ledger.called(1, f"call_{number}")
    assert ledger.is_full
    ledger.answered("call_1", "one", is_error=False)
    assert not ledger.is_full


def test_a_long_result_is_cut() -> None:
    """The model is told it with every later reply; that it was cut is told too."""
    memory = Memory()
    ledger = ToolLedger(memory)
    for call_id, length in (("call_1", MOST_RESULT_CHARACTERS), ("call_2", 10**6)):
        ledger.made(ToolUse(call_id, "look_up", {}))
        ledger.called(1, call_id)
        ledger.answered(call_id, "x" * length, is_error=False)
    whole, cut = (content for content, _ in _told(memory))
    assert whole == "x" * MOST_RESULT_CHARACTERS
    assert cut == whole + CUT


def test_outcomes_are_told_once() -> None:
    """Each reply is guided by what came since the one before."""
    ledger = ToolLedger(Memory())
    ledger.made(USE)
    ledger.called(1, "call_1")
    assert ledger.outcomes() == []
    ledger.answered("call_1", "seven", is_error=False)
    assert ledger.outcomes() == [(USE.name, False)]
    assert ledger.outcomes() == []
