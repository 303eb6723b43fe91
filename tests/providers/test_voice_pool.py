"""Connections to voices: who opens, who finds, who leaves them."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from antiphon_providers.cartesia import Cartesia, CartesiaOptions
from antiphon_providers.contract.text_to_speech import spoken
from antiphon_providers.errors import Unavailable
from fakes.cartesia import FakeCartesia
from fakes.voice_contexts import KEY, Fault


class Notebook:
    """Writes down how often there was a new connection."""

    def __init__(self) -> None:
        self.connections: list[str] = []

    def connected(self, provider: str, seconds: float) -> None:
        """There is one."""
        assert seconds >= 0
        self.connections.append(provider)

    def __getattr__(self, name: str) -> object:
        raise AssertionError(name)


async def test_the_observer_of_the_time_is_told_of_each_connection() -> None:
    """Also one that came after the voice was made."""
    async with FakeCartesia() as fake:
        provider = Cartesia(CartesiaOptions(api_key=KEY, base_url=fake.url))
        notebook = Notebook()
        provider.observer = notebook  # type: ignore[assignment]
        await provider.start()
        await spoken(provider, "anna", "Hello.")
        await provider.close()
    assert notebook.connections == ["cartesia"]


async def test_a_voice_that_does_not_run_says_so() -> None:
    """Before its start and after its end."""
    async with FakeCartesia() as fake:
        provider = Cartesia(CartesiaOptions(api_key=KEY, base_url=fake.url))
        with pytest.raises(Unavailable, match="not running"):
            await spoken(provider, "anna", "Hello.")
        await provider.start()
        await provider.close()
        with pytest.raises(Unavailable, match="not running"):
            await spoken(provider, "anna", "Hello.")
        await fake.until(ended=1)


async def test_a_close_ends_connections_that_are_still_being_opened() -> None:
    """Whoever waits for one is told."""
    async with FakeCartesia() as fake:
        fake.fault = Fault(hang=True)
        provider = Cartesia(CartesiaOptions(api_key=KEY, base_url=fake.url))
        starting = asyncio.create_task(provider.start())
        await asyncio.sleep(0)
        await provider.close()
        with suppress(Unavailable):
            await starting
        assert starting.done()


async def test_whoever_leaves_while_it_opens_leaves_it_to_the_next() -> None:
    """It is opened once."""
    async with FakeCartesia() as fake:
        provider = Cartesia(CartesiaOptions(api_key=KEY, base_url=fake.url))
        starting = asyncio.create_task(provider.start())
        await asyncio.sleep(0)
        starting.cancel()
        await asyncio.wait({starting})
        await fake.until(opened=1)
        await spoken(provider, "anna", "Hello.")
        await provider.close()
