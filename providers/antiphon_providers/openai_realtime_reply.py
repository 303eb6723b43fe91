"""One response of a Realtime conversation, put together from its events.

Source: OpenAI's API reference, "Realtime", server events ``response.*`` (2026-11-22). A response
that is cut off also has its calls of tools "done", with half of their arguments: they count only
once it has ended well.
"""

from __future__ import annotations

import asyncio
import secrets
from binascii import Error as NoBase64

import msgspec
import pybase64

from antiphon_providers.errors import Malformed, ProviderError, Refused, Unavailable
from antiphon_providers.interfaces import Said, Sound, Spent, SpokenPiece, ToolUse, Used
from antiphon_providers.openai_realtime_wire import (
    CallDone,
    Event,
    OutputItemAdded,
    Response,
    ResponseDone,
    SoundDelta,
    SpokenDelta,
    Usage,
    WrittenDelta,
)

_CUT_SHORT = "max_output_tokens"


class Answer:
    """A response that was asked for."""

    def __init__(self) -> None:
        self.event_id = f"answer_{secrets.token_hex(8)}"
        self.id: str | None = None
        self.is_unwanted = False
        """Whether it is to be cancelled, as soon as it has an id."""
        self.is_told = False
        """Whether all of it was taken."""
        self._news: asyncio.Queue[Event | ProviderError] = asyncio.Queue()
        self._names: dict[str, str] = {}
        self._calls: dict[str, ToolUse] = {}
        self._half = b""
        self._has_sound = self._has_words = False

    def tell(self, news: Event | ProviderError) -> None:
        """Something came of it, or nothing will come any more."""
        self._news.put_nowait(news)

    async def news(self) -> Event:
        """What came next. Raises ``ProviderError``."""
        news = await self._news.get()
        if isinstance(news, ProviderError):
            raise news
        return news

    def take(self, event: Event) -> list[SpokenPiece]:
        """What an event adds. Raises ``ProviderError``, also for an end that is none."""
        match event:
            case OutputItemAdded(_, item):
                self._names[item.id] = item.name or ""
            case SpokenDelta(delta=delta) | WrittenDelta(delta=delta) if delta:
                self._has_words = self._has_words or not delta.isspace()
                return [Said(delta)]
            case SoundDelta(delta=delta):
                return self._sound(delta)
            case CallDone():
                self._calls[event.item_id] = self._use(event)
            case ResponseDone(response):
                return self._end(response)
        return []

    def _sound(self, delta: str) -> list[SpokenPiece]:
        try:
            pcm = self._half + pybase64.b64decode(delta, validate=True)
        except (NoBase64, ValueError):
            raise Malformed("the sound of the answer is no base64") from None
        self._half = pcm[len(pcm) // 2 * 2 :]
        self._has_sound = self._has_sound or len(pcm) > 1
        return [Sound(pcm[: len(pcm) // 2 * 2], 0)] if len(pcm) > 1 else []

    def _use(self, call: CallDone) -> ToolUse:
        """``arguments`` are checked when the response has ended well."""
        name = call.name or self._names.get(call.item_id, "")
        return ToolUse(call.call_id, name, {"": call.arguments})

    def _end(self, response: Response) -> list[SpokenPiece]:
        self.is_told = True
        self._check(response)
        pieces: list[SpokenPiece] = [Sound(b"", 0, ends=True)] if self._has_sound else []
        pieces += [Used(_whole(use)) for use in self._calls.values()]
        if not pieces and not self._has_words:
            raise Malformed("the answer is empty: neither words nor sound nor a tool call")
        return [*pieces, *_spent(response.usage)]

    def _check(self, response: Response) -> None:
        reason = response.status_details.reason if response.status_details else None
        if response.status == "incomplete" and reason != _CUT_SHORT:
            raise Refused("a content filter stopped the answer", provider_code=reason)
        if response.status in {"cancelled", "in_progress"}:
            raise Unavailable("the answer was broken off", provider_code=reason)


def _whole(use: ToolUse) -> ToolUse:
    """Raises ``Malformed`` for what is no call."""
    if not use.name or not use.call_id:
        raise Malformed("a tool call has no name or no id")
    try:
        arguments = msgspec.json.decode(use.arguments[""] or "{}", type=dict)
    except (msgspec.MsgspecError, ValueError, RecursionError) as wrong:
        raise Malformed(
            f"the arguments for tool '{use.name}' are no JSON object: {wrong}"
        ) from wrong
    return ToolUse(use.call_id, use.name, arguments)


def _spent(usage: Usage | None) -> list[Spent]:
    if usage is None:
        return []
    cached = usage.input_token_details.cached_tokens if usage.input_token_details else 0
    return [Spent(usage.input_tokens or 0, usage.output_tokens or 0, cached or 0)]
