"""The microphone and the speaker of this machine, through ``sounddevice``.

    pip install 'antiphon[mic]'

``sounddevice`` also needs the PortAudio library, which its wheels for macOS and Windows
contain and Linux distributions call ``libportaudio2``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from importlib import import_module
from types import TracebackType
from typing import Any, Protocol, Self

from antiphon.errors import NoSoundDevice
from antiphon.playback import Playback
from antiphon_protocol.audio import PCM

FRAME_MS = 20
"""How much a microphone gives at a time; the hosted service's SDK uses the same."""

BACKLOG = 50
"""Frames kept when nobody takes them, one second; then the oldest are lost."""


class Stream(Protocol):
    """What ``sounddevice`` opens."""

    def start(self) -> None:
        """Begins to call back."""

    def close(self) -> None:
        """Stops and frees the device."""


class SoundLibrary(Protocol):
    """The part of ``sounddevice`` that is used here."""

    def RawInputStream(self, **options: Any) -> Stream:  # noqa: N802 - their name
        """A stream whose callback is given samples."""

    def RawOutputStream(self, **options: Any) -> Stream:  # noqa: N802 - their name
        """A stream whose callback is to fill samples in."""


def sound_library() -> SoundLibrary:
    """The installed ``sounddevice``. Raises ``NoSoundDevice`` with what to install."""
    try:
        library: SoundLibrary = import_module("sounddevice")
    except ImportError:
        raise NoSoundDevice("sound devices need a package: pip install 'antiphon[mic]'") from None
    except OSError as error:
        raise NoSoundDevice(
            f"sound devices need the PortAudio library (apt-get install libportaudio2): {error}"
        ) from error
    return library


def _open(kind: Any, **options: Any) -> Stream:
    """An open stream of ``audio/pcm``. Raises ``NoSoundDevice`` for whatever is in the way:
    the library raises its own error type for devices and ValueError for their names.
    """
    try:
        stream: Stream = kind(
            samplerate=PCM.rate,
            channels=1,
            dtype="int16",
            blocksize=PCM.rate * FRAME_MS // 1000,
            **options,
        )
        stream.start()
    except Exception as error:
        raise NoSoundDevice(f"no sound device can be opened: {error}") from error
    return stream


class Microphone:
    """What is said into this machine, in frames of 20 ms of ``audio/pcm``::

    async with Microphone() as microphone:
        async for frame in microphone:
            await call.send_audio(frame)
    """

    def __init__(
        self, device: int | str | None = None, *, library: SoundLibrary | None = None
    ) -> None:
        self._device = device
        self._library = library
        self._frames: asyncio.Queue[bytes] = asyncio.Queue(BACKLOG)
        self._stream: Stream | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()

        def heard(samples: Any, *_about: Any) -> None:
            # Called by the sound library's own thread; the loop may be closing.
            frame = bytes(samples)
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._keep, frame)

        library = self._library or sound_library()
        self._stream = _open(library.RawInputStream, device=self._device, callback=heard)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._stream is not None:
            self._stream.close()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            yield await self._frames.get()

    def _keep(self, frame: bytes) -> None:
        if self._frames.full():
            self._frames.get_nowait()
        self._frames.put_nowait(frame)


class Speaker:
    """Plays what a ``Playback`` holds, until the block is left::

    playback = Playback()
    async with Speaker(playback):
        async for event in call:
            playback.hear(event)
    """

    def __init__(
        self,
        playback: Playback,
        device: int | str | None = None,
        *,
        library: SoundLibrary | None = None,
    ) -> None:
        if playback.encoding != PCM:
            raise NoSoundDevice(f"a speaker plays audio/pcm, not {playback.encoding.name}")
        self._playback = playback
        self._device = device
        self._library = library
        self._stream: Stream | None = None

    async def __aenter__(self) -> Self:
        def wanted(room: Any, *_about: Any) -> None:
            room[:] = self._playback.read(len(room))

        library = self._library or sound_library()
        self._stream = _open(library.RawOutputStream, device=self._device, callback=wanted)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._stream is not None:
            self._stream.close()
