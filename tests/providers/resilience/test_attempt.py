"""One candidate's reply, written in a task of its own."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

import pytest

from antiphon_providers.interfaces import Chosen, Piece, Prompt, Said, Spent, ToolUse, Used
from antiphon_providers.resilience.attempt import Attempt, is_useful
from antiphon_providers.resilience.candidates import Candidate
from antiphon_providers.resilience.policy import Policy
from providers.resilience.watching import asking, scripted
from virtual_time import in_virtual_time


class Stubborn:
    """A model whose generator does as it is told by a method of the test."""

    name = "stubborn"

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.given = 0
        self.tasks: set[asyncio.Task[object] | None] = set()

    async def start(self) -> None:
        """Nothing."""

    async def close(self) -> None:
        """Nothing."""

    def reply(self, prompt: Prompt) -> AsyncIterator[Piece]:
        """Endless, or deaf to cancelling, or holding a task group."""
        return {"endless": self._endless, "deaf": self._deaf, "grouped": self._grouped}[self.kind](
            prompt
        )

    async def _endless(self, _prompt: Prompt) -> AsyncGenerator[Piece, None]:
        while True:
            self.given += 1
            yield Said("on ")

    async def _deaf(self, _prompt: Prompt) -> AsyncGenerator[Piece, None]:
        while True:
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                self.given += 1
            yield Said("on ")

    async def _grouped(self, _prompt: Prompt) -> AsyncGenerator[Piece, None]:
        async with asyncio.TaskGroup() as group, asyncio.timeout(10):
            self.tasks.add(asyncio.current_task())
            never = group.create_task(asyncio.sleep(1000))
            yield Said("one")
            self.tasks.add(asyncio.current_task())
            yield Said("two")
            never.cancel()


def attempt_of(model: object, wake: asyncio.Event | None = None) -> Attempt:
    """One that began."""
    policy = Policy()
    candidate = Candidate(model, policy)  # type: ignore[type-var]
    permit = candidate.breaker.enter(0)
    assert permit is not None
    clock = asyncio.get_running_loop().time
    wake = wake or asyncio.Event()
    return Attempt(candidate, permit, asking(), clock, wake.set)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("piece", "useful"),
    [
        (Said("a"), True),
        (Said(" a"), True),
        (Said(""), False),
        (Said(" \n\t"), False),
        (Used(ToolUse("1", "x", {})), True),
        (Spent(1, 1), False),
        (Chosen("a"), False),
    ],
)
def test_words_and_calls_bring_a_reply_forward(piece: Piece, useful: bool) -> None:
    """White space, prices and names do not."""
    assert is_useful(piece) == useful


@in_virtual_time
async def test_it_wakes_at_the_first_useful_piece_and_at_the_end() -> None:
    """And knows when that was."""
    wake = asyncio.Event()
    attempt = attempt_of(scripted(says="One."), wake)
    await wake.wait()
    assert attempt.useful_after == pytest.approx(0.1)
    assert [piece async for piece in attempt.pieces(1)] == [Said("One."), Spent(1, 1)]
    assert attempt.complete_after == pytest.approx(0.12)
    assert attempt.failure is None


@in_virtual_time
async def test_an_endless_reply_waits_for_its_reader() -> None:
    """It is not gathered without bounds, and it ends when it is cancelled."""
    model = Stubborn("endless")
    attempt = attempt_of(model)
    await asyncio.sleep(1)
    assert model.given <= 70
    attempt.cancel()
    await Attempt.gone([attempt])
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("ask")]


@in_virtual_time
async def test_one_that_does_not_hear_that_it_is_cancelled_ends_at_its_next_piece() -> None:
    """Nobody reads that piece."""
    model = Stubborn("deaf")
    attempt = attempt_of(model)
    await asyncio.sleep(0.025)
    attempt.cancel()
    await Attempt.gone([attempt])
    assert model.given == 1
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("ask")]


@in_virtual_time
async def test_a_generator_lives_in_one_task() -> None:
    """So it may hold a task group and a timeout between its pieces."""
    model = Stubborn("grouped")
    attempt = attempt_of(model)
    assert [piece async for piece in attempt.pieces(1)] == [Said("one"), Said("two")]
    assert len(model.tasks) == 1
