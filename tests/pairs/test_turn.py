"""A turn through three cloud vendors streams from one to the next."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from antiphon_protocol import codec
from antiphon_protocol import voice_agent as wire
from antiphon_protocol.audio import PCM
from pairs.turn import PAUSE_MS, VOICE_MS, Pair, agent, spoken, take_turn
from pairs.vendors import HEARD, SAID, Play

PAIRS = [
    Pair("assemblyai", "openai", "cartesia"),
    Pair("deepgram", "anthropic", "assemblyai"),
    Pair("deepgram-flux", "openai", "elevenlabs"),
    Pair("openai", "anthropic", "deepgram"),
    Pair("openai-realtime", "openai", "openai"),
]
"""Every vendor of each stage at least once."""


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
async def test_the_caller_hears_the_reply_before_any_vendor_has_said_the_rest_of_it(
    pair: Pair, tmp_path: Path
) -> None:
    """The model writes its second sentence, and the voice speaks the rest of its first, only
    once the caller has heard something: a stage that waited for the whole of another would wait
    for ever. All words and all of the sound come through.
    """
    play = Play(gate=asyncio.Event())
    async with agent(pair, play, tmp_path) as server:
        turn = await take_turn(server, play)
    assert (turn.user, turn.agent) == (HEARD, SAID)
    assert turn.audio_ms == pytest.approx(len(SAID) * 40, rel=0.1)
    assert isinstance(turn.messages[-1], wire.ReplyDone)
    assert turn.messages[-1].status == "completed"


def test_no_hole_can_be_torn_into_what_is_said() -> None:
    """However busy the machine is: the voice and the pause that ends it go in one message."""
    (message,) = spoken()
    said = codec.decode_client(message)
    assert isinstance(said, wire.SendAudio)
    pcm = codec.decode_base64(said.audio)
    assert len(pcm) == PCM.size(VOICE_MS + PAUSE_MS)
    assert not any(pcm[PCM.size(VOICE_MS) :])
