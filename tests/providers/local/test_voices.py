"""The embedded voice is the best that the machine has."""

import os
import subprocess
import sys
from pathlib import Path

from antiphon_providers import registry
from antiphon_providers.contract.text_to_speech import TextToSpeechContract
from antiphon_providers.local.voices import LocalVoice, LocalVoiceOptions


class TestLocalVoice(TextToSpeechContract):
    """It keeps to the contract."""

    def make(self) -> LocalVoice:
        """As the registry makes it."""
        voice = registry.create("text_to_speech", "local")
        assert isinstance(voice, LocalVoice)
        return voice


def test_speaks_with_flite_where_there_is_flite() -> None:
    """The set-up puts it there."""
    voice = LocalVoice(LocalVoiceOptions(pace=1.1))
    assert (voice.name, voice.engine, voice.rate) == ("local", "flite", 16_000)


def test_speaks_with_espeak_where_flite_does_not_load(tmp_path: Path) -> None:
    """Here flite's library is a file that is no library."""
    (tmp_path / "libflite.so.1").write_bytes(b"no library")
    code = (
        "from antiphon_providers.local.voices import LocalVoice\n"
        "voice = LocalVoice()\n"
        "print(voice.engine, voice.rate)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"ANTIPHON_FLITE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.split() == ["espeak", "22050"]
