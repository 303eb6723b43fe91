"""What a worker is told to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from antiphon.clips import Clip
from antiphon.settings import SessionSettings
from antiphon.sound import encode
from antiphon.wire import prepared
from antiphon_loadtest.behaviour import Behaviour
from antiphon_protocol import codec
from antiphon_protocol.audio import ENCODINGS
from antiphon_protocol.session_config import ToolUpdate


class Plan(Struct, frozen=True):
    """A run, as every worker gets it. ``began_at`` is ``time.monotonic`` of second 0, which is
    the same for all processes of a machine; ``duration_s`` is how long callers are in calls.
    """

    url: str
    key: str | None
    settings: SessionSettings
    tools: tuple[ToolUpdate, ...]
    clips: list[Clip]
    behaviour: Behaviour
    began_at: float
    duration_s: float
    seed: int = 0
    frame_ms: int = 20
    patience_s: float = 10.0
    audible: bool = False


class Voices(Struct, frozen=True):
    """The clips as frames that are ready to be written, once for all callers of a process."""

    silence: bytes
    frames: Mapping[str, Sequence[bytes]]


def voices(plan: Plan) -> Voices:
    """Prepares them. Raises ``UnusableAudio`` where the encoding needs a missing package."""
    encoding = ENCODINGS[plan.settings.get("input_encoding", "audio/pcm")]
    size = encoding.size(plan.frame_ms)
    zero = encode(bytes(960), encoding)[:1]
    frames = {clip.name: _cut(encode(clip.pcm, encoding), size, zero) for clip in plan.clips}
    return Voices(_frame(zero * size), frames)


def _cut(samples: bytes, size: int, zero: bytes) -> list[bytes]:
    return [
        _frame(samples[start : start + size].ljust(size, zero))
        for start in range(0, len(samples), size)
    ]


def _frame(samples: bytes) -> bytes:
    return prepared(codec.encode_input_audio(samples))


LOOK_UP = ToolUpdate(
    type="function",
    name="look_up",
    description="Looks up what the caller asks about. Use it once before you answer.",
    parameters={"type": "object", "properties": {}},
)
RESULT = '{"status": "found", "answer": "It is ready and waiting."}'
