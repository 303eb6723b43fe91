"""Several language models as one that goes on when one of them fails."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from antiphon_providers.contract.language_model import LanguageModelContract
from antiphon_providers.errors import ProviderError, Refused, TooSlow, Unavailable
from antiphon_providers.interfaces import Chosen, Piece, Prompt, Said, ToolUse, Used
from antiphon_providers.resilience.language_model import ResilientLanguageModel
from antiphon_providers.resilience.policy import Policy
from antiphon_providers.scripted import ScriptedLanguageModel
from antiphon_providers.scripted.language_model import said
from providers.resilience.watching import (
    Watching,
    asking,
    chosen_in,
    dead,
    model_of,
    pieces_of,
    scripted,
    text_of,
)
from virtual_time import in_virtual_time


class Raising:
    """A model that raises what it is given, before or after a first word."""

    name = "raising"

    def __init__(self, error: Exception, after: str = "") -> None:
        self.error = error
        self.after = after
        self.asked = 0

    async def start(self) -> None:
        """Fails with a failure of ours."""
        if isinstance(self.error, ProviderError):
            raise self.error

    async def close(self) -> None:
        """Nothing."""

    async def reply(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """The error."""
        self.asked += 1
        await asyncio.sleep(0)
        if self.after:
            yield Said(f"{self.after}{len(prompt.messages)}")
        raise self.error


class TestWhileAllIsWell(LanguageModelContract):
    """The wrapper is a language model like any other."""

    def make(self) -> ResilientLanguageModel:
        """Two that are well, hedged."""
        return model_of([scripted(), scripted()], Policy(hedge=True))


class TestWhileTheFirstIsDead(LanguageModelContract):
    """Also when the second does all the work."""

    def make(self) -> ResilientLanguageModel:
        """One that refuses connections, and one that is well."""
        models = [scripted("unavailable at open"), scripted()]
        return model_of(models)


@in_virtual_time
async def test_the_first_answers_when_it_can_and_nobody_else_is_asked() -> None:
    """Its reply is given as it is, without a word about who wrote it."""
    first, second, watching = scripted(), scripted(), Watching()
    pieces = await pieces_of(model_of([first, second], watching=watching))
    assert pieces == await pieces_of(first)
    assert second.desk.opened == 0
    assert watching.told == [("began", "a"), ("finished", "a")]
    assert watching.times["began", "a"] == [pytest.approx(0.1)]
    assert watching.times["finished", "a"] == [pytest.approx(0.16)]


@pytest.mark.parametrize(
    ("fault", "code", "begins_s"),
    [
        ("unavailable at open", "provider_unavailable", 0.1),
        ("refused at open", "provider_refused", 0.1),
        ("unavailable", "provider_unavailable", 0.2),
        ("malformed", "provider_malformed", 0.2),
        ("too_slow", "provider_timeout", 0.2),
        ("empty", "provider_malformed", 0.2),
        ("stall at open", "provider_timeout", 1.1),
        ("stall", "provider_timeout", 1.1),
    ],
)
@in_virtual_time
async def test_the_next_is_asked_when_the_first_says_nothing(
    fault: str, code: str, begins_s: float
) -> None:
    """Whatever went wrong; at once where it is known, after a second where nothing comes."""
    loop, watching = asyncio.get_running_loop(), Watching()
    model = model_of([scripted(fault), scripted(says="Second.")], watching=watching)
    async with aclosing(model.reply(asking())) as reply:
        assert await anext(reply) == Chosen("b", "b-1", code)
        assert loop.time() == pytest.approx(begins_s)
        assert await anext(reply) == Said("Second.")
    assert watching.of("failed", "switched") == [
        ("failed", "a", code),
        ("switched", "a", "b", code),
    ]


@in_virtual_time
async def test_all_are_asked_in_order_and_the_last_failure_is_raised() -> None:
    """Each once."""
    models = [scripted("unavailable"), scripted("empty"), scripted("malformed at open")]
    watching = Watching()
    with pytest.raises(ProviderError, match="scripted to be malformed"):
        await pieces_of(model_of(models, watching=watching))
    assert [model.desk.opened for model in models] == [1, 1, 1]
    assert [told[1] for told in watching.of("failed")] == ["a", "b", "c"]
    assert not watching.of("switched")


@in_virtual_time
async def test_the_last_has_what_is_left_of_the_budget() -> None:
    """Three seconds from the only one are better than an apology; none in six is the end."""
    loop = asyncio.get_running_loop()
    assert text_of(await pieces_of(model_of([scripted(first_ms=3000)]))) == "All is well."
    began = loop.time()
    with pytest.raises(TooSlow, match="b said nothing within 6000 ms"):
        await pieces_of(model_of([scripted("stall"), scripted("stall at open")]))
    assert loop.time() - began == pytest.approx(6)


@in_virtual_time
async def test_nothing_is_retried_after_the_first_piece() -> None:
    """A failure then is raised, after what was said; so is a stream that stops."""
    loop = asyncio.get_running_loop()
    for fault, limit_s in (("unavailable after 2", 0.2), ("stall after 2", 5.2)):
        first, second, watching = scripted(fault), scripted(), Watching()
        model, began, heard = model_of([first, second], watching=watching), loop.time(), ""
        with pytest.raises(ProviderError):  # noqa: PT012 - what came before it must be kept
            async for piece in model.reply(asking()):
                heard += text_of([piece])
        assert heard == "All is"
        assert loop.time() - began <= limit_s
        assert second.desk.opened == first.desk.active == 0
        assert len(watching.of("failed")) == 1


@in_virtual_time
async def test_a_slow_reader_is_no_stalled_stream() -> None:
    """Only waiting for the model counts, also for how long its answer took."""
    watching = Watching()
    model, heard = model_of([scripted()], watching=watching), []
    async for piece in model.reply(asking()):
        heard.append(piece)
        await asyncio.sleep(30)
    assert text_of(heard) == "All is well."
    assert watching.times["finished", "a"] == [pytest.approx(0.16)]


@in_virtual_time
async def test_white_space_is_no_progress() -> None:
    """Before a word it is kept back, and given out with it; without one the reply is empty."""
    blank = ScriptedLanguageModel(answer=lambda _: [Said(" \n"), Said("")])
    spaced = ScriptedLanguageModel(answer=lambda _: [Said(" "), *said("Yes.")])
    model = model_of([blank, spaced])
    assert await pieces_of(model) == [
        Chosen("b", "b-1", "provider_malformed"),
        Said(" "),
        Said("Yes."),
    ]


@in_virtual_time
async def test_endless_white_space_is_no_reply() -> None:
    """Neither at the beginning, nor after a word."""

    class Blank(Raising):
        async def reply(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
            if self.after:
                yield Said(self.after)
            while prompt:
                await asyncio.sleep(0.5)
                yield Said(" ")

    pieces = await pieces_of(model_of([Blank(ValueError()), scripted()]))
    assert chosen_in(pieces) == [Chosen("b", "b-1", "provider_timeout")]
    with pytest.raises(TooSlow, match="a stopped for 5 s"):
        await pieces_of(model_of([Blank(ValueError(), "Well"), scripted()]))


@in_virtual_time
async def test_a_call_of_a_tool_is_a_beginning_too() -> None:
    """It is given out once, and not made again by another model."""
    use = Used(ToolUse("call_1", "weather", {}))
    second = scripted()
    model = model_of([ScriptedLanguageModel(answer=lambda _: [use]), second])
    assert await pieces_of(model) == [use]
    assert second.desk.opened == 0


@pytest.mark.parametrize("status", [400, 413, 422])
@in_virtual_time
async def test_a_refusal_of_the_request_itself_is_raised_at_once(status: int) -> None:
    """Nobody else is asked, and the model is not left alone for it."""
    watching, second = Watching(), scripted()
    model = model_of([Raising(Refused("no", status_code=status)), second], watching=watching)
    for _ in range(5):
        with pytest.raises(Refused):
            await pieces_of(model)
    assert second.desk.opened == 0
    assert not watching.of("breaker", "switched")


@in_virtual_time
async def test_a_refusal_of_the_key_goes_on_to_the_next_and_is_not_repeated() -> None:
    """The breaker opens at once, and whoever asks within five seconds gets the second."""
    first, watching = Raising(Refused("wrong key", status_code=401)), Watching()
    model = model_of([first, scripted()], watching=watching)
    for _ in range(3):
        assert text_of(await pieces_of(model)) == "All is well."
    assert first.asked == 1
    assert watching.of("breaker") == [("breaker", "a", "open")]
    assert [told[3] for told in watching.of("switched")] == [
        "provider_refused",
        "breaker_open",
        "breaker_open",
    ]


@in_virtual_time
async def test_a_candidates_defect_is_its_failure_and_no_end_of_the_call() -> None:
    """An exception that is none of ours is one that another may not have."""
    model = model_of([Raising(KeyError("choices")), scripted()])
    assert chosen_in(await pieces_of(model)) == [Chosen("b", "b-1", "provider_unavailable")]
    with pytest.raises(Unavailable, match="a failed with KeyError") as raised:
        await pieces_of(model_of([Raising(KeyError("choices"), "Well")]))
    assert isinstance(raised.value.__cause__, KeyError)


@in_virtual_time
async def test_nobody_is_asked_while_all_are_left_alone() -> None:
    """It is told at once, with the time after which asking may help; then it works again."""
    candidates = [scripted("unavailable times 3"), scripted("unavailable times 3")]
    model, loop = model_of(candidates), asyncio.get_running_loop()
    for _ in range(3):
        with pytest.raises(Unavailable, match="scripted"):
            await pieces_of(model)
    began = loop.time()
    with pytest.raises(Unavailable, match="no language model can be asked now") as raised:
        await pieces_of(model)
    assert loop.time() == began
    assert raised.value.retry_after_s == pytest.approx(5, abs=0.2)
    await asyncio.sleep(5)
    assert text_of(await pieces_of(model)) == "All is well."


@in_virtual_time
async def test_who_is_alone_is_always_asked() -> None:
    """An attempt that may succeed is better for the caller than a refusal."""
    model, watching = model_of([scripted("unavailable times 4")]), Watching()
    model.observer = watching
    for _ in range(4):
        with pytest.raises(Unavailable, match="scripted"):
            await pieces_of(model)
    assert watching.of("breaker")[0][2] == "open"
    assert text_of(await pieces_of(model)) == "All is well."
    assert watching.of("breaker")[-1][2] == "closed"


@in_virtual_time
async def test_a_conversation_stays_with_the_one_that_took_over() -> None:
    """Until that one is left alone; another conversation begins with the first."""
    first, second = scripted("unavailable times 1", says="First."), scripted(says="Second.")
    model = model_of([first, second])
    mine, other = asking(conversation="mine"), asking(conversation="other")
    assert text_of(await pieces_of(model, mine)) == "Second."
    assert await pieces_of(model, other) == await pieces_of(first)
    pieces = await pieces_of(model, mine)
    assert (text_of(pieces), chosen_in(pieces)) == ("Second.", [Chosen("b", "b-1", "kept")])
    dead(second)
    pieces = await pieces_of(model, mine)
    assert chosen_in(pieces) == [Chosen("a", "a-1", "provider_unavailable")]
    assert not chosen_in(await pieces_of(model, mine))


@in_virtual_time
async def test_no_text_of_two_candidates_is_mixed() -> None:
    """What a model said before anybody was to hear it is thrown away with it."""

    class Late(Raising):
        async def reply(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
            yield Said(" " * len(prompt.messages))
            await asyncio.sleep(1.5)
            yield Said("First.")

    model = model_of([Late(ValueError()), scripted(says="Second.", first_ms=900)])
    assert text_of(await pieces_of(model)) == "Second."


async def test_a_closed_wrapper_ends_its_replies() -> None:
    """Without an error, as any language model."""
    model = model_of([scripted("stall after 1", first_ms=0)])
    await model.start()
    begun = asyncio.Event()

    async def listen() -> list[Piece]:
        heard = []
        async for piece in model.reply(asking()):
            heard.append(piece)
            begun.set()
        return heard

    listening = asyncio.create_task(listen())
    await begun.wait()
    await model.close()
    assert await listening == [Said("All")]


async def test_the_observer_can_be_replaced() -> None:
    """As the server does after it made the provider."""
    model, watching = model_of([scripted(first_ms=0)]), Watching()
    model.observer = watching
    assert model.observer is watching
    await pieces_of(model)
    assert watching.told == [("began", "a"), ("finished", "a")]


@in_virtual_time
async def test_after_a_reply_that_broke_off_the_conversation_goes_on_with_another() -> None:
    """What was said cannot be taken back, but the next reply need not break off as well."""
    first, second = Raising(Unavailable("gone"), after="well "), scripted()
    model, prompt = model_of([first, second]), asking(conversation="call")
    with pytest.raises(Unavailable):
        await pieces_of(model, prompt)
    assert text_of(await pieces_of(model, prompt)) == text_of(await pieces_of(second, prompt))
    assert first.asked == 1
