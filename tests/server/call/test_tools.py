"""The ledger of tool calls."""

from antiphon_providers.interfaces import Prompt, ToolUse
from antiphon_server.call.tools import TIMED_OUT, ToolLedger
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


def test_outcomes_are_told_once() -> None:
    """Each reply is guided by what came since the one before."""
    ledger = ToolLedger(Memory())
    ledger.made(USE)
    ledger.called(1, "call_1")
    assert ledger.outcomes() == []
    ledger.answered("call_1", "seven", is_error=False)
    assert ledger.outcomes() == [(USE.name, False)]
    assert ledger.outcomes() == []
