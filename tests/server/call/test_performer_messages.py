"""How much a client may put into the history of its session."""

from __future__ import annotations

from antiphon_protocol import voice_agent as wire
from antiphon_server.call.performer import MOST_ADDED_CHARACTERS
from server.call.scripted_call import Stages, calling, llm
from virtual_time import in_virtual_time


@in_virtual_time
async def test_messages_that_are_too_much_in_all_are_refused_and_the_session_goes_on() -> None:
    """A client that never stops would otherwise have all memory of the server; what was refused
    counts for nothing, so that a shorter one is still taken.
    """
    model = llm()
    half = MOST_ADDED_CHARACTERS // 2
    async with calling(Stages(llm=model), system_prompt="p") as caller:
        for size in (half, half - 100, half, 100):
            caller.tell(wire.AddMessage(role="user", content="x" * size))
        caller.tell(wire.CreateReply())
        await caller.until(wire.ReplyDone)
        (error,) = caller.heard(wire.SessionError)
        assert (error.code, error.param) == ("invalid_value", "content")
        said = [message.content for message in model.prompts[-1].messages if message.role == "user"]
        assert len("".join(said).replace(" ", "")) == MOST_ADDED_CHARACTERS
