"""What a worker is told to do."""

from __future__ import annotations

import json

import msgspec
import pybase64
from websockets.frames import Frame, Opcode
from websockets.protocol import SERVER, Protocol

from antiphon.settings import SessionSettings
from antiphon_loadtest.plan import voices
from loadtest.loading import clip, plan


def _samples(frame: bytes) -> bytes:
    """What a server takes from a frame as it crosses the socket."""
    protocol = Protocol(SERVER)
    protocol.receive_data(frame)
    (received,) = protocol.events_received()
    assert isinstance(received, Frame)
    assert received.opcode is Opcode.TEXT
    return pybase64.b64decode(json.loads(bytes(received.data))["audio"])


def test_a_clip_is_whole_in_its_frames() -> None:
    """In order, the last one filled with silence, each a message of its own."""
    spoken = clip(ms=205)
    made = voices(plan(clips=[spoken]))
    frames = [_samples(frame) for frame in made.frames["one"]]
    assert {len(frame) for frame in frames} == {960}
    assert b"".join(frames)[: len(spoken.pcm)] == spoken.pcm
    assert not any(b"".join(frames)[len(spoken.pcm) :])
    assert _samples(made.silence) == bytes(960)


def test_another_encoding_and_length_are_respected() -> None:
    """G.711 at 8 kHz, 40 ms: 320 bytes."""
    mulaw = SessionSettings(input_encoding="audio/pcmu")
    made = voices(plan(settings=mulaw, frame_ms=40))
    assert _samples(made.silence) == b"\xff" * 320


def test_a_plan_reaches_another_process_as_it_is() -> None:
    """It is copied between processes."""
    import pickle  # noqa: PLC0415

    made = plan()
    assert pickle.loads(pickle.dumps(made)) == made  # noqa: S301
    assert msgspec.structs.asdict(made)["frame_ms"] == 20
