"""What the conversation says is done: one command at a time, and nothing is decided."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Coroutine
from typing import Any, cast

import pytest

from antiphon_protocol import codec
from antiphon_protocol import voice_agent as wire
from antiphon_protocol.errors import InvalidValue
from antiphon_providers.interfaces import ToolSpec, ToolUse
from antiphon_server.call import records as r
from antiphon_server.call.chronicle import Chronicle, Durable
from antiphon_server.call.dialect import Dialect, Frame
from antiphon_server.call.ears import Ears
from antiphon_server.call.outbox import Outbox
from antiphon_server.call.performer import MOST_ADDED_CHARACTERS, Doors, Performer
from antiphon_server.call.settings import CallSettings, CallTool
from antiphon_server.call.timeline import Timeline
from antiphon_server.conversation import vocabulary as v
from antiphon_server.dialects.wording import Terms, Wording
from server.call.scripted_call import Stages, llm, script, stt, used
from server.call.twins import RecorderTwin
from virtual_time import in_virtual_time

TOOLS = (
    CallTool(ToolSpec("ask", "", {}), success_note="Be proud.", error_note="Be sorry."),
    CallTool(ToolSpec("order", "", {})),
)


class HushedEars(Ears):
    """Ears that only note what is asked of them."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    @property
    def recognised_seconds(self) -> float:
        """None, whatever was said."""
        return 0.0

    def ask_if_done(self) -> None:
        """Notes it."""
        self.asked.append("done?")

    def forget(self) -> None:
        """Notes it."""
        self.asked.append("forget")


class Bench:
    """A performer on its own, and what it told whom."""

    def __init__(self, settings: CallSettings | None = None, **stages: Any) -> None:
        loop = asyncio.get_running_loop()
        self.recorder = RecorderTwin()
        self.stages = Stages(recorder=self.recorder, **stages)
        self.told: list[tuple[Frame, Durable]] = []
        self.events: list[v.Event] = []
        self.ended: list[v.HangUp] = []
        self.tasks: list[asyncio.Task[None]] = []
        services = self.stages.services()
        doors = Doors(self.events.append, self._tell, self._spawn, self.ended.append)
        # All of the interface but what is about sockets.
        dialect = cast("Dialect", Wording("sess_1", Terms()))
        self.performer = Performer(
            "sess_1",
            services,
            dialect,
            Outbox(loop.time),
            Chronicle("sess_1", self.recorder, loop.time),
            doors,
            Timeline(loop.time, services.names),
        )
        self.performer.settings = settings or CallSettings()
        self.ears = self.performer.ears = HushedEars()

    def _tell(self, frames: list[Frame], durable: Durable = None) -> None:
        self.told += [(frame, durable) for frame in frames]

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        self.tasks.append(asyncio.get_running_loop().create_task(work, name=name))
        return self.tasks[-1]

    def perform(self, *commands: v.Command) -> None:
        """Does them."""
        for command in commands:
            self.performer.perform(command)

    async def replied(self, command: v.StartReply) -> None:
        """A reply has asked its model, and is over."""
        self.perform(command)
        await asyncio.sleep(1)
        self.perform(v.EndReply(command.reply, interrupted=True))
        await asyncio.wait(self.tasks)

    @property
    def messages(self) -> list[wire.FromServer]:
        """All that was told."""
        found = [codec.decode_server(frame.text) for frame, _ in self.told]
        return [message for message in found if message is not None]

    @property
    def kinds(self) -> list[str]:
        """The types of all that was told."""
        return [str(message.__struct_config__.tag) for message in self.messages]


def test_every_command_is_performed() -> None:
    """One that is added to the vocabulary must be done by somebody."""
    source = inspect.getsource(Performer.perform)
    assert [kind.__name__ for kind in v.COMMANDS if f"case v.{kind.__name__}()" not in source] == []


@in_virtual_time
async def test_timers_are_started_replaced_and_stopped() -> None:
    """Each gives notice once, by its name."""
    bench = Bench()
    bench.perform(v.Wait("silence", 500), v.Wait("words", 300), v.Wait("silence", 1000))
    bench.perform(v.StopWaiting("words"), v.StopWaiting("unheard of"))
    await asyncio.sleep(0.9)
    assert bench.events == []
    await asyncio.sleep(1)
    assert bench.events == [v.WaitOver("silence")]


