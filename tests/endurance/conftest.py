"""One server for all tests of this folder that change nothing about it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from endurance.processes import CONVERSING, Process, launch, release


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """``antiphon serve`` with scripted providers; it has nothing to complain about."""
    process = launch(tmp_path_factory.mktemp("endurance"), **CONVERSING)
    try:
        yield process
    finally:
        process.process.terminate()
        release(process.process)
    assert process.complaints() == []


@pytest.fixture
async def rest(server: Process) -> AsyncIterator[httpx.AsyncClient]:
    """Its REST API."""
    async with server.rest() as client:
        yield client
