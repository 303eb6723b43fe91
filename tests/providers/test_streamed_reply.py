"""A reply that streams over HTTP, whichever vendor's events they are."""

from __future__ import annotations

import httpx
import pytest

from antiphon_providers.errors import Malformed, ProviderError, TooSlow, Unavailable
from antiphon_providers.interfaces import Said, Spent, Used
from antiphon_providers.streamed_reply import Question, streamed
from antiphon_providers.vendor_http import Endpoint, Patience, VendorHttp, check
from raw_http import LAST_CHUNK, STREAM_HEAD, Answer, Exchange, raw_server


class Letters:
    """Each event is text; ``.`` ends the reply, ``!`` is none of them, ``,`` is no progress."""

    def __init__(self) -> None:
        self.done = False
        self.steps = 0

    def take(self, data: str) -> list[Said]:
        """The letter itself."""
        if data == "!":
            raise Malformed("an exclamation")
        self.done = data == "."
        self.steps += data != ","
        return [] if data in {".", ","} else [Said(data)]

    def finish(self) -> list[Used | Spent]:
        """How many there were."""
        if not self.done:
            raise Unavailable("it broke off")
        return [Spent(0, self.steps)]


async def kind_of(response: httpx.Response, patience: Patience) -> None:
    """Any success will do."""
    await check(response, patience)


async def told(
    answer: Answer, *, first_ms: int = 5000, progress_ms: int = 5000
) -> tuple[list[Said | Used | Spent], ProviderError | None]:
    """The pieces of a reply, and what it failed with."""
    pieces: list[Said | Used | Spent] = []
    async with raw_server(answer) as server:
        http = VendorHttp(Endpoint("vendor", server.url))
        http.open()
        patience = Patience(first_ms, progress_ms)
        try:
            question = Question("/ask", b"{}", kind_of)
            answered = streamed(http, patience, question, Letters())
            # One by one, for what came before a failure counts.
            while (piece := await anext(answered, None)) is not None:
                pieces.append(piece)
        except ProviderError as failure:
            return pieces, failure
        finally:
            await http.close()
    return pieces, None


def saying(*letters: str, lasts: bool = False) -> Answer:
    """A server that says this, and then goes on, or not."""

    async def answer(exchange: Exchange) -> None:
        await exchange.send(STREAM_HEAD)
        await exchange.chunks(*(f"data: {letter}\n\n".encode() for letter in letters))
        if lasts:
            await exchange.until_left()
        else:
            await exchange.send(LAST_CHUNK)

    return answer


async def test_the_pieces_come_as_they_are_written_and_then_what_they_cost() -> None:
    """In order; what follows the end is not read."""
    assert await told(saying("a", ",", "b", ".", "c")) == (
        [Said("a"), Said("b"), Spent(0, 3)],
        None,
    )


async def test_what_was_said_before_a_failure_is_told() -> None:
    """An event that is none, or an end before the reply's own; the provider is named."""
    for letters, kind in ((("a", "!"), Malformed), (("a",), Unavailable)):
        pieces, failure = await told(saying(*letters))
        assert pieces == [Said("a")]
        assert isinstance(failure, kind)
        assert failure.provider == "vendor"


@pytest.mark.parametrize("letters", [(), (",", ",")])
async def test_a_reply_that_does_not_come_forward_is_too_slow(letters: tuple[str, ...]) -> None:
    """Events that say nothing are no progress."""
    pieces, failure = await told(saying(*letters, lasts=True), first_ms=50)
    assert (pieces, type(failure)) == ([], TooSlow)
    pieces, failure = await told(saying("a", *letters, lasts=True), progress_ms=50)
    assert (pieces, type(failure)) == ([Said("a")], TooSlow)


async def test_a_close_ends_the_reply_without_an_error() -> None:
    """Whoever closed the provider knows."""
    async with raw_server(saying("a", lasts=True)) as server:
        http = VendorHttp(Endpoint("vendor", server.url))
        http.open()
        pieces = streamed(http, Patience(5000, 5000), Question("/ask", b"{}", kind_of), Letters())
        assert await anext(pieces) == Said("a")
        await http.close()
        assert [piece async for piece in pieces] == []
