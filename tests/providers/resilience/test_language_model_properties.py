"""What holds whatever goes wrong, and whenever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from antiphon_providers.errors import ProviderError, Unavailable
from antiphon_providers.interfaces import Piece, Prompt, Said
from antiphon_providers.resilience.policy import Policy
from antiphon_providers.scripted import Fault, ScriptedLanguageModel
from providers.resilience.watching import Watching, asking, model_of, scripted, text_of
from virtual_time import run

FAULTS = (
    "",
    "",
    "",
    "unavailable at open",
    "refused at open",
    "stall at open",
    "unavailable",
    "malformed",
    "too_slow",
    "stall",
    "empty",
    "unavailable after 1",
    "malformed after 2",
    "stall after 3",
)


class Turn(Struct, frozen=True):
    """One request: when, how each candidate will do, and when the caller has heard enough."""

    gap_s: float
    faults: tuple[str, ...]
    first_ms: tuple[int, ...]
    patience_s: float
    conversation: str


CANDIDATES = 3
TURNS = st.lists(
    st.builds(
        Turn,
        st.sampled_from([0.0, 0.1, 1.0, 6.0, 70.0]),
        st.tuples(*[st.sampled_from(FAULTS)] * CANDIDATES),
        st.tuples(*[st.sampled_from([0, 100, 700, 1000, 1400, 5990])] * CANDIDATES),
        st.sampled_from([0.0, 0.3, 0.8, 1.05, 2.0, 60.0]),
        st.sampled_from(["", "one", "two"]),
    ),
    max_size=12,
)


def text(name: str, turn: int) -> str:
    """What a candidate says in a turn: in nobody else's mouth, nor in another turn."""
    return f"{name}{turn} says {name}{turn} and is {name}{turn}."


async def take(turns: list[Turn], policy: Policy, amount: int) -> None:
    """Takes the turns one after the other, and checks each."""
    loop, watching = asyncio.get_running_loop(), Watching()
    models = [scripted() for _ in range(amount)]
    model = model_of(models, policy, watching)
    for number, turn in enumerate(turns):
        await asyncio.sleep(turn.gap_s)
        for name, scripted_model, fault, first_ms in zip(
            "abc", models, turn.faults, turn.first_ms, strict=False
        ):
            script = scripted(fault, says=text(name, number), first_ms=first_ms)
            scripted_model.options = script.options
            scripted_model._replies = [text(name, number)]
            scripted_model.desk.fault = Fault.parse(fault)
        asked, began = opened(models), loop.time()
        heard: list[Piece] = []
        failure = await listen(model.reply(asking("x", turn.conversation)), heard, turn.patience_s)
        # At most one candidate is heard, from its beginning, and each word once.
        words = text_of(heard)
        assert any(text(name, number).startswith(words) for name in "abc")
        whole = any(text(name, number) == words for name in "abc")
        assert whole or failure is not None
        # Silence is over within the budget, or the caller is told so.
        if not words and failure is not None:
            assert loop.time() - began <= policy.budget_ms / 1000 + 0.001
        # Each is asked once, and one of them twice at most.
        assert opened(models) - asked <= amount + 1
        # Nothing is left of it.
        assert all(one.desk.active == 0 for one in models)
        assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("ask")]
    hedges = [told for told in watching.of("hedged") if told[2] == "None"]
    assert len(hedges) <= policy.hedge_share * len(turns) + 1e-6
    assert len(watching.of("hedged")) == 2 * len(hedges)


def opened(models: list[ScriptedLanguageModel]) -> int:
    """How often they were asked, all together."""
    return sum(model.desk.opened for model in models)


async def listen(
    reply: AsyncGenerator[Piece, None], heard: list[Piece], patience_s: float
) -> BaseException | None:
    """Why it ended before its end."""

    async def read() -> None:
        async for piece in reply:
            heard.append(piece)  # noqa: PERF401 - what came before a failure must be kept

    reading = asyncio.create_task(read())
    done, _ = await asyncio.wait([reading], timeout=patience_s)
    if not done:
        reading.cancel()
        await asyncio.wait([reading])
        return asyncio.CancelledError()
    failure = reading.exception()
    assert failure is None or isinstance(failure, ProviderError)
    return failure


@given(TURNS, st.sampled_from([0.0, 0.1, 1.0]), st.integers(1, CANDIDATES))
def test_one_candidate_is_heard_once_and_nothing_is_left(
    turns: list[Turn], hedge_share: float, amount: int
) -> None:
    """Whatever the candidates do, and whenever the caller hangs up."""
    policy = Policy(hedge=hedge_share > 0, hedge_share=hedge_share)
    run(take(turns, policy, amount))


class Dead:
    """A provider that fails always; ``asked`` is when, on the loop's clock."""

    name = "dead"

    def __init__(self, hangs: bool) -> None:
        self.hangs = hangs
        self.asked: list[float] = []

    async def start(self) -> None:
        """As if it were well."""

    async def close(self) -> None:
        """Nothing."""

    async def reply(self, _prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """Nothing, after an eternity or at once."""
        self.asked.append(asyncio.get_running_loop().time())
        if self.hangs:
            await asyncio.Event().wait()
            yield Said("never")
        raise Unavailable("dead")


async def call(dead: Dead, spare: ScriptedLanguageModel, gaps: list[float]) -> Watching:
    """Asks, so many times at such distances, all requests on their own."""
    watching = Watching()
    model = model_of([dead, spare], Policy(hedge=True), watching)
    for gap_s in gaps:
        await asyncio.sleep(gap_s)
        await listen(model.reply(asking()), [], 60)
    return watching


GAPS = st.lists(st.floats(0, 8), min_size=1, max_size=120)


@given(GAPS, st.booleans())
def test_a_dead_provider_is_probed_at_most_once_in_five_seconds(
    gaps: list[float], hangs: bool
) -> None:
    """Once it is known to be dead; before that three times and once more for a hedge."""
    dead = Dead(hangs)
    run(call(dead, scripted(), gaps))
    assert all(later - earlier >= 5 for earlier, later in pairwise(dead.asked[4:]))
    assert len(dead.asked) <= 1.2 * len(gaps)


@given(st.floats(0.5, 5), st.booleans())
@settings(deadline=None)
def test_a_dead_provider_makes_no_storm_of_attempts(gap_s: float, hangs: bool) -> None:
    """Of 150 requests, all candidates together are asked at most 180 times, and all answer."""
    dead, spare = Dead(hangs), scripted()
    watching = run(call(dead, spare, [gap_s] * 150))
    assert len(dead.asked) + spare.desk.opened <= 1.2 * 150
    assert len(watching.of("finished")) == 150
