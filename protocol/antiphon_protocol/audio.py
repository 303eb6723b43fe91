"""Audio encodings of the wire: their rates, and bytes to milliseconds.

This module knows sizes, not sound: converting samples is the server's work
(``antiphon_server.call.sound``), because it needs numpy and the protocol does not.
"""

from __future__ import annotations

from msgspec import Struct

from antiphon_protocol.session_config import AudioFormat


class Encoding(Struct, frozen=True):
    """One way of writing samples: mono, at ``rate`` samples per second."""

    name: str
    rate: int
    bytes_per_sample: int

    @property
    def bytes_per_ms(self) -> float:
        """Bytes of one millisecond."""
        return self.rate * self.bytes_per_sample / 1000

    def ms(self, size: int) -> float:
        """Milliseconds of audio in so many bytes."""
        return size / self.bytes_per_ms

    def size(self, ms: float) -> int:
        """Bytes of so many milliseconds, whole samples, rounded down."""
        return int(self.rate * ms / 1000) * self.bytes_per_sample


PCM = Encoding("audio/pcm", 24_000, 2)
PCMU = Encoding("audio/pcmu", 8_000, 1)
PCMA = Encoding("audio/pcma", 8_000, 1)

ENCODINGS = {encoding.name: encoding for encoding in (PCM, PCMU, PCMA)}


def encoding_of(audio_format: AudioFormat) -> Encoding:
    """The encoding a format object names (section 7.1)."""
    return ENCODINGS[audio_format.encoding]
