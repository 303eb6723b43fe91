"""Who writes a reply: hedging, deadlines, and what is left of the losers."""

import asyncio
from contextlib import aclosing, suppress

import pytest

from antiphon_providers.errors import TooSlow
from antiphon_providers.interfaces import Chosen
from antiphon_providers.resilience.language_model import ResilientLanguageModel
from antiphon_providers.resilience.policy import Policy
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

HEDGING = Policy(hedge=True, hedge_share=1, first_ms=3000)


def attempts_left() -> list[str]:
    """The tasks of attempts that are still there."""
    names = [task.get_name() for task in asyncio.all_tasks()]
    return [name for name in names if name.startswith("ask ")]


@in_virtual_time
async def test_a_second_is_asked_when_the_first_is_slow_and_the_quicker_one_wins() -> None:
    """After 0.8 s, as long as nothing is known; the loser is stopped at once."""
    loop, watching = asyncio.get_running_loop(), Watching()
    first, second = scripted(first_ms=2000), scripted(says="Second.", first_ms=300)
    model = model_of([first, second], HEDGING, watching)
    async with aclosing(model.reply(asking())) as reply:
        assert await anext(reply) == Chosen("b", "b-1", "hedge")
        assert loop.time() == pytest.approx(1.1)
        await asyncio.sleep(0)
        assert (first.desk.active, second.desk.active) == (0, 1)
        assert text_of([piece async for piece in reply]) == "Second."
    assert watching.of("hedged") == [("hedged", "b", "None"), ("hedged", "b", "True")]
    assert not watching.of("failed", "breaker", "switched")


@in_virtual_time
async def test_the_first_may_still_win() -> None:
    """Then nothing is said of the other, which is stopped."""
    watching = Watching()
    first, second = scripted(first_ms=900), scripted(first_ms=300)
    pieces = await pieces_of(model_of([first, second], HEDGING, watching))
    assert not chosen_in(pieces)
    assert watching.of("hedged") == [("hedged", "b", "None"), ("hedged", "b", "False")]
    assert second.desk.active == 0


@in_virtual_time
async def test_a_conversation_does_not_stay_with_a_hedge() -> None:
    """Its model is well, and was slow once."""
    first, second = scripted(first_ms=2000), scripted()
    model = model_of([first, second], HEDGING)
    prompt = asking(conversation="call")
    assert chosen_in(await pieces_of(model, prompt))
    first.options = scripted(first_ms=100).options
    assert not chosen_in(await pieces_of(model, prompt))


@in_virtual_time
async def test_one_alone_is_asked_again() -> None:
    """Slowness is often a matter of luck."""
    only, watching = scripted("stall times 1"), Watching()
    pieces = await pieces_of(model_of([only], HEDGING, watching))
    assert text_of(pieces) == "All is well."
    assert not chosen_in(pieces)
    assert watching.of("hedged") == [("hedged", "a", "None"), ("hedged", "a", "True")]
    assert (only.desk.opened, only.desk.active) == (2, 0)


@pytest.mark.parametrize(("usual_ms", "hedged_at"), [(400, 0.4), (50, 0.25), (790, 0.79)])
@in_virtual_time
async def test_a_hedge_is_due_when_the_first_is_slower_than_it_usually_is(
    usual_ms: float, hedged_at: float
) -> None:
    """The 95th percentile of its last times."""
    loop = asyncio.get_running_loop()
    first, second = scripted(first_ms=usual_ms), scripted(first_ms=0)
    model = model_of([first, second], HEDGING)
    for _ in range(20):
        await pieces_of(model)
    first.options = scripted(first_ms=5000).options
    began = loop.time()
    async with aclosing(model.reply(asking())) as reply:
        assert isinstance(await anext(reply), Chosen)
        assert loop.time() - began == pytest.approx(hedged_at)


@in_virtual_time
async def test_hedges_stay_within_their_budget() -> None:
    """Of a hundred slow requests ten are hedged."""
    slow, other = scripted(first_ms=1500), scripted(first_ms=900)
    model = model_of([slow, other], Policy(hedge=True, first_ms=3000))
    for _ in range(100):
        await pieces_of(model)
    assert (slow.desk.opened, other.desk.opened) == (100, 10)


@in_virtual_time
async def test_nobody_is_hedged_unless_that_is_wanted() -> None:
    """It costs calls."""
    first, second = scripted(first_ms=900), scripted()
    await pieces_of(model_of([first, second]))
    assert second.desk.opened == 0


