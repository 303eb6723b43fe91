"""A sound library whose devices a test moves by hand."""

from __future__ import annotations

import asyncio
import threading
from typing import Any


class FakeStream:
    """An open device; ``callback`` is what its thread would call."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options
        self.callback = options["callback"]
        self.open = False

    def start(self) -> None:
        """Begins."""
        self.open = True

    def close(self) -> None:
        """Ends."""
        self.open = False


class FakeSoundLibrary:
    """Opens ``microphone`` and ``speaker``; raises ``failure`` as for a missing device."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.microphone: FakeStream | None = None
        self.speaker: FakeStream | None = None
        self._speaker_open = threading.Event()

    def RawInputStream(self, **options: Any) -> FakeStream:  # noqa: N802 - their name
        """A microphone."""
        self.microphone = self._open(options)
        return self.microphone

    def RawOutputStream(self, **options: Any) -> FakeStream:  # noqa: N802 - their name
        """A speaker."""
        self.speaker = self._open(options)
        self._speaker_open.set()
        return self.speaker

    async def in_use(self) -> FakeStream:
        """The microphone, once the speaker is open too: whichever thread opens them."""
        await asyncio.to_thread(self._speaker_open.wait, 30)
        assert self.microphone is not None
        return self.microphone

    def _open(self, options: dict[str, Any]) -> FakeStream:
        if self.failure is not None:
            raise self.failure
        return FakeStream(options)
