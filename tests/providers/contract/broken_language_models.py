"""Language models that each break one promise, under their contract."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator

from antiphon_providers.contract.language_model import LanguageModelContract
from antiphon_providers.interfaces import Piece, Prompt, Said, Spent
from antiphon_providers.scripted import ScriptedLanguageModel


def of(
    twin: type[ScriptedLanguageModel], patience_s: float = 2.5, *, unreachable: bool = False
) -> type:
    """The contract of a twin, with little patience where it is to be found out."""
    methods: dict[str, object] = {"make": lambda _: twin(), "patience_s": patience_s}
    if unreachable:
        methods["make_unreachable"] = lambda _: twin()
    return type(f"Test{twin.__name__}", (LanguageModelContract,), methods)


class Sound(ScriptedLanguageModel):
    """Breaks none."""


class Mute(ScriptedLanguageModel):
    """Has nothing to say."""

    async def reply(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """No words."""
        yield Spent(len(prompt.messages), 0)


class Prepaid(ScriptedLanguageModel):
    """Tells the cost first."""

    async def reply(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """The wrong way round."""
        yield Spent(len(prompt.messages), 1)
        yield Said("Hello.")


class Stalled(ScriptedLanguageModel):
    """Never comes to an end."""

    async def reply(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """One word."""
        del prompt
        yield Said("Hello")
        await asyncio.Event().wait()


class Blocking(ScriptedLanguageModel):
    """Keeps the event loop from everybody else."""

    async def reply(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """Waits without letting others run."""
        del prompt
        threading.Event().wait(0.8)
        yield Said("Hello.")


class Stubborn(ScriptedLanguageModel):
    """Does not hear that it is interrupted."""

    async def reply(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """Goes on after a cancellation."""
        del prompt
        for word in ("You", " said:", " Hello."):
            try:
                yield Said(word)
                await asyncio.sleep(0.05)
            except asyncio.CancelledError:
                continue


class Single(ScriptedLanguageModel):
    """Serves one reply at a time."""

    busy = False

    async def reply(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """Fails while another is written."""
        if self.busy:
            raise RuntimeError("busy")
        self.busy = True
        try:
            await asyncio.sleep(0)
            yield Said(f"{len(prompt.messages)} messages.")
        finally:
            self.busy = False


class Choking(ScriptedLanguageModel):
    """Takes it for granted that somebody spoke."""

    async def reply(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """Fails on an empty prompt with an error of Python's."""
        yield Said(prompt.messages[-1].content)


class Deserted(ScriptedLanguageModel):
    """Forgets its replies when it closes."""

    async def close(self) -> None:
        """They wait for ever."""

    async def reply(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """Whole where nobody closes it."""
        del prompt
        yield Said("Hello.")
        if len(asyncio.all_tasks()) > 1:
            await asyncio.Event().wait()


class Untidy(ScriptedLanguageModel):
    """Leaves work behind."""

    async def start(self) -> None:
        """Work without an end."""
        self.work = asyncio.create_task(asyncio.Event().wait())


class Talkative(ScriptedLanguageModel):
    """Lets a library's error out."""

    async def reply(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """Its service is not there."""
        raise ConnectionRefusedError(f"port 9, {len(prompt.messages)} messages")
        yield Said("")


TestSound = of(Sound, patience_s=60)
TestMute = of(Mute)
TestPrepaid = of(Prepaid)
TestStalled = of(Stalled)
TestBlocking = of(Blocking)
TestStubborn = of(Stubborn)
TestSingle = of(Single)
TestChoking = of(Choking)
TestDeserted = of(Deserted)
TestUntidy = of(Untidy)
TestTalkative = of(Talkative, unreachable=True)
