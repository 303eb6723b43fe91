"""Voice focus: steady noise taken out of what a microphone hears.

WebRTC's noise suppression at its second level, by ``webrtc-noise-gain`` (BSD). It helps against
fans and hiss, not against other voices, and recognition gains little: it is for those who ask.
"""

from __future__ import annotations

from antiphon_providers.errors import NotInstalled
from antiphon_providers.interfaces import HEARING_RATE

_FRAME_BYTES = HEARING_RATE // 100 * 2
_LEVEL = 2
_NO_GAIN = 0


class VoiceFocus:
    """One caller's noise suppression, int16 mono at 16 kHz; 35 µs for each 10 ms.

    Raises ``NotInstalled`` where the package is missing.
    """

    def __init__(self) -> None:
        try:
            from webrtc_noise_gain import AudioProcessor  # noqa: PLC0415
        except ImportError as missing:
            raise NotInstalled(
                f"pip install webrtc-noise-gain: {missing}", provider="voice-focus"
            ) from missing
        self._processor = AudioProcessor(_NO_GAIN, _LEVEL)
        self._rest = b""

    def clean(self, pcm: bytes) -> bytes:
        """The audio without its noise, as far as frames of 10 ms are full; the rest comes with
        the next.
        """
        audio = self._rest + pcm
        whole = len(audio) - len(audio) % _FRAME_BYTES
        self._rest = audio[whole:]
        return b"".join(
            self._processor.Process10ms(audio[at : at + _FRAME_BYTES]).audio
            for at in range(0, whole, _FRAME_BYTES)
        )
