"""Microphone and speaker over a sound library."""

import asyncio
import sys
from types import ModuleType

import pytest

from antiphon.errors import NoSoundDevice
from antiphon.playback import Playback
from antiphon.sound_device import BACKLOG, Microphone, Speaker, sound_library
from antiphon_protocol.audio import PCMU
from clients.fake_sound_library import FakeSoundLibrary


async def test_a_microphone_gives_frames_as_they_come_from_its_thread() -> None:
    """24 kHz mono int16 in frames of 20 ms; the device is closed with the block."""
    library = FakeSoundLibrary()
    async with Microphone("front", library=library) as microphone:
        device = library.microphone
        assert device is not None
        assert device.options["samplerate"] == 24_000
        assert (device.options["channels"], device.options["dtype"]) == (1, "int16")
        assert (device.options["blocksize"], device.options["device"]) == (480, "front")
        assert device.open
        await asyncio.to_thread(device.callback, bytearray(b"\x01\x02"), 1, None, None)
        assert await anext(aiter(microphone)) == b"\x01\x02"
    assert not device.open


async def test_a_microphone_nobody_listens_to_keeps_the_latest_second() -> None:
    """Old frames are lost rather than heard late."""
    library = FakeSoundLibrary()
    async with Microphone(library=library) as microphone:
        assert library.microphone is not None
        for number in range(BACKLOG + 3):
            library.microphone.callback(bytes([number]))
        await asyncio.to_thread(lambda: None)
        assert await anext(aiter(microphone)) == bytes([3])


async def test_a_speaker_plays_what_the_playback_holds() -> None:
    """The device's buffer is filled to the brim."""
    library, playback = FakeSoundLibrary(), Playback()
    playback.push("a", b"\x01\x02")
    room = bytearray(4)
    async with Speaker(playback, library=library):
        assert library.speaker is not None
        library.speaker.callback(room, 2, None, None)
    assert room == b"\x01\x02\0\0"
    assert not library.speaker.open


def test_a_speaker_refuses_an_encoding_it_cannot_play() -> None:
    """G.711 played as PCM is noise."""
    with pytest.raises(NoSoundDevice, match="not audio/pcmu"):
        Speaker(Playback(PCMU))


@pytest.mark.parametrize("failure", [OSError("busy"), ValueError("No such device"), RuntimeError()])
async def test_a_device_that_cannot_be_opened_is_one_clear_error(failure: Exception) -> None:
    """Whatever the library raises."""
    library = FakeSoundLibrary(failure)
    with pytest.raises(NoSoundDevice, match="no sound device can be opened"):
        async with Microphone(library=library):
            pytest.fail("there is no microphone")
    with pytest.raises(NoSoundDevice):
        async with Speaker(Playback(), library=library):
            pytest.fail("there is no speaker")


def test_without_the_package_the_error_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The extra is named."""
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(NoSoundDevice, match=r"pip install 'antiphon\[mic\]'"):
        sound_library()


def test_an_installed_package_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is imported when it is needed, not before."""
    module = ModuleType("sounddevice")
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    assert sound_library() is module