@in_virtual_time
async def test_the_user_is_told_of_as_the_wire_says_it() -> None:
    """Under one item: that somebody speaks, the words so far, the end, the turn."""
    bench = Bench()
    bench.perform(v.TellSpeechStarted(), v.TellWords("hello"), v.AskIfDone())
    bench.perform(v.TellSpeechStopped(), v.TakeTurn("hello there"))
    assert bench.kinds == [
        "input.speech.started",
        "transcript.user.delta",
        "input.speech.stopped",
        "transcript.user",
    ]
    _, delta, _, turn = bench.messages
    assert isinstance(delta, wire.UserTranscriptDelta)
    assert isinstance(turn, wire.UserTranscript)
    assert delta.item_id == turn.item_id
    assert bench.ears.asked == ["done?", "forget"]
    (said,) = bench.recorder.of(r.UserSaid)
    assert (said.item_id, said.text) == (turn.item_id, "hello there")
    assert bench.told[-1][1] is not None
    bench.perform(v.DropUtterance())
    assert bench.ears.asked[-1] == "forget"


@in_virtual_time
async def test_words_that_are_withheld_are_told_when_they_are_released() -> None:
    """In order, with their records; all else is told at once, and numbers follow the telling."""
    bench = Bench()
    bench.perform(v.WithholdTranscripts())
    for text in ("one", "two"):
        bench.perform(v.TellSpeechStarted(), v.TellWords(text), v.TellSpeechStopped())
        bench.perform(v.TakeTurn(text))
    assert bench.kinds == ["input.speech.started", "input.speech.stopped"] * 2
    assert len(bench.recorder.of(r.UserSaid)) == 2
    bench.perform(v.ReleaseTranscripts())
    assert bench.kinds[4:] == ["transcript.user.delta", "transcript.user"] * 2
    assert [durable is not None for _, durable in bench.told[4:]] == [False, True, False, True]
    items = {m.item_id for m in bench.messages if isinstance(m, wire.UserTranscript)}
    assert len(items) == 2
    assert [frame.seq for frame, _ in bench.told if frame.seq] == [1, 2, 3, 4, 5, 6]
    bench.perform(v.ReleaseTranscripts(), v.TellWords("three"))
    assert bench.kinds[-1] == "transcript.user.delta"
    assert len(bench.told) == 9


@in_virtual_time
async def test_a_reply_is_started_ended_and_told() -> None:
    """Its end waits for its record; what is not open is not ended twice."""
    bench = Bench(CallSettings(greeting="Hello there."))
    bench.perform(v.StartReply(1, "greeting"))
    assert bench.kinds == ["reply.started"]
    bench.perform(v.EndReply(1, interrupted=True), v.EndReply(1, interrupted=True))
    assert bench.kinds == ["reply.started", "reply.done"]
    assert bench.told[-1][1] is not None
    (said,) = bench.recorder.of(r.AgentSaid)
    assert (said.status, said.text, said.trigger) == ("interrupted", "", "greeting")
    await asyncio.wait(bench.tasks)
    assert not bench.stages.llm.prompts


@in_virtual_time
async def test_a_failure_is_told() -> None:
    """Of the reply that is open."""
    bench = Bench()
    bench.perform(v.StartReply(1, "reply_create"))
    bench.perform(v.TellReplyFailed(1, v.Failure("llm_provider_error", "no", retryable=False)))
    error = bench.messages[-1]
    assert isinstance(error, wire.ReplyError)
    assert (error.code, error.message, error.retryable) == ("llm_provider_error", "no", False)
    bench.perform(v.EndReply(1, interrupted=False))
    await asyncio.wait(bench.tasks)


@in_virtual_time
async def test_a_call_is_told_once_it_is_on_record() -> None:
    """And its absence is on record, without a word to the client."""
    bench = Bench(CallSettings(tools=TOOLS))
    bench.perform(v.StartReply(1, "reply_create"))
    bench.performer.tools.used(1, ToolUse("call_1", "ask", {"a": 1}), bench.performer.settings)
    bench.perform(v.TellToolCall(1, "call_1"))
    call = bench.messages[-1]
    assert isinstance(call, wire.ToolCall)
    assert (call.call_id, call.name, call.arguments) == ("call_1", "ask", {"a": 1})
    assert bench.told[-1][1] is not None
    count = len(bench.told)
    bench.perform(v.TimeOutTool("call_1"))
    assert len(bench.told) == count
    assert [record.timed_out for record in bench.recorder.of(r.ToolReturned)] == [True]
    bench.perform(v.EndReply(1, interrupted=False))
    await asyncio.wait(bench.tasks)


@in_virtual_time
async def test_the_end_is_the_sessions_to_make() -> None:
    """With why."""
    bench = Bench()
    bench.perform(v.HangUp("expired"))
    assert bench.ended == [v.HangUp("expired")]
    assert bench.told == []


# --- what a model is asked -----------------------------------------------------------------


