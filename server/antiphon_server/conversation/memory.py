"""What the model is told: the conversation as both sides heard it.

The user's turns in full, the agent's replies cut to what was heard, each tool call with its
result. Consecutive turns of the user are one message, because a reply that was dropped before
it sounded never divided them.
"""

from __future__ import annotations

from msgspec import Struct

from antiphon_providers.interfaces import Message, Prompt, ToolSpec, ToolUse

PENDING = "No result yet; it is still running."


class _Result(Struct, frozen=True):
    content: str
    is_error: bool


class _Reply(Struct):
    number: int
    text: str = ""
    uses: list[ToolUse] = []


class Memory:
    """The history of one session."""

    def __init__(self) -> None:
        self._entries: list[Message | _Reply] = []
        self._results: dict[str, _Result] = {}

    def user_said(self, text: str) -> None:
        """A turn of the user."""
        last = self._entries[-1] if self._entries else None
        if isinstance(last, Message) and last.role == "user":
            self._entries[-1] = Message(role="user", content=f"{last.content} {text}")
        else:
            self._entries.append(Message(role="user", content=text))

    def message_added(self, role: str, text: str) -> None:
        """A ``conversation.message``: a user's turn that was not spoken, or context."""
        if role == "user":
            self.user_said(text)
        else:
            self._entries.append(Message(role="system", content=text))

    def agent_said(self, reply: int, text: str) -> None:
        """What was heard of a reply; nothing is kept of one that was not heard at all."""
        if text or self._find(reply) is not None:
            self._reply(reply).text = text

    def tool_used(self, reply: int, use: ToolUse) -> None:
        """The model called a tool in a reply."""
        self._reply(reply).uses.append(use)

    def tool_answered(self, call_id: str, result: str, *, is_error: bool) -> None:
        """The result of a call.

        One that comes after the conversation went on is also told where it came in, because a
        model reads its last messages first.
        """
        self._results[call_id] = _Result(result, is_error)
        last = self._entries[-1] if self._entries else None
        if isinstance(last, _Reply) and any(use.call_id == call_id for use in last.uses):
            return
        name = self._name_of(call_id)
        outcome = "failed" if is_error else "is known now"
        note = f"The result of {name} {outcome}: {result}"
        self._entries.append(Message(role="system", content=note))

    def said_by_user(self) -> tuple[str, ...]:
        """All turns of the user, oldest first."""
        entries = (entry for entry in self._entries if isinstance(entry, Message))
        return tuple(entry.content for entry in entries if entry.role == "user")

    def told_by_system(self) -> tuple[str, ...]:
        """All context that was added, oldest first."""
        entries = (entry for entry in self._entries if isinstance(entry, Message))
        return tuple(entry.content for entry in entries if entry.role == "system")

    def told_by_tools(self) -> tuple[str, ...]:
        """All results that are no failures, oldest first."""
        return tuple(result.content for result in self._results.values() if not result.is_error)

    def prompt(
        self,
        system_prompt: str,
        instructions: str | None,
        tools: tuple[ToolSpec, ...],
        conversation: str,
    ) -> Prompt:
        """All that the model is told for the next reply."""
        messages: list[Message] = []
        if system_prompt:
            messages.append(Message(role="system", content=system_prompt))
        for entry in self._entries:
            if isinstance(entry, Message):
                messages.append(entry)
            else:
                messages += self._told(entry)
        if instructions:
            messages.append(Message(role="system", content=instructions))
        return Prompt(tuple(messages), tools, conversation)

    def _told(self, reply: _Reply) -> list[Message]:
        """A reply as the model wrote it, followed by an answer to each of its calls."""
        uses = tuple(reply.uses)
        said = Message(role="assistant", content=reply.text, tool_uses=uses)
        pending = _Result(PENDING, is_error=False)
        results = [(use.call_id, self._results.get(use.call_id, pending)) for use in uses]
        return [
            said,
            *(
                Message(
                    role="tool", content=result.content, call_id=call_id, is_error=result.is_error
                )
                for call_id, result in results
            ),
        ]

    def _find(self, number: int) -> _Reply | None:
        for entry in reversed(self._entries):
            if isinstance(entry, _Reply) and entry.number == number:
                return entry
        return None

    def _reply(self, number: int) -> _Reply:
        found = self._find(number)
        if found is None:
            found = _Reply(number)
            self._entries.append(found)
        return found

    def _name_of(self, call_id: str) -> str:
        for entry in reversed(self._entries):
            if isinstance(entry, _Reply):
                for use in entry.uses:
                    if use.call_id == call_id:
                        return use.name
        return "a tool"
