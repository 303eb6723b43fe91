"""A language model's reply that streams as server-sent events over HTTP, whichever the vendor."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from typing import Protocol

import httpx
from msgspec import Struct

from antiphon_providers.errors import ProviderError
from antiphon_providers.interfaces import Said, Spent, Used
from antiphon_providers.sse import EventReader
from antiphon_providers.vendor_http import Patience, VendorHttp, drain

_HEADERS = {"Accept": "text/event-stream", "Content-Type": "application/json"}


class Assembly(Protocol):
    """Puts a reply together; ``steps`` counts what brought it forward."""

    done: bool
    steps: int

    def take(self, data: str) -> Iterable[Said]:
        """The text in the next event. Raises ``ProviderError``."""
        ...

    def finish(self) -> Iterable[Used | Spent]:
        """What is known at its end. Raises ``ProviderError``."""
        ...


class Question(Struct, frozen=True):
    """What is asked, and what raises where the answer is no stream of events."""

    path: str
    body: bytes
    check: Callable[[httpx.Response, Patience], Awaitable[None]]


async def streamed(
    http: VendorHttp, patience: Patience, question: Question, reply: Assembly
) -> AsyncGenerator[Said | Used | Spent, None]:
    """The reply as it is written; it ends early where ``http`` is closed meanwhile.

    Raises ``ProviderError``.
    """
    try:
        async with aclosing(_answer(http, patience, question, reply)) as pieces:
            async for piece in pieces:
                yield piece
    except ProviderError:
        if not http.closed:
            raise


async def _answer(
    http: VendorHttp, patience: Patience, question: Question, reply: Assembly
) -> AsyncGenerator[Said | Used | Spent, None]:
    async with http.exchange(patience, "POST", question.path, question.body, _HEADERS) as response:
        await question.check(response, patience)
        raw, events = response.aiter_raw(), EventReader()
        while not reply.done and (received := await patience.wait(anext(raw, b""))):
            steps = reply.steps
            for said in [said for data in events.feed(received) for said in reply.take(data)]:
                yield said
            if reply.steps > steps:
                patience.renew()
        for piece in reply.finish():
            yield piece
        await drain(raw)