@in_virtual_time
async def test_a_model_is_asked_with_all_that_counts() -> None:
    """The prompt, the history, the notes on results and refusals, and the instructions, last."""
    model = llm(replies="Well.")
    bench = Bench(CallSettings(system_prompt="Be kind.", tools=TOOLS), llm=model)
    bench.perform(v.TakeTurn("hello"))
    bench.performer.tools.used(1, ToolUse("call_1", "ask", {}), bench.performer.settings)
    bench.perform(v.StartReply(1, "user_speech"), v.TellToolCall(1, "call_1"))
    bench.performer.tools.answered_by_client("call_1", "no", is_error=True)
    bench.perform(v.EndReply(1, interrupted=False))
    await bench.replied(v.StartReply(2, "reply_create", "Say no more."))
    prompt = model.prompts[-1]
    assert prompt.messages[0].content == "Be kind."
    assert [message.content for message in prompt.messages if message.role == "user"] == ["hello"]
    assert prompt.messages[-1].content == "Be sorry.\nSay no more."
    assert [tool.name for tool in prompt.tools] == ["ask", "order"]
    await bench.replied(v.StartReply(3, "tool_result"))
    assert model.prompts[-1].messages[-1].role != "system"


@in_virtual_time
async def test_a_model_that_may_call_nothing_is_offered_nothing() -> None:
    """What it calls all the same is refused; the next reply may call again."""
    model = script([used("call_1", "ask")])
    bench = Bench(CallSettings(tools=TOOLS), llm=model)
    await bench.replied(v.StartReply(1, "tool_result", tools=False))
    assert model.prompts[0].tools == ()
    assert v.ToolRefused(1) in bench.events
    await bench.replied(v.StartReply(2, "user_speech"))
    assert len(model.prompts[1].tools) == 2
    assert any(isinstance(event, v.ToolUsed) for event in bench.events)


@in_virtual_time
async def test_a_session_may_have_a_model_of_its_own() -> None:
    """Then the server's is never asked."""
    own, ours = llm(replies="Mine."), llm(replies="Ours.")
    bench = Bench(CallSettings(language_model=own), llm=ours)
    await bench.replied(v.StartReply(1, "reply_create"))
    assert (len(own.prompts), len(ours.prompts)) == (1, 0)


@in_virtual_time
async def test_messages_are_added_up_to_a_limit() -> None:
    """Those of the user are on record; one that is too much is refused, a shorter one is not."""
    bench = Bench()
    bench.performer.add_message("system", "x" * (MOST_ADDED_CHARACTERS - 10))
    with pytest.raises(InvalidValue):
        bench.performer.add_message("user", "y" * 11)
    bench.performer.add_message("user", "y" * 10)
    assert [said.text for said in bench.recorder.of(r.UserSaid)] == ["y" * 10]


# --- what comes of a reply -----------------------------------------------------------------


@in_virtual_time
async def test_the_first_sound_is_noticed_once() -> None:
    """Of the open reply alone."""
    bench = Bench(CallSettings(greeting="Hello there."))
    bench.performer.sounded(1)
    bench.perform(v.StartReply(1, "greeting"))
    await asyncio.sleep(0.1)
    bench.performer.sounded(2)
    bench.performer.sounded(1)
    bench.performer.sounded(1)
    assert bench.events == [v.ReplySounded(1)]
    bench.perform(v.EndReply(1, interrupted=True))
    await asyncio.wait(bench.tasks)


@in_virtual_time
async def test_a_reply_that_is_cut_is_told_to_who_records_the_call() -> None:
    """From when on nothing of it was heard; one that ended by itself is not."""
    moments: list[float] = []
    bench = Bench(CallSettings(greeting="Hello there."))
    bench.performer.hushed = moments.append
    for number, interrupted in ((1, True), (2, False)):
        bench.perform(v.StartReply(number, "greeting"))
        await asyncio.sleep(1)
        bench.perform(v.EndReply(number, interrupted=interrupted))
    assert moments == [1.0]
    await asyncio.wait(bench.tasks)


@in_virtual_time
async def test_at_the_end_a_reply_is_cut_and_on_record_without_a_word() -> None:
    """No event follows the end (section 4.11)."""
    bench = Bench(CallSettings(greeting="Hello there."))
    bench.performer.hush()
    assert bench.recorder.taken == []
    bench.perform(v.StartReply(1, "greeting"))
    await asyncio.sleep(0.5)
    bench.performer.hush()
    assert bench.kinds[-1] != "reply.done"
    assert [said.status for said in bench.recorder.of(r.AgentSaid)] == ["interrupted"]
    await asyncio.wait(bench.tasks)


@in_virtual_time
async def test_before_the_first_update_nobody_hears() -> None:
    """To ask is a fault of ours."""
    bench = Bench(stt=stt())
    bench.performer.ears = None
    with pytest.raises(RuntimeError):
        bench.perform(v.AskIfDone())
