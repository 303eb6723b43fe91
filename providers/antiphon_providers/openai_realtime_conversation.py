"""One call's Realtime session: it hears, remembers and answers.

An answer that is not wanted any more is cancelled; what still comes of it is told apart by the
response's id. The session takes one response at a time, so the next one waits for the end of the
cancelled one, which the vendor tells within a round trip.

Source: OpenAI's guide "Realtime conversations" (2026-11-22).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any

from msgspec import UNSET, Struct

from antiphon_providers.errors import ProviderError, TooSlow, Unavailable
from antiphon_providers.interfaces import Prompt, Recognised, SpokenPiece
from antiphon_providers.openai_realtime_connection import Wire
from antiphon_providers.openai_realtime_hearing import Ear, Segment
from antiphon_providers.openai_realtime_memory import (
    OURS,
    AnyItem,
    HeardItem,
    added,
    change,
    contents_of,
    instructions_of,
    tools_of,
)
from antiphon_providers.openai_realtime_reply import Answer
from antiphon_providers.openai_realtime_wire import (
    CallDone,
    CancelResponse,
    CreateResponse,
    Event,
    Failed,
    ResponseCreated,
    ResponseDone,
    Trouble,
    UpdateSession,
)
from antiphon_providers.streams import Results, beside

_CANCEL, _SESSION = "cancel_", "session_"
_GONE = "item_delete_invalid_item_id"
"""What was to be deleted was not there: nothing is wrong."""


class Patience(Struct, frozen=True):
    """Milliseconds: to the words of a flush, to an answer's first sound, between its sounds, and
    to the end of a cancelled one.
    """

    final_ms: int
    first_ms: int
    progress_ms: int
    cancel_ms: int


class RealtimeConversation:
    """It works while ``run`` does, and all on the event loop."""

    def __init__(self, wire: Wire, patience: Patience, *, partials: bool) -> None:
        self._wire = wire
        self._patience = patience
        self._results = Results()
        self._ear = Ear(wire.put, patience.final_ms, self._tell, self._committed, partials=partials)
        self._items: list[AnyItem] = []
        self._set: dict[str, Any] = {"instructions": "", "tools": []}
        self._answer: Answer | None = None
        self._news = asyncio.Event()
        self._failure: ProviderError | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_old = False
        self._is_owing = False
        """Whether somebody waits for an answer: what was heard, or a tool's result, needs one."""

    async def run(self) -> None:
        """Talks to the vendor until the session ends; that it does is a failure."""
        await beside(self._wire.deliver(), self._listen())

    # --- hearing -------------------------------------------------------------------------

    def leave_after(self, seconds: float) -> None:
        """Fails with ``Unavailable`` then, or as soon as nobody speaks or waits for an answer."""
        self._timer = asyncio.get_running_loop().call_later(seconds, self._grow_old)

    def feed(self, pcm: bytes) -> None:
        """Takes int16 mono PCM at 16 kHz, any length."""
        if self._results.is_open:
            self._ear.feed(pcm)

    def flush(self) -> None:
        """The segment is complete; answered as by a recogniser, within ``final_ms``."""
        if self._results.is_open:
            self._ear.flush()

    def end(self) -> None:
        """Ends the iteration and the reply; nothing is taken any more."""
        self._end(None)

    def __aiter__(self) -> AsyncIterator[Recognised]:
        """Results in order, until the end. Raises ``ProviderError`` when the session fails."""
        return aiter(self._results)

    # --- answering -----------------------------------------------------------------------

    async def reply(self, prompt: Prompt) -> AsyncGenerator[SpokenPiece, None]:
        """The answer, as it is spoken. Raises ``ProviderError``."""
        await self._until(self._is_ready, self._patience.cancel_ms)
        self._remember(prompt)
        answer = self._answer = Answer()
        self._wire.put(CreateResponse(answer.event_id))
        try:
            waits_ms = self._patience.first_ms
            while not answer.is_told:
                for piece in answer.take(await self._next(answer, waits_ms)):
                    yield piece
                    waits_ms = self._patience.progress_ms
        except ProviderError as failure:
            failure.provider = self._wire.address.provider
            raise
        finally:
            self._leave(answer)

    def _is_ready(self) -> bool:
        """Whether an answer can begin: none is being given, and all that was said has its
        place.
        """
        return self._answer is None and self._ear.is_settled

    async def _until(self, condition: Callable[[], bool], within_ms: int) -> None:
        provider = self._wire.address.provider
        try:
            async with asyncio.timeout(within_ms / 1000):
                while self._results.is_open and not condition():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            # Nor will it be later: a new session will.
            said = f"the session took no further answer within {within_ms} ms"
            self._end(TooSlow(said, provider=provider))
        if not self._results.is_open:
            raise self._lost()

    async def _next(self, answer: Answer, within_ms: int) -> Event:
        try:
            async with asyncio.timeout(within_ms / 1000):
                return await answer.news()
        except TimeoutError:
            raise TooSlow(f"nothing of the answer came within {within_ms} ms") from None

    def _remember(self, prompt: Prompt) -> None:
        """The vendor remembers what the prompt says, and nothing else."""
        wanted = {"instructions": instructions_of(prompt), "tools": tools_of(prompt.tools)}
        changed = {name: value for name, value in wanted.items() if value != self._set.get(name)}
        if changed:
            self._wire.put(UpdateSession({"type": "realtime", **changed}, _event_id(_SESSION)))
            self._set = wanted
        made = change(self._items, contents_of(prompt))
        for event in (*made.deletions, *made.creations):
            self._wire.put(event)
        self._items = made.items

    def _leave(self, answer: Answer) -> None:
        """Nobody waits for it any more."""
        answer.is_unwanted = True
        if self._answer is answer and answer.id is not None:
            self._cancel(answer)

    def _cancel(self, answer: Answer) -> None:
        self._wire.put(CancelResponse(_CANCEL + answer.event_id, answer.id or UNSET))

    # --- events --------------------------------------------------------------------------

    def _committed(self, segment: Segment) -> None:
        self._items.append(HeardItem(segment))

    def _tell(self, result: Recognised) -> None:
        if self._results.is_open:
            self._results.tell(result)
            self._is_owing = self._is_owing or (result.flushed and result.text != "")
            self._rest()

    def _grow_old(self) -> None:
        self._is_old = True
        self._rest()

    def _rest(self) -> None:
        """An old session ends while nobody speaks, nor waits for an answer."""
        is_idle = self._ear.is_idle and self._answer is None and not self._is_owing
        if self._is_old and is_idle:
            self._end(self._wire.expiring())

    def _end(self, failure: ProviderError | None) -> None:
        if not self._results.is_open:
            return
        self._failure = failure
        self._results.end(failure)
        self._ear.close()
        if self._answer is not None:
            self._answer.tell(self._lost())
        if self._timer is not None:
            self._timer.cancel()
        self._news.set()

    def _lost(self) -> ProviderError:
        """Why there is no answer any more."""
        provider = self._wire.address.provider
        return self._failure or Unavailable("the conversation was closed", provider=provider)

    async def _listen(self) -> None:
        """Takes the vendor's events until the session ends."""
        try:
            while True:
                self._take(await self._wire.next())
                self._news.set()
        except ProviderError as failure:
            self._end(failure)

    def _take(self, event: Event) -> None:
        if self._ear.take(event):
            return
        answer = self._answer
        added(self._items, event)
        match event:
            case Failed(error):
                self._failed(error)
            case ResponseCreated(response) if answer is not None and answer.id is None:
                answer.id = response.id
                self._is_owing = False
                if answer.is_unwanted:
                    self._cancel(answer)
            case ResponseDone(response) if answer is not None and answer.id == response.id:
                self._tell_answer(answer, event)
                self._answer = None
                self._rest()
            case _ if answer is not None and getattr(event, "response_id", "") == answer.id:
                self._is_owing = self._is_owing or isinstance(event, CallDone)
                if not answer.is_unwanted:
                    answer.tell(event)

    def _tell_answer(self, answer: Answer, event: ResponseDone) -> None:
        details = event.response.status_details
        if event.response.status == "failed":
            error = details.error if details is not None else None
            answer.tell(self._wire.error(error or Trouble()))
        else:
            answer.tell(event)

    def _failed(self, error: Trouble) -> None:
        """Raises ``ProviderError`` where the conversation cannot go on."""
        about, answer = error.event_id or "", self._answer
        if answer is not None and about == _CANCEL + answer.event_id:
            # It had ended already.
            self._answer = None
        if about.startswith(_CANCEL) or error.code == _GONE:
            return
        if about.startswith(OURS):
            # Nobody knows what the vendor remembers; a new session will know it.
            raise self._wire.unavailable(error)
        if about.startswith(_SESSION):
            self._set = {}
        if answer is not None:
            answer.tell(self._wire.error(error))
            if about == answer.event_id:
                self._answer = None
        elif not about:
            raise self._wire.error(error)


def _event_id(kind: str) -> str:
    return kind + secrets.token_hex(8)
