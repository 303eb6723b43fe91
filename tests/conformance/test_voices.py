"""Voices (§3.4)."""

from __future__ import annotations

import httpx
import pytest

from conformance import spec
from conformance.target import Target
from conformance.wire import opened, ready


@pytest.mark.parametrize("voice", spec.VOICES)
async def test_every_voice_of_the_catalogue_is_taken(target: Target, voice: str) -> None:
    """§3.4: the 18 voices of the newest list."""
    async with opened(target) as call:
        assert (await ready(call, output={"voice": voice}))["config"]["output"]["voice"] == voice


@pytest.mark.recommended
@pytest.mark.parametrize("voice", spec.FORMER_VOICES)
async def test_a_former_voice_still_works(target: Target, voice: str) -> None:
    """§3.4, §11.1: old clients send ``ivy`` and its like."""
    async with opened(target) as call:
        await ready(call, output={"voice": voice})


async def test_an_unknown_voice_is_answered_with_the_list(target: Target) -> None:
    """§3.4, §5.1: the exact message, which clients parse, param ``output.voice``, close 1008."""
    async with opened(target) as call:
        await call.update(output={"voice": "nobody"})
        error = await call.error("invalid_value")
        start, listed = error["message"].split("one of: ")
        assert start == "Invalid voice 'nobody'. Must be "
        voices = listed.split(", ")
        assert voices == sorted(voices)
        assert set(spec.VOICES) <= set(voices)
        assert error["param"] == "output.voice"
        assert await call.closed() == 1008


async def test_rest_lists_the_voices(rest: httpx.AsyncClient) -> None:
    """§3.4, §6.2, §6.7: ``GET /v1/voices`` is the authoritative list."""
    answer = await rest.get("/v1/voices")
    assert answer.status_code == 200
    assert all(voice in answer.text for voice in spec.VOICES)
