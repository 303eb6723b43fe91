"""Callers beside what is measured."""

import argparse
import asyncio
import multiprocessing
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import pytest

from antiphon.clips import Clip, read_folder
from antiphon_loadtest.options import add_common
from antiphon_loadtest.others import OthersGone, conversing
from clients.fake_agent import FakeAgent
from clients.fake_server import Peer, serving
from loadtest.measuring import clips_in


def _options(url: str, callers: int) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_common(parser)
    options = parser.parse_args(["--url", url])
    options.callers = callers
    return options


@pytest.fixture
def clips(tmp_path: Path) -> list[Clip]:
    """Two short ones."""
    return read_folder(clips_in(tmp_path, "hello", "good day"))


async def test_others_converse_until_they_are_not_needed_any_more(clips: list[Clip]) -> None:
    """All are in a call before anything is measured, and their turns are counted."""
    answered = asyncio.Event()
    peers: list[Peer] = []

    async def script(peer: Peer) -> None:
        await peer.accept()
        peers.append(peer)
        await peer.converse(FakeAgent(_telling(answered)))

    async with serving(script) as server:
        async with conversing(_options(server.url, 2), clips) as talked:
            assert len(peers) == 2
            await asyncio.wait_for(answered.wait(), 20)
        assert (talked.turns >= 2, talked.failures) == (True, [])
    assert multiprocessing.active_children() == []


def _telling(said: asyncio.Event) -> Iterator[str]:
    """The same words again and again; the event is set with the third turn."""
    for number, words in enumerate(repeat("hello")):
        if number == 2:
            said.set()
        yield words


async def test_without_others_nothing_is_started(clips: list[Clip]) -> None:
    """Nor is a server asked."""
    async with conversing(_options("ws://127.0.0.1:9", 0), clips) as talked:
        assert multiprocessing.active_children() == []
    assert (talked.turns, talked.failures) == (0, [])


async def test_others_that_are_killed_are_missed(clips: list[Clip]) -> None:
    """What was measured without them is no figure."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.converse(FakeAgent(repeat("hello")))

    async def kill(url: str) -> None:
        async with conversing(_options(url, 1), clips):
            (other,) = multiprocessing.active_children()
            other.kill()

    async with serving(script) as server:
        with pytest.raises(OthersGone):
            await kill(server.url)
    assert multiprocessing.active_children() == []
