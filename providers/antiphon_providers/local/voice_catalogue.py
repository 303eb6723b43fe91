"""The catalogue's names as the embedded engines can speak them.

A handful of recorded speakers stands in for 58 names: each name has a speaker of the right
gender, a pitch and a pace of its own. The names are those of the protocol (section 3.4), first
the present ones, then those of earlier generations; a test holds the two lists together.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from antiphon_providers.errors import Refused

Speaker = Literal["slt", "rms", "awb"]
"""Recorded speakers of flite: a woman and a man from the United States, a man from Scotland."""


class Voice(Struct, frozen=True):
    """How a name sounds.

    ``pitch`` and ``pace`` are factors of the speaker's own; more is higher, and faster. The
    speaker rms has one pitch only.
    """

    speaker: Speaker
    pitch: float = 1.0
    pace: float = 1.0

    @property
    def is_female(self) -> bool:
        """Whether it is a woman's voice."""
        return self.speaker == "slt"


CATALOGUE: dict[str, Voice] = {
    "alba": Voice("slt", 1.06, 1.02),
    "anna": Voice("slt", 1.0, 1.0),
    "charles": Voice("awb", 0.88, 0.96),
    "estelle": Voice("slt", 1.12, 1.06),
    "eve": Voice("slt", 1.1, 1.0),
    "george": Voice("rms", 1.0, 1.06),
    "giovanni": Voice("awb", 1.06, 1.04),
    "iris": Voice("slt", 1.16, 1.04),
    "jane": Voice("slt", 0.96, 1.02),
    "jean": Voice("slt", 0.9, 0.98),
    "juergen": Voice("awb", 0.84, 1.0),
    "lola": Voice("slt", 1.18, 1.08),
    "mary": Voice("slt", 0.93, 0.95),
    "michael": Voice("rms", 1.0, 1.12),
    "paul": Voice("awb", 0.94, 1.0),
    "rafael": Voice("awb", 1.1, 1.06),
    "reid": Voice("rms", 1.0, 1.0),
    "vera": Voice("slt", 0.87, 1.0),
    # Of earlier generations.
    "arjun": Voice("awb", 1.02, 1.08),
    "autumn": Voice("slt", 1.03, 0.97),
    "bella": Voice("slt", 1.14, 1.05),
    "claire": Voice("slt", 1.02, 1.04),
    "david": Voice("rms", 1.0, 1.04),
    "dawn": Voice("slt", 0.95, 0.98),
    "diego": Voice("awb", 1.08, 1.08),
    "dmitri": Voice("awb", 0.8, 0.96),
    "eleanor": Voice("slt", 0.89, 0.96),
    "emma": Voice("slt", 1.08, 1.05),
    "ethan": Voice("rms", 1.0, 1.14),
    "giulia": Voice("slt", 1.15, 1.08),
    "grace": Voice("slt", 0.98, 0.97),
    "hana": Voice("slt", 1.2, 1.04),
    "helen": Voice("slt", 0.91, 1.0),
    "ivy": Voice("slt", 1.04, 1.0),
    "jack": Voice("rms", 1.0, 1.1),
    "james": Voice("awb", 0.9, 1.0),
    "joon": Voice("awb", 1.12, 1.04),
    "josh": Voice("rms", 1.0, 1.16),
    "kyle": Voice("rms", 1.0, 1.08),
    "lena": Voice("slt", 1.05, 1.04),
    "luca": Voice("awb", 1.05, 1.08),
    "lucia": Voice("slt", 1.13, 1.1),
    "lukas": Voice("awb", 0.92, 1.04),
    "martha": Voice("slt", 0.86, 0.95),
    "mateo": Voice("awb", 1.04, 1.1),
    "mei": Voice("slt", 1.19, 1.06),
    "mia": Voice("slt", 1.17, 1.02),
    "mina": Voice("slt", 1.11, 1.02),
    "oliver": Voice("awb", 1.0, 1.0),
    "pete": Voice("rms", 1.0, 1.02),
    "pierre": Voice("awb", 0.96, 1.06),
    "ren": Voice("awb", 1.14, 1.08),
    "river": Voice("slt", 0.84, 1.04),
    "sam": Voice("rms", 1.0, 1.18),
    "sophie": Voice("slt", 1.07, 1.02),
    "tyler": Voice("awb", 1.1, 1.12),
    "victor": Voice("awb", 0.82, 0.98),
    "winter": Voice("slt", 0.94, 1.0),
}


def voice_named(name: str, provider: str) -> Voice:
    """The voice of that name. Raises ``Refused``, naming the voices there are."""
    try:
        return CATALOGUE[name]
    except KeyError:
        known = ", ".join(CATALOGUE)
        raise Refused(
            f"has no voice '{name}'; voices: {known}", provider=provider, provider_param="voice"
        ) from None