@in_virtual_time
async def test_a_failure_is_waited_out_where_a_hedge_already_runs() -> None:
    """The third is not asked as long as the second may answer."""
    policy = Policy(hedge=True, hedge_share=1)
    models = [scripted("unavailable", first_ms=900), scripted(first_ms=500), scripted()]
    watching = Watching()
    pieces = await pieces_of(model_of(models, policy, watching))
    assert chosen_in(pieces) == [Chosen("b", "b-1", "provider_unavailable")]
    assert models[2].desk.opened == 0
    assert watching.of("switched") == [("switched", "a", "b", "provider_unavailable")]


@in_virtual_time
async def test_the_third_is_asked_when_both_had_their_time() -> None:
    """A second from the later one's beginning."""
    loop = asyncio.get_running_loop()
    policy = Policy(hedge=True, hedge_share=1)
    models = [scripted("stall"), scripted("stall at open"), scripted()]
    async with aclosing(model_of(models, policy).reply(asking())) as reply:
        assert await anext(reply) == Chosen("c", "c-1", "provider_timeout")
        assert loop.time() == pytest.approx(1.9)


@in_virtual_time
async def test_a_hanging_provider_is_found_out_although_hedges_save_its_replies() -> None:
    """One that loses by so much that its time is over has failed."""
    policy = Policy(hedge=True, hedge_share=1)
    watching = Watching()
    model = model_of([scripted("stall"), scripted(first_ms=300)], policy, watching)
    for _ in range(4):
        await pieces_of(model)
    assert watching.of("failed") == [("failed", "a", "provider_timeout")] * 3
    assert watching.of("breaker") == [("breaker", "a", "open")]


@in_virtual_time
async def test_one_that_is_left_alone_is_no_hedge() -> None:
    """The same one is asked again instead."""
    first, second = scripted(first_ms=100), scripted()
    model, loop = model_of([first, second], HEDGING), asyncio.get_running_loop()
    _, b = model.candidates
    b.breaker.trip(TooSlow("late"), loop.time())
    dead(first, "stall times 1")
    assert text_of(await pieces_of(model)) == "All is well."
    assert (first.desk.opened, second.desk.opened) == (2, 0)


@pytest.mark.parametrize("after_s", [0.0, 0.5, 0.9, 1.12])
@in_virtual_time
async def test_cancelling_the_iteration_stops_all_attempts_within_20_ms(after_s: float) -> None:
    """Before, while and after two run; nothing is left of them, and nobody is blamed."""
    loop, watching = asyncio.get_running_loop(), Watching()
    models = [scripted(first_ms=1500), scripted(first_ms=300)]
    policy = Policy(hedge=True, hedge_share=1, first_ms=3000)
    reading = asyncio.create_task(pieces_of(model_of(models, policy, watching)))
    await asyncio.sleep(after_s)
    reading.cancel()
    began = loop.time()
    with suppress(asyncio.CancelledError):
        await reading
    assert reading.cancelled()
    assert loop.time() - began <= 0.02
    assert [model.desk.active for model in models] == [0, 0]
    assert not attempts_left()
    assert not watching.of("failed", "breaker")


async def closed_after_first(model: ResilientLanguageModel) -> None:
    """A reader that wants one piece."""
    async with aclosing(model.reply(asking())) as reply:
        await anext(reply)


@in_virtual_time
async def test_closing_the_iteration_leaves_nothing_behind() -> None:
    """Also at the piece that says who writes."""
    models = [scripted(first_ms=2000), scripted()]
    model = model_of(models, HEDGING)
    await closed_after_first(model)
    assert [one.desk.active for one in models] == [0, 0]
    assert not attempts_left()


@in_virtual_time
async def test_a_probe_whose_reply_is_cut_short_has_succeeded() -> None:
    """A caller who interrupts must not keep a model from being trusted again."""
    first, watching = scripted("unavailable times 3"), Watching()
    model = model_of([first], HEDGING, watching)
    for _ in range(3):
        with suppress(Exception):
            await pieces_of(model)
    await asyncio.sleep(5)
    await closed_after_first(model)
    assert [told[2] for told in watching.of("breaker")] == ["open", "half_open", "closed"]


@in_virtual_time
async def test_a_probe_that_is_given_up_lets_another_be_made() -> None:
    """Not before five seconds after it."""
    first, second = scripted("unavailable times 3"), scripted()
    model, loop = model_of([first, second]), asyncio.get_running_loop()
    for _ in range(3):
        await pieces_of(model)
    await asyncio.sleep(5)
    with suppress(TimeoutError):
        async with asyncio.timeout(0.05):
            await pieces_of(model)
    probed = loop.time()
    while first.desk.opened == 4:
        await pieces_of(model)
    assert loop.time() - probed >= 4.9
    assert not chosen_in(await pieces_of(model))
