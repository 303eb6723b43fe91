"""The language model that the tests bring along: OpenAI-compatible, and it says what it is told.

Which script answers a request is written in the system prompt (``MARK`` and the script's
name), so that one address serves all tests at once, whether a stored agent points at it or the
server itself. What a script answers follows from the request alone: a server may ask twice, or
give a request up, and the conversation is none the worse for it.
"""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from conformance.peer import Request, Response

MARK = "conformance-script:"
_MARKED = re.compile(re.escape(MARK) + r"([0-9a-f]{32})")
MODEL = "conformance"


@dataclass(frozen=True)
class Says:
    """Answers with words, the first of them after ``after`` seconds."""

    text: str
    after: float = 0.0


@dataclass(frozen=True)
class Calls:
    """Answers with calls of tools: their names and arguments. ``text`` comes before them."""

    calls: tuple[tuple[str, dict[str, Any]], ...]
    text: str = ""


@dataclass(frozen=True)
class Fails:
    """Answers with an HTTP error."""

    status: int = 500


Spoken = Says | Calls | Fails


@dataclass(frozen=True)
class Asked:
    """One request of the server under test."""

    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The conversation, as it was sent."""
        messages: list[dict[str, Any]] = self.body["messages"]
        return messages

    def said_by(self, role: str) -> list[str]:
        """The contents of the messages of one role."""
        return [text_of(one) for one in self.messages if one.get("role") == role]

    @property
    def steps(self) -> int:
        """How many times tools have been called and answered so far."""
        steps, answering = 0, False
        for message in self.messages:
            now = message.get("role") == "tool"
            steps += now and not answering
            answering = now
        return steps


def text_of(message: dict[str, Any]) -> str:
    """A message's words, whether they are a text or a list of parts."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return " ".join(str(part.get("text", "")) for part in content)


@dataclass
class Script:
    """How the model behaves in one test, and what it was asked."""

    rule: Callable[[Asked], Spoken]
    name: str = field(default_factory=lambda: uuid.uuid4().hex)
    asked: list[Asked] = field(default_factory=list)

    @property
    def mark(self) -> str:
        """What a system prompt must contain."""
        return f"{MARK}{self.name}"


def saying(text: str, after: float = 0.0) -> Script:
    """A script that always says the same."""
    return Script(lambda _: Says(text, after))


def steps(*answers: Spoken) -> Script:
    """A script that gives its first answer, and after each answered round of tools the next."""
    return Script(lambda asked: answers[min(asked.steps, len(answers) - 1)])


def calling(name: str, arguments: dict[str, Any], then: str = "That is done.") -> Script:
    """A script that calls one tool and then says something."""
    return steps(Calls(((name, arguments),)), Says(then))


class Scripts:
    """All scripts of a run, behind one address."""

    def __init__(self) -> None:
        self._scripts: dict[str, Script] = {}

    def add(self, script: Script) -> Script:
        """Makes the script known; returns it."""
        self._scripts[script.name] = script
        return script

    async def answer(self, request: Request) -> Response:
        """Answers a request to ``…/chat/completions`` or ``…/models``."""
        if request.path.endswith("/models"):
            return Response(body=json.dumps({"object": "list", "data": [{"id": MODEL}]}).encode())
        asked = Asked(request.headers, request.json)
        found = _MARKED.search(" ".join(asked.said_by("system")))
        script = self._scripts.get(found[1]) if found else None
        spoken = Says("Nothing was scripted.") if script is None else script.rule(asked)
        if script is not None:
            script.asked.append(asked)
        if isinstance(spoken, Fails):
            error = {"error": {"message": "out of order", "type": "server_error", "code": None}}
            return Response(spoken.status, json.dumps(error).encode())
        return Response(body=_stream(spoken), kind="text/event-stream")


async def _stream(spoken: Says | Calls) -> AsyncIterator[bytes]:
    if isinstance(spoken, Says):
        await asyncio.sleep(spoken.after)
    yield _event({"role": "assistant", "content": ""})
    for word in re.findall(r"\S+\s*", spoken.text):
        yield _event({"content": word})
    if isinstance(spoken, Calls):
        for index, (name, arguments) in enumerate(spoken.calls):
            call = {"id": f"call_{uuid.uuid4().hex[:24]}", "type": "function", "index": index}
            written = json.dumps(arguments)
            yield _event({"tool_calls": [{**call, "function": {"name": name, "arguments": ""}}]})
            yield _event({"tool_calls": [{"index": index, "function": {"arguments": written}}]})
    yield _event({}, "tool_calls" if isinstance(spoken, Calls) else "stop")
    yield _data({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 3}})
    yield b"data: [DONE]\n\n"


def _event(delta: dict[str, Any], finish: str | None = None) -> bytes:
    return _data({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def _data(content: dict[str, Any]) -> bytes:
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": MODEL, **content}
    return f"data: {json.dumps(chunk)}\n\n".encode()
